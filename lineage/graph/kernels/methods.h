/* What can be asked of a Graph. */
#ifndef MESHLINE_METHODS_H
#define MESHLINE_METHODS_H

#include "bfs.h"
#include "gathered.h"
#include "path.h"

/* -- path(reverse, seeds, late, targets, mask, closed) -> vertices from a seed to a target, or None */

/* The vertices that may be on a way from the seeds, or late ones, to the targets. */
static void bound_path(Meeting *m, const Graph *self, const Py_buffer *v)
{
    uint32_t ahead = NONE, behind = 0; /* of the starts the one farthest upstream, of the targets downstream */
    for (int k = 0; k < 3; k++) {
        const uint32_t *vertex = v[k].buf;
        int up = (k < 2) != self->backwards;
        for (Py_ssize_t j = 0; j < length(&v[k]); j++) {
            ahead = up && vertex[j] < ahead ? vertex[j] : ahead;
            behind = !up && vertex[j] > behind ? vertex[j] : behind;
        }
    }
    m->least = ahead == NONE ? 0 : run_begin(self->crossed, ahead);
    behind = run_end(self->crossed, behind);
    m->span = behind < m->least ? 0 : behind - m->least;
}

static PyObject *path_from(Graph *self, Graph *reverse, const Py_buffer *v, long mask, const uint64_t *closed)
{
    Scratch *s = scratch_take(self), *r = s == NULL ? NULL : scratch_take(reverse);
    PyObject *answer = NULL;
    if (r != NULL) {
        Meeting m = {.from = {&self->unit, self->has_zero ? &self->zero : NULL, s, 0, 0},
                     .to = {&reverse->unit, reverse->has_zero ? &reverse->zero : NULL, r, 0, 0},
                     .closed = closed,
                     .names = self->has_zero ? NULL : home_of(self)->names,
                     .mask = (uint32_t)mask};
        bound_path(&m, self, v);
        uint32_t last = meet(&m, v[0].buf, (size_t)length(&v[0]), v[1].buf, (size_t)length(&v[1]), v[2].buf,
                             (size_t)length(&v[2]));
        Py_ssize_t steps = 0;
        for (uint32_t at = last; at != NONE; at = s->parent[at])
            steps++;
        answer = last == NONE ? Py_NewRef(Py_None) : room_for(steps, 4);
        if (last != NONE && answer != NULL) {
            uint32_t *vertex = (uint32_t *)PyBytes_AS_STRING(answer);
            for (uint32_t at = last; at != NONE; at = s->parent[at])
                vertex[--steps] = s->order[at];
        }
        state_clear(s->state, s->order, m.from.tail);
        state_clear(r->state, r->order, m.to.tail);
        scratch_give(reverse, r);
    }
    if (s != NULL)
        scratch_give(self, s);
    return answer;
}

static PyObject *graph_path(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    static const int sizes[] = {4, 4, 4};
    Py_buffer v[3], closed; /* seeds, late, targets */
    if (count != 6 || Py_TYPE(args[0]) != Py_TYPE(self) || (Graph *)args[0] == self) {
        PyErr_SetString(PyExc_TypeError, "path(reverse, seeds, late, targets, mask, closed)");
        return NULL;
    }
    Graph *reverse = (Graph *)args[0];
    if (reverse->n != self->n) {
        PyErr_SetString(PyExc_ValueError, "two directions of one graph expected");
        return NULL;
    }
    long mask = PyLong_AsLong(args[4]);
    if (PyErr_Occurred() || views_of(args + 1, v, sizes, 3) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (check_vertices(&v[0], self->n) == 0 && check_vertices(&v[1], self->n) == 0 &&
        check_vertices(&v[2], self->n) == 0 && closed_of(self, args[5], &closed) == 0) {
        answer = path_from(self, reverse, v, mask, closed.buf);
        let_go(&closed);
    }
    release(v, 3);
    return answer;
}

/* -- among(answer, mask, closed) -> (edges, certain edges, vertices one edge outside) */

static PyObject *count_among(Graph *self, const Py_buffer *inside, uint32_t mask, const uint64_t *closed)
{
    Scratch *s = scratch_take(self);
    if (s == NULL)
        return NULL;
    const uint32_t *v = inside->buf;
    size_t members = (size_t)length(inside), outside = 0;
    unsigned long long edges = 0, certain = 0;
    for (size_t k = 0; k < members; k++)
        s->state[v[k]] = 0;
    for (size_t k = 0; k < members; k++) {
        uint32_t row = v[k] - self->unit.first;
        if (row >= self->unit.rows)
            continue;
        for (uint32_t e = self->unit.indptr[row]; e < self->unit.indptr[row + 1]; e++) {
            uint32_t w = entry(&self->unit, e) & VERTEX_MASK, cls = entry(&self->unit, e) >> CLASS_SHIFT;
            uint32_t admitted = (mask >> cls & 1) && holds(&self->unit, e), theirs = s->state[w] == 0;
            if (closed != NULL)
                admitted &= !bit_of(closed, w);
            edges += admitted & theirs;
            certain += admitted & theirs & CERTAIN_CLASSES >> cls;
            if (admitted && !theirs && !bit_of(s->bits, w)) {
                bit_set(s->bits, w);
                s->order[outside++] = w;
            }
        }
    }
    state_clear(s->state, v, members);
    bits_clear(s->bits, s->order, outside);
    PyObject *answer = Py_BuildValue("(KKy#)", edges, certain, (char *)s->order, (Py_ssize_t)outside * 4);
    scratch_give(self, s);
    return answer;
}

static PyObject *graph_among(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "among(answer, mask, closed)");
        return NULL;
    }
    long mask = PyLong_AsLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    Py_buffer inside, closed;
    if (vertices_of(args[0], &inside, self->n) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (closed_of(self, args[2], &closed) == 0) {
        answer = count_among(self, &inside, (uint32_t)mask, closed.buf);
        let_go(&closed);
    }
    PyBuffer_Release(&inside);
    return answer;
}

