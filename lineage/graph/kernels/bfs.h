/* Breadth-first search as it is asked for and answered. */
#ifndef MESHLINE_BFS_H
#define MESHLINE_BFS_H

#include "gather.h"
#include "graph.h"
#include "hops.h"

/* Closed vertices: None, or a bitmap of one bit per vertex in 64-bit words. */
static int closed_of(Graph *self, PyObject *object, Py_buffer *view)
{
    view->obj = NULL;
    view->buf = NULL;
    if (object == Py_None)
        return 0;
    if (view_of(object, view, 8) < 0)
        return -1;
    if (length(view) > (Py_ssize_t)(self->n / 64))
        return 0;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "one bit per vertex expected");
    return -1;
}

static void let_go(Py_buffer *view)
{
    if (view->obj != NULL)
        PyBuffer_Release(view);
}

/* Vertices with their grades. */
typedef struct {
    Py_buffer vertices, grades;
} Seeds;

static int seeds_of(Graph *self, PyObject *vertices, PyObject *grades, Seeds *seeds)
{
    if (vertices_of(vertices, &seeds->vertices, self->n) < 0)
        return -1;
    if (view_of(grades, &seeds->grades, 1) < 0) {
        PyBuffer_Release(&seeds->vertices);
        return -1;
    }
    const uint8_t *grade = seeds->grades.buf;
    int sound = length(&seeds->vertices) == length(&seeds->grades);
    for (Py_ssize_t k = 0; sound && k < length(&seeds->grades); k++)
        sound = grade[k] < UNREACHED;
    if (sound)
        return 0;
    PyBuffer_Release(&seeds->vertices);
    PyBuffer_Release(&seeds->grades);
    PyErr_SetString(PyExc_ValueError, "one grade of 0, 1 or 2 per seed expected");
    return -1;
}

static void seeds_let_go(Seeds *seeds)
{
    PyBuffer_Release(&seeds->vertices);
    PyBuffer_Release(&seeds->grades);
}

static void sow_all(Search *q, const Seeds *seeds)
{
    sow(q, seeds->vertices.buf, seeds->grades.buf, (size_t)length(&seeds->vertices));
}

/* -- bfs(seeds, grades, late, grades, mask, depth, limit, closed) */

/* The whole search; 0, or -1 when memory ran out. `*stopped` tells whether vertices were left unexpanded. The thread
 * is the one that gave Python's lock away, if any. */
static int run(Search *q, Levels *levels, const Seeds *seeds, const Seeds *late, long depth, long long limit,
               int *stopped, PyThreadState **thread)
{
    int waiting = length(&late->vertices) > 0, failed;
    uint32_t begin = 0;
    sow_all(q, seeds);
    failed = close_level(q, levels, 0);
    for (long hop = 0; !failed; hop++) {
        uint32_t end = q->tail;
        *stopped = end > begin || waiting;
        if (!*stopped || hop == depth || (limit >= 0 && (long long)end >= limit))
            break;
        if (*thread == NULL && end - begin > LONG_LEVEL)
            *thread = PyEval_SaveThread();
        if (waiting)
            sow_all(q, late);
        waiting = 0;
        expand(q, q->unit, q->scratch->order, begin, end);
        failed = close_level(q, levels, end);
        if (q->zero == NULL) /* else who is marked as read may have a list yet to be read */
            settle(q);
        begin = end;
    }
    if (!*stopped && !failed)
        settle(q);
    if (levels->count > 2 && levels->at[levels->count - 1] == levels->at[levels->count - 2])
        levels->count--; /* a last hop that found nothing */
    return failed;
}

/* One array of an answer of `count` vertices: long ones are handed out as they are, and the search gets another. */
static PyObject *hand_out(const Scratch *s, uint32_t **array, uint32_t count)
{
    size_t used = (size_t)count * sizeof(uint32_t);
    if (used < LONG_ANSWER || used < s->room / 16)
        return PyBytes_FromStringAndSize((char *)*array, (Py_ssize_t)used);
    uint32_t *other = pool_take(s->room);
    PyObject *block = other == NULL ? PyErr_NoMemory() : block_of(*array, s->room, used);
    if (block == NULL)
        pool_give(other, s->room);
    else
        *array = other;
    return block;
}

/* Make the state of the vertices of the order clean again: as a whole when they lie close together. */
static void state_let_go(Scratch *s, uint32_t count, Bounds bounds)
{
    if (count <= LANE || bounds.most - bounds.least >= 16 * count) {
        state_clear(s->state, s->order, count);
        return;
    }
    memset(s->state + bounds.least, UNREACHED, (size_t)(bounds.most - bounds.least) + 1);
    if (s->marks.obj != NULL)
        mark(s->state, s->marks.buf, bounds.least >> 6, (bounds.most >> 6) + 1, BARRED);
}

/* Room for an answer of `count` items of `size` bytes: a long one is lent, see block.h. */
static PyObject *answer_room(uint32_t count, size_t size, void **memory)
{
    PyObject *room = count < LONG_ANSWER ? room_for(count, (Py_ssize_t)size) : block_new(count * size);
    if (room != NULL)
        *memory = count < LONG_ANSWER ? (void *)PyBytes_AS_STRING(room) : block_memory(room);
    return room;
}

/* Order, names, parents, levels, grades (None when the search was stopped: they are final only at its end), stopped. The
 * state is clean after it. */
