/* The type Digraph: breadth-first search in the order in which a queue meets the vertices, as networkx has it. */
#ifndef MESHLINE_ANALYSIS_DIGRAPH_H
#define MESHLINE_ANALYSIS_DIGRAPH_H

#include "graph.h"

#define LONG_LEVEL 8192 /* searches over more vertices let other Python threads run meanwhile */
#define AHEAD 8         /* vertices whose rows are fetched before they are needed */

typedef struct Room {
    struct Room *next;
    uint64_t *seen; /* clean between searches */
    uint32_t *order;
    uint32_t *parent;
} Room;

typedef struct {
    PyObject_HEAD
    Py_buffer ptr, idx;
    Adj g;
    Room *idle;
} Digraph;

static void room_free(Room *room)
{
    free(room->seen);
    free(room->order);
    free(room->parent);
    free(room);
}

static void digraph_dealloc(Digraph *self)
{
    while (self->idle != NULL) {
        Room *next = self->idle->next;
        room_free(self->idle);
        self->idle = next;
    }
    if (self->ptr.obj != NULL)
        PyBuffer_Release(&self->ptr);
    if (self->idx.obj != NULL)
        PyBuffer_Release(&self->idx);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *digraph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    unsigned int n;
    PyObject *ptr, *idx;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "IOO", &n, &ptr, &idx))
        return NULL;
    Digraph *self = (Digraph *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    if (view_of(ptr, &self->ptr, 4) < 0 || view_of(idx, &self->idx, 4) < 0 ||
        adj_of(&self->g, &self->ptr, &self->idx) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (self->g.n != n) {
        PyErr_SetString(PyExc_ValueError, "one row for each vertex expected");
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Work arrays; taken and given back under Python's lock. */
static Room *room_take(Digraph *self)
{
    Room *room = self->idle;
    if (room != NULL) {
        self->idle = room->next;
        return room;
    }
    room = calloc(1, sizeof(Room));
    if (room != NULL) {
        size_t n = (size_t)self->g.n + 1;
        room->seen = calloc(n / 64 + 1, sizeof(uint64_t));
        room->order = malloc(n * sizeof(uint32_t));
        room->parent = malloc(n * sizeof(uint32_t));
        if (room->seen != NULL && room->order != NULL && room->parent != NULL)
            return room;
        room_free(room);
    }
    PyErr_NoMemory();
    return NULL;
}

static uint32_t expand_level(const Adj *g, Room *room, uint32_t begin, uint32_t end, uint32_t tail)
{
    uint64_t *seen = room->seen;
    uint32_t *order = room->order, *parent = room->parent;
    for (uint32_t k = begin; k < end; k++) {
        if (k + 2 * AHEAD < end)
            __builtin_prefetch(g->ptr + order[k + 2 * AHEAD]);
        if (k + AHEAD < end)
            __builtin_prefetch(g->idx + g->ptr[order[k + AHEAD]]);
        for (uint32_t e = g->ptr[order[k]], last = g->ptr[order[k] + 1]; e < last; e++) {
            uint32_t w = g->idx[e];
            uint64_t word = seen[w >> 6], bit = UINT64_C(1) << (w & 63);
            /* Without a branch: what was seen is written over by the next one. */
            order[tail] = w;
            parent[tail] = k;
            tail += (word & bit) == 0;
            seen[w >> 6] = word | bit;
        }
    }
    return tail;
}

typedef struct {
    uint32_t *at; /* begin of each level */
    uint32_t count, space;
} Levels;

static int close_level(Levels *levels, uint32_t end)
{
    if (levels->count == levels->space) {
        uint32_t space = levels->space ? 2 * levels->space : 64;
        uint32_t *more = realloc(levels->at, space * sizeof(uint32_t));
        if (more == NULL)
            return -1;
        levels->at = more;
        levels->space = space;
    }
    levels->at[levels->count++] = end;
    return 0;
}

/* The whole search; the number of vertices reached. `*failed` when memory ran out. The room is clean afterwards. */
static uint32_t search(const Adj *g, Room *room, const uint32_t *from, Py_ssize_t sources, long depth, Levels *levels,
                       int *failed)
{
    uint32_t tail = 0, begin = 0;
    PyThreadState *thread = NULL;
    for (Py_ssize_t k = 0; k < sources; k++)
        if (!(room->seen[from[k] >> 6] >> (from[k] & 63) & 1)) {
            room->seen[from[k] >> 6] |= UINT64_C(1) << (from[k] & 63);
            room->parent[tail] = NONE;
            room->order[tail++] = from[k];
        }
    *failed = close_level(levels, 0);
    for (long hop = 0; !*failed; hop++) {
        uint32_t end = tail;
        if (end > begin)
            *failed = close_level(levels, end);
        if (end == begin || hop == depth)
            break;
        if (thread == NULL && end - begin > LONG_LEVEL)
            thread = PyEval_SaveThread();
        tail = expand_level(g, room, begin, end, tail);
        begin = end;
    }
    for (uint32_t k = 0; k < tail; k++)
        room->seen[room->order[k] >> 6] = 0;
    if (thread != NULL)
        PyEval_RestoreThread(thread);
    return tail;
}

static void room_give(Digraph *self, Room *room)
{
    room->next = self->idle;
    self->idle = room;
}

/* bfs(sources, depth) -> (order, position of the parent, begin of each level) */
static PyObject *digraph_bfs(Digraph *self, PyObject *const *args, Py_ssize_t given)
{
    Py_buffer sources;
    if (expect(given, 2, "bfs(sources, depth)") < 0)
        return NULL;
    long depth = PyLong_AsLong(args[1]);
    if ((depth == -1 && PyErr_Occurred()) || view_of(args[0], &sources, 4) < 0)
        return NULL;
    Room *room = numbers_of(&sources, self->g.n, 0, -1) < 0 ? NULL : room_take(self);
    PyObject *answer = NULL;
    if (room != NULL) {
        Levels levels = {NULL, 0, 0};
        int failed;
        uint32_t tail = search(&self->g, room, sources.buf, length(&sources), depth, &levels, &failed);
        answer = failed ? PyErr_NoMemory()
                        : Py_BuildValue("(y#y#y#)", (char *)room->order, (Py_ssize_t)tail * 4, (char *)room->parent,
                                        (Py_ssize_t)tail * 4, (char *)levels.at, (Py_ssize_t)levels.count * 4);
        free(levels.at);
        room_give(self, room);
    }
    PyBuffer_Release(&sources);
    return answer;
}

/* Bring the place that an object will have in the table of a set into the cache. */
static void foresee(const PySetObject *set, PyObject *object)
{
    Py_hash_t hash = -1;
    if (PyUnicode_CheckExact(object))
        hash = ((PyASCIIObject *)object)->hash;
    else if (PyLong_CheckExact(object))
        hash = PyObject_Hash(object);
    if (hash != -1)
        __builtin_prefetch(&set->table[(size_t)hash & (size_t)set->mask], 1);
}

/* Set of the labels of vertices. Labels lie all over the memory: each is fetched before it is needed. */
static PyObject *set_of_labels(PyObject *labels, const uint32_t *v, Py_ssize_t count)
{
    PyObject *answer = PySet_New(NULL);
    for (Py_ssize_t k = 0; answer != NULL && k < count; k++) {
        if (k + 24 < count)
            __builtin_prefetch(PyList_GET_ITEM(labels, v[k + 24]));
        if (k + 8 < count)
            foresee((PySetObject *)answer, PyList_GET_ITEM(labels, v[k + 8]));
        if (PySet_Add(answer, PyList_GET_ITEM(labels, v[k])) < 0)
            Py_CLEAR(answer);
    }
    return answer;
}

/* The vertices in ascending order, so that their labels, made in that order, lie side by side: sets are built in a third
 * of the time. Only of many vertices: a pass over all bits has to pay. */
static const uint32_t *in_order(const Digraph *self, Room *room, uint32_t *v, uint32_t count)
{
    if (count < self->g.n / 64) {
        sort_numbers(v, count);
        return v;
    }
    for (uint32_t k = 0; k < count; k++)
        room->seen[v[k] >> 6] |= UINT64_C(1) << (v[k] & 63);
    uint32_t tail = 0;
    for (uint32_t word = 0; word <= self->g.n / 64; word++) {
        for (uint64_t bits = room->seen[word]; bits; bits &= bits - 1)
            v[tail++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
        room->seen[word] = 0;
    }
    return v;
}

/* reached(labels, source) -> set of the labels of all that is reached from a vertex, itself left out */
static PyObject *digraph_reached(Digraph *self, PyObject *const *args, Py_ssize_t given)
{
    if (expect(given, 2, "reached(labels, source)") < 0)
        return NULL;
    unsigned long source = PyLong_AsUnsignedLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    if (!PyList_Check(args[0]) || PyList_GET_SIZE(args[0]) != (Py_ssize_t)self->g.n || source >= self->g.n) {
        PyErr_SetString(PyExc_ValueError, "a list with one label for each vertex, and one of them, expected");
        return NULL;
    }
    Room *room = room_take(self);
    if (room == NULL)
        return NULL;
    uint32_t from = (uint32_t)source;
    Levels levels = {NULL, 0, 0};
    int failed;
    uint32_t tail = search(&self->g, room, &from, 1, -1, &levels, &failed);
    PyObject *answer = NULL;
    if (failed)
        PyErr_NoMemory();
    else if (PyList_GET_SIZE(args[0]) == (Py_ssize_t)self->g.n) /* it may have changed meanwhile */
        answer = set_of_labels(args[0], in_order(self, room, room->order + 1, tail - 1), (Py_ssize_t)tail - 1);
    else
        PyErr_SetString(PyExc_RuntimeError, "the labels changed during the search");
    free(levels.at);
    room_give(self, room);
    return answer;
}

/* One level further from one end; the vertex where the ends meet, or NONE. Meeting is looked for edge by edge, so that
 * the path is the one that networkx finds. */
static uint32_t approach(const Adj *g, Room *own, const Room *other, uint32_t *begin, uint32_t *tail)
{
    uint32_t end = *tail;
    for (uint32_t k = *begin; k < end; k++)
        for (uint32_t e = g->ptr[own->order[k]], last = g->ptr[own->order[k] + 1]; e < last; e++) {
            uint32_t w = g->idx[e];
            if (!(own->seen[w >> 6] >> (w & 63) & 1)) {
                own->seen[w >> 6] |= UINT64_C(1) << (w & 63);
                own->parent[*tail] = k;
                own->order[(*tail)++] = w;
            }
            if (other->seen[w >> 6] >> (w & 63) & 1)
                return w;
        }
    *begin = end;
    return NONE;
}

static uint32_t position_of(const Room *room, uint32_t tail, uint32_t v)
{
    while (tail-- > 0)
        if (room->order[tail] == v)
            break;
    return tail;
}

static void room_clean(Room *room, uint32_t tail)
{
    for (uint32_t k = 0; k < tail; k++)
        room->seen[room->order[k] >> 6] = 0;
}

/* Vertices from the source over the meeting point to the target. */
static PyObject *joined(const Room *a, uint32_t a_tail, const Room *b, uint32_t b_tail, uint32_t meeting)
{
    uint32_t steps = 0, from = position_of(a, a_tail, meeting), to = position_of(b, b_tail, meeting);
    for (uint32_t k = from; k != NONE; k = a->parent[k])
        steps++;
    uint32_t first = steps;
    for (uint32_t k = b->parent[to]; k != NONE; k = b->parent[k])
        steps++;
    PyObject *answer = room_for(steps, 4);
    if (answer == NULL)
        return NULL;
    uint32_t *path = items(answer);
    for (uint32_t k = from, at = first; k != NONE; k = a->parent[k])
        path[--at] = a->order[k];
    for (uint32_t k = b->parent[to], at = first; k != NONE; k = b->parent[k])
        path[at++] = b->order[k];
    return answer;
}

/* path(turned, source, target) -> vertices of a shortest path, or None; `turned`: the same graph turned round */
static PyObject *digraph_path(Digraph *self, PyObject *const *args, Py_ssize_t given)
{
    if (expect(given, 3, "path(turned, source, target)") < 0)
        return NULL;
    unsigned long source = PyLong_AsUnsignedLong(args[1]), target = PyLong_AsUnsignedLong(args[2]);
    if (PyErr_Occurred())
        return NULL;
    if (Py_TYPE(args[0]) != Py_TYPE(self) || ((Digraph *)args[0])->g.n != self->g.n) {
        PyErr_SetString(PyExc_TypeError, "the same graph turned round expected");
        return NULL;
    }
    if (source >= self->g.n || target >= self->g.n) {
        PyErr_Format(PyExc_ValueError, "vertex %lu in a graph of %u", source < target ? target : source, self->g.n);
        return NULL;
    }
    Digraph *turned = (Digraph *)args[0];
    Room *rooms[2] = {room_take(self), NULL};
    if (rooms[0] == NULL || (rooms[1] = room_take(turned)) == NULL) {
        if (rooms[0] != NULL)
            room_give(self, rooms[0]);
        return NULL;
    }
    uint32_t ends[2] = {(uint32_t)source, (uint32_t)target}, begin[2] = {0, 0}, tail[2] = {1, 1};
    uint32_t meeting = source == target ? (uint32_t)source : NONE;
    for (int side = 0; side < 2; side++) {
        rooms[side]->order[0] = ends[side];
        rooms[side]->parent[0] = NONE;
        rooms[side]->seen[ends[side] >> 6] |= UINT64_C(1) << (ends[side] & 63);
    }
    while (meeting == NONE && tail[0] > begin[0] && tail[1] > begin[1]) {
        int side = tail[0] - begin[0] <= tail[1] - begin[1] ? 0 : 1;
        meeting = approach(side ? &turned->g : &self->g, rooms[side], rooms[!side], &begin[side], &tail[side]);
    }
    PyObject *answer = meeting == NONE ? Py_NewRef(Py_None) : joined(rooms[0], tail[0], rooms[1], tail[1], meeting);
    for (int side = 0; side < 2; side++) {
        room_clean(rooms[side], tail[side]);
        room_give(side ? turned : self, rooms[side]);
    }
    return answer;
}

static PyMethodDef digraph_methods[] = {
    {"reached", (PyCFunction)(void (*)(void))digraph_reached, METH_FASTCALL, "Labels of what a vertex reaches."},
    {"path", (PyCFunction)(void (*)(void))digraph_path, METH_FASTCALL, "A shortest path, searched from both ends."},
    {"bfs", (PyCFunction)(void (*)(void))digraph_bfs, METH_FASTCALL, "Breadth-first search."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot digraph_slots[] = {
    {Py_tp_new, digraph_new},
    {Py_tp_dealloc, digraph_dealloc},
    {Py_tp_methods, digraph_methods},
    {0, NULL},
};

static PyType_Spec digraph_spec = {
    .name = "lineage.graph.analysis._analysis.Digraph",
    .basicsize = sizeof(Digraph),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = digraph_slots,
};
#endif