/* -- look_up(members, values, asked) -> value of each asked vertex, 3 for one that is no member */

static PyObject *graph_look_up(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    static const int sizes[] = {4, 1, 4};
    Py_buffer v[3]; /* members, values, asked */
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "look_up(members, values, asked)");
        return NULL;
    }
    if (views_of(args, v, sizes, 3) < 0)
        return NULL;
    PyObject *answer = NULL;
    Scratch *s = NULL;
    if (length(&v[0]) != length(&v[1]))
        PyErr_SetString(PyExc_ValueError, "one value per member expected");
    else if (check_vertices(&v[0], self->n) == 0 && check_vertices(&v[2], self->n) == 0 &&
             (s = scratch_take(self)) != NULL) {
        const uint32_t *member = v[0].buf, *asked = v[2].buf;
        const uint8_t *value = v[1].buf;
        size_t members = (size_t)length(&v[0]);
        answer = room_for(length(&v[2]), 1);
        for (size_t k = 0; k < members; k++)
            s->state[member[k]] = value[k];
        for (Py_ssize_t k = 0; answer != NULL && k < length(&v[2]); k++)
            PyBytes_AS_STRING(answer)[k] = (char)s->state[asked[k]];
        state_clear(s->state, member, members);
        scratch_give(self, s);
    }
    release(v, 3);
    return answer;
}

/* -- reach(reverse, sources, mask, counted) -> how many counted vertices each source reaches, itself included */

/* Sources that reach little: the sweep touches nothing else. */
static int reach_few(const Graph *self, const uint32_t *source, uint32_t count, uint32_t mask, const uint64_t *counted,
                     uint32_t *total)
{
    Sweep q = {.part = {&self->unit, self->has_zero ? &self->zero : NULL},
               .counted = counted,
               .n = self->n,
               .mask = mask,
               .backwards = self->backwards};
    if (sweep_begin(&q) < 0)
        return -1;
    for (uint32_t at = 0; at < count; at += BATCH) {
        uint32_t some = count - at < BATCH ? count - at : BATCH;
        sweep(&q, source + at, some);
        sweep_end(&q, total + at, some);
    }
    sweep_free(&q);
    return 0;
}

#define TRIED 16 /* sources from which it is told whether all of them together reach much */

/* Whether so many sources reach so much that it is worth to look at every vertex; -1 without memory. */
static int reaches_much(Graph *self, const uint32_t *source, uint32_t count, uint32_t mask)
{
    static const uint8_t certain = 0;
    uint64_t reached = 0;
    if (count < SOURCES)
        return 0;
    Scratch *s = scratch_take(self);
    if (s == NULL)
        return -1;
    for (uint32_t k = 0; k < TRIED; k++) {
        Search q = {.unit = &self->unit, .zero = self->has_zero ? &self->zero : NULL, .names = self->names, .scratch = s};
        meaning_of(mask, q.meaning);
        sow(&q, source + (uint64_t)k * count / TRIED, &certain, 1);
        if (q.zero != NULL)
            expand(&q, q.zero, s->order, 0, q.tail);
        for (uint32_t begin = 0, end = q.tail; begin < end && end < self->n / 64; begin = end, end = q.tail) {
            expand(&q, q.unit, s->order, begin, end);
            if (q.zero != NULL)
                expand(&q, q.zero, s->order, end, q.tail);
        }
        reached += q.tail;
        state_clear(s->state, s->order, q.tail);
    }
    scratch_give(self, s);
    return reached * count / TRIED >= self->n / 8;
}