static PyObject *tree_of(Search *q, const Levels *levels, int stopped)
{
    Scratch *s = q->scratch;
    void *grade = NULL, *name = NULL;
    PyObject *grades = answer_room(q->tail, 1, &grade), *names = answer_room(q->tail, 4, &name), *tree = NULL;
    if (grades != NULL && names != NULL)
        state_let_go(s, q->tail, tell(s->state, q->names, s->order, q->tail, grade, name));
    else
        state_clear(s->state, s->order, q->tail);
    PyObject *order = grades == NULL || names == NULL ? NULL : hand_out(s, &s->order, q->tail);
    PyObject *parent = order == NULL ? NULL : hand_out(s, &s->parent, q->tail);
    if (parent != NULL)
        tree = Py_BuildValue("(OOOy#OO)", order, names, parent, (char *)levels->at, (Py_ssize_t)levels->count * 4,
                             stopped ? Py_None : grades, stopped ? Py_True : Py_False);
    Py_XDECREF(order);
    Py_XDECREF(names);
    Py_XDECREF(parent);
    Py_XDECREF(grades);
    return tree;
}

static PyObject *bfs(Graph *self, const Seeds *seeds, const Seeds *late, long mask, long depth, long long limit,
                     PyObject *bar)
{
    PyObject *answer = NULL;
    Scratch *s = scratch_for(self, bar);
    if (s == NULL)
        return NULL;
    Search q = {.unit = &self->unit, .zero = self->has_zero ? &self->zero : NULL, .names = self->names, .scratch = s};
    meaning_of((uint32_t)mask, q.meaning);
    Levels levels;
    int stopped = 0;
    PyThreadState *thread = NULL;
    levels_begin(&levels);
    int failed = run(&q, &levels, seeds, late, depth, limit, &stopped, &thread);
    if (thread != NULL)
        PyEval_RestoreThread(thread);
    if (failed) {
        PyErr_NoMemory();
        state_clear(s->state, s->order, q.tail);
    } else
        answer = tree_of(&q, &levels, stopped);
    levels_end(&levels);
    scratch_give(self, s);
    return answer;
}

static PyObject *graph_bfs(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 8) {
        PyErr_SetString(PyExc_TypeError, "bfs(seeds, grades, late, grades, mask, depth, limit, closed)");
        return NULL;
    }
    long mask = PyLong_AsLong(args[4]), depth = PyLong_AsLong(args[5]);
    long long limit = PyLong_AsLongLong(args[6]);
    if (PyErr_Occurred())
        return NULL;
    PyObject *answer = NULL;
    Seeds seeds, late;
    Py_buffer closed;
    if (seeds_of(self, args[0], args[1], &seeds) < 0)
        return NULL;
    if (seeds_of(self, args[2], args[3], &late) == 0) {
        if (closed_of(self, args[7], &closed) == 0) {
            answer = bfs(self, &seeds, &late, mask, depth, limit, closed.obj == NULL ? NULL : args[7]);
            let_go(&closed);
        }
        seeds_let_go(&late);
    }
    seeds_let_go(&seeds);
    return answer;
}
/* -- closure(vertices, k, mask, closed) -> names of all that vertices[k] reaches, the nearest first */

static PyObject *closure_from(Graph *self, uint32_t source, uint32_t mask, PyObject *bar)
{
    static uint8_t certain;
    Scratch *s = scratch_for(self, bar);
    if (s == NULL)
        return NULL;
    Search q = {.unit = &self->unit, .zero = self->has_zero ? &self->zero : NULL, .names = self->names, .scratch = s};
    meaning_of(mask, q.meaning);
    sow(&q, &source, &certain, 1); /* who is found to be more certain later is not asked for, and waits in vain */
    if (q.zero != NULL)
        expand(&q, q.zero, s->order, 0, q.tail);
    PyThreadState *thread = NULL;
    for (uint32_t begin = 0, end = q.tail; begin < end; begin = end, end = q.tail) {
        if (thread == NULL && end - begin > LONG_LEVEL)
            thread = PyEval_SaveThread();
        expand(&q, q.unit, s->order, begin, end);
        if (q.zero != NULL)
            expand(&q, q.zero, s->order, end, q.tail);
    }
    if (thread != NULL)
        PyEval_RestoreThread(thread);
    uint32_t count = q.tail ? q.tail - 1 : 0;
    void *name;
    PyObject *answer = answer_room(count, 4, &name);
    if (answer != NULL) {
        Bounds bounds = tell(s->state, self->names, s->order + 1, count, NULL, name);
        widen(&bounds, source);
        state_let_go(s, q.tail, bounds);
    } else
        state_clear(s->state, s->order, q.tail);
    scratch_give(self, s);
    return answer;
}

static PyObject *graph_closure(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer vertices, closed;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "closure(vertices, k, mask, closed)");
        return NULL;
    }
    Py_ssize_t k = PyLong_AsSsize_t(args[1]);
    long mask = PyLong_AsLong(args[2]);
    if (PyErr_Occurred() || view_of(args[0], &vertices, 4) < 0)
        return NULL;
    PyObject *answer = NULL;
    const uint32_t *vertex = vertices.buf;
    if (k < 0 || k >= length(&vertices) || vertex[k] >= self->n)
        PyErr_Format(PyExc_IndexError, "no vertex %zd in a graph of %u", k, self->n);
    else if (closed_of(self, args[3], &closed) == 0) {
        answer = closure_from(self, vertex[k], (uint32_t)mask, closed.obj == NULL ? NULL : args[3]);
        let_go(&closed);
    }
    PyBuffer_Release(&vertices);
    return answer;
}
#endif