static int reach_many(const Graph *self, const Graph *reverse, const uint32_t *source, uint32_t count, uint32_t mask,
                      const uint64_t *counted, uint32_t *total)
{
    uint32_t first = self->unit.rows ? self->unit.first : self->n, end = self->unit.rows ? first + self->unit.rows : 0;
    if (self->has_zero && self->zero.rows) {
        uint32_t last = self->zero.first + self->zero.rows;
        first = self->zero.first < first ? self->zero.first : first;
        end = last > end ? last : end;
    }
    Gathering q = {.into = {&reverse->unit, reverse->has_zero ? &reverse->zero : NULL},
                   .counted = counted,
                   .first = first,
                   .rows = end > first ? end - first : 0,
                   .n = self->n,
                   .mask = mask,
                   .backwards = self->backwards,
                   .crossed = self->crossed};
    return gather_all(&q, source, count, total);
}

static PyObject *graph_reach(Graph *self, PyObject *const *args, Py_ssize_t given)
{
    if (given != 4 || Py_TYPE(args[0]) != Py_TYPE(self) || (Graph *)args[0] == self) {
        PyErr_SetString(PyExc_TypeError, "reach(reverse, sources, mask, counted)");
        return NULL;
    }
    const Graph *reverse = (Graph *)args[0];
    long mask = PyLong_AsLong(args[2]);
    Py_buffer sources, counted;
    if (PyErr_Occurred() || vertices_of(args[1], &sources, self->n) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (closed_of(self, args[3], &counted) == 0) {
        uint32_t count = (uint32_t)length(&sources);
        if (self->unit.timed || reverse->unit.timed)
            PyErr_SetString(PyExc_ValueError, "reach is asked of an adjacency of one instant");
        else if (counted.buf == NULL || reverse->n != self->n)
            PyErr_SetString(PyExc_ValueError, "one bit per vertex, and two directions of one graph expected");
        else
            answer = room_for((Py_ssize_t)count, 4);
        if (answer != NULL) {
            uint32_t *total = (uint32_t *)PyBytes_AS_STRING(answer);
            int much = reaches_much(self, sources.buf, count, (uint32_t)mask), failed = much < 0;
            memset(total, 0, (size_t)count * 4);
            Py_BEGIN_ALLOW_THREADS
            if (much > 0)
                failed = reach_many(self, reverse, sources.buf, count, (uint32_t)mask, counted.buf, total);
            else if (!failed)
                failed = reach_few(self, sources.buf, count, (uint32_t)mask, counted.buf, total);
            Py_END_ALLOW_THREADS
            if (failed) {
                Py_CLEAR(answer);
                PyErr_NoMemory();
            }
        }
        let_go(&counted);
    }
    PyBuffer_Release(&sources);
    return answer;
}

static PyMethodDef graph_methods[] = {
    {"at", (PyCFunction)(void (*)(void))graph_at, METH_FASTCALL, "The same adjacency through time, at another instant."},
    {"reach", (PyCFunction)(void (*)(void))graph_reach, METH_FASTCALL, "How much each of many vertices reaches."},
    {"bfs", (PyCFunction)(void (*)(void))graph_bfs, METH_FASTCALL, "Breadth-first search; see lineage.graph.search."},
    {"closure", (PyCFunction)(void (*)(void))graph_closure, METH_FASTCALL, "What one vertex reaches."},
    {"among", (PyCFunction)(void (*)(void))graph_among, METH_FASTCALL, "Edges inside a set of vertices, and its rim."},
    {"path", (PyCFunction)(void (*)(void))graph_path, METH_FASTCALL, "A shortest path, searched from both ends."},
    {"look_up", (PyCFunction)(void (*)(void))graph_look_up, METH_FASTCALL, "Values of members, for other vertices."},
    {NULL, NULL, 0, NULL},
};

static PyObject *graph_classes(Graph *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(self->classes);
}

static PyGetSetDef graph_getset[] = {
    {"classes", (getter)graph_classes, NULL, "Bit set of the edge classes there are.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot graph_slots[] = {
    {Py_tp_new, graph_new},
    {Py_tp_dealloc, graph_dealloc},
    {Py_tp_methods, graph_methods},
    {Py_tp_getset, graph_getset},
    {0, NULL},
};

static PyType_Spec graph_spec = {
    .name = "lineage.graph._kernels.Graph",
    .basicsize = sizeof(Graph),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = graph_slots,
};
#endif
