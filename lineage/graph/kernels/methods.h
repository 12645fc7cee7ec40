/* What can be asked of a Graph. */
#ifndef MESHLINE_METHODS_H
#define MESHLINE_METHODS_H

#include "grade.h"
#include "graph.h"

/* A mask of blocked nodes: None, or one byte per dense index. */
static int blocked_of(Graph *self, PyObject *object, Py_buffer *view)
{
    view->obj = NULL;
    view->buf = NULL;
    if (object == Py_None)
        return 0;
    if (view_of(object, view, 1) < 0)
        return -1;
    if (length(view) >= self->dense)
        return 0;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "one bool per node expected");
    return -1;
}

/* -- bfs(seeds, late, mask, depth, limit, blocked) */

/* The whole search; 0, or -1 when memory ran out. `*stopped` tells whether vertices were left unexpanded. */
static int run(Search *q, Levels *levels, const Py_buffer *seeds, const Py_buffer *late, long depth, long long limit,
               int *stopped)
{
    PyThreadState *thread = NULL;
    size_t waiting = (size_t)length(late);
    uint32_t begin = 0;
    int failed = 0;
    sow(q, seeds->buf, (size_t)length(seeds));
    failed = close_level(q, levels, 0);
    for (long hop = 0; !failed; hop++) {
        uint32_t end = q->tail;
        *stopped = end > begin || waiting > 0;
        if (!*stopped || hop == depth || (limit >= 0 && (long long)end >= limit))
            break;
        if (thread == NULL && end - begin > LONG_LEVEL)
            thread = PyEval_SaveThread();
        if (waiting) {
            sow(q, late->buf, waiting);
            waiting = 0;
        }
        expand(q, q->unit, begin, end, 1);
        failed = close_level(q, levels, end);
        begin = end;
    }
    if (levels->count > 2 && levels->at[levels->count - 1] == levels->at[levels->count - 2])
        levels->count--; /* a last hop that found nothing */
    bits_clear(q->scratch->bits, q->scratch->order, q->tail);
    if (thread != NULL)
        PyEval_RestoreThread(thread);
    return failed;
}

static PyObject *graph_bfs(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "bfs(seeds, late, mask, depth, limit, blocked)");
        return NULL;
    }
    long mask = PyLong_AsLong(args[2]), depth = PyLong_AsLong(args[3]);
    long long limit = PyLong_AsLongLong(args[4]);
    if (PyErr_Occurred())
        return NULL;
    PyObject *answer = NULL;
    Py_buffer seeds, late, blocked;
    if (vertices_of(args[0], &seeds, self->n) < 0)
        return NULL;
    if (vertices_of(args[1], &late, self->n) < 0)
        goto no_late;
    if (blocked_of(self, args[5], &blocked) < 0)
        goto no_blocked;
    Scratch *s = scratch_take(self);
    if (s != NULL) {
        Search q = {.unit = &self->unit, .zero = self->has_zero ? &self->zero : NULL, .blocked = blocked.buf};
        q.public_of = self->buffers[PUBLIC].buf;
        q.mask = (uint32_t)mask;
        q.scratch = s;
        Levels levels;
        int stopped = 0;
        levels_begin(&levels);
        if (run(&q, &levels, &seeds, &late, depth, limit, &stopped) < 0)
            PyErr_NoMemory();
        else
            answer = Py_BuildValue("(y#y#y#IKKO)", (char *)s->order, (Py_ssize_t)q.tail * 4, (char *)s->parent,
                                   (Py_ssize_t)q.tail * 4, (char *)levels.at, (Py_ssize_t)levels.count * 4, q.classes,
                                   (unsigned long long)q.edges, (unsigned long long)q.certain,
                                   stopped ? Py_True : Py_False);
        levels_end(&levels);
        scratch_give(self, s);
    }
    if (blocked.obj != NULL)
        PyBuffer_Release(&blocked);
no_blocked:
    PyBuffer_Release(&late);
no_late:
    PyBuffer_Release(&seeds);
    return answer;
}

/* -- among(answer, mask, blocked) -> (edges, certain edges, vertices one edge outside) */

static PyObject *graph_among(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "among(answer, mask, blocked)");
        return NULL;
    }
    long mask = PyLong_AsLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    Py_buffer inside, blocked;
    if (vertices_of(args[0], &inside, self->n) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (blocked_of(self, args[2], &blocked) == 0) {
        Scratch *s = scratch_take(self);
        if (s != NULL) {
            const uint32_t *public_of = self->buffers[PUBLIC].buf, *v = inside.buf;
            const uint8_t *closed = blocked.buf;
            size_t members = (size_t)length(&inside), outside = 0;
            unsigned long long edges = 0, certain = 0;
            bits_set(s->bits, v, members);
            for (size_t k = 0; k < members; k++) {
                uint32_t row = v[k] - self->unit.first;
                if (row >= self->unit.rows)
                    continue;
                for (uint32_t e = self->unit.indptr[row]; e < self->unit.indptr[row + 1]; e++) {
                    uint32_t w = self->unit.indices[e] & VERTEX_MASK, cls = self->unit.indices[e] >> CLASS_SHIFT;
                    if (!((uint32_t)mask >> cls & 1) || (closed != NULL && closed[public_of[w]]))
                        continue;
                    if (bit_of(s->bits, w)) {
                        edges++;
                        certain += CERTAIN_CLASSES >> cls & 1;
                    } else if (!bit_of(s->more_bits, w)) {
                        s->more_bits[w >> 6] |= UINT64_C(1) << (w & 63);
                        s->order[outside++] = w;
                    }
                }
            }
            bits_clear(s->bits, v, members);
            bits_clear(s->more_bits, s->order, outside);
            answer = Py_BuildValue("(KKy#)", edges, certain, (char *)s->order, (Py_ssize_t)outside * 4);
            scratch_give(self, s);
        }
        if (blocked.obj != NULL)
            PyBuffer_Release(&blocked);
    }
    PyBuffer_Release(&inside);
    return answer;
}

/* -- contains(members, asked) -> one byte per asked vertex */

static PyObject *graph_contains(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "contains(members, asked)");
        return NULL;
    }
    Py_buffer members, asked;
    if (vertices_of(args[0], &members, self->n) < 0)
        return NULL;
    if (vertices_of(args[1], &asked, self->n) < 0) {
        PyBuffer_Release(&members);
        return NULL;
    }
    PyObject *answer = PyBytes_FromStringAndSize(NULL, length(&asked));
    Scratch *s = answer == NULL ? NULL : scratch_take(self);
    if (s == NULL) {
        Py_CLEAR(answer);
    } else {
        char *found = PyBytes_AS_STRING(answer);
        const uint32_t *v = asked.buf;
        bits_set(s->bits, members.buf, (size_t)length(&members));
        for (Py_ssize_t k = 0, n = length(&asked); k < n; k++)
            found[k] = (char)bit_of(s->bits, v[k]);
        bits_clear(s->bits, members.buf, (size_t)length(&members));
        scratch_give(self, s);
    }
    PyBuffer_Release(&asked);
    PyBuffer_Release(&members);
    return answer;
}

/* -- grade(closure, mask, backwards, roots, grades of the roots, asked) -> certainty of each asked vertex */

static int lower_grades(Scratch *s, const Py_buffer *roots, const Py_buffer *grades)
{
    const uint32_t *v = roots->buf;
    const uint8_t *grade = grades->buf;
    if (length(roots) != length(grades)) {
        PyErr_SetString(PyExc_ValueError, "one grade per root expected");
        return -1;
    }
    for (Py_ssize_t k = 0, count = length(roots); k < count; k++)
        if (bit_of(s->bits, v[k]) && grade[k] < s->grade[v[k]])
            s->grade[v[k]] = grade[k];
    return 0;
}

static PyObject *graph_grade(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    static const int sizes[] = {4, 4, 1, 4};
    Py_buffer v[4]; /* closure, roots, grades, asked */
    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "grade(closure, mask, backwards, roots, grades, asked)");
        return NULL;
    }
    long mask = PyLong_AsLong(args[1]), backwards = PyLong_AsLong(args[2]);
    PyObject *const arrays[] = {args[0], args[3], args[4], args[5]};
    if (PyErr_Occurred() || views_of(arrays, v, sizes, 4) < 0)
        return NULL;
    PyObject *answer = NULL;
    Scratch *s = NULL;
    if (check_vertices(&v[0], self->n) == 0 && check_vertices(&v[1], self->n) == 0 &&
        check_vertices(&v[3], self->n) == 0 && (s = scratch_take(self)) != NULL) {
        const uint32_t *closure = v[0].buf, *asked = v[3].buf;
        uint32_t size = 0;
        for (Py_ssize_t k = 0; k < length(&v[0]); k++) /* without repetitions: every vertex has one place */
            if (!bit_of(s->bits, closure[k])) {
                s->bits[closure[k] >> 6] |= UINT64_C(1) << (closure[k] & 63);
                s->grade[closure[k]] = UNREACHED;
                size++;
            }
        Grading q = {.unit = &self->unit, .zero = self->has_zero ? &self->zero : NULL, .mask = (uint32_t)mask};
        q.backwards = backwards != 0;
        q.scratch = s;
        if (size != length(&v[0]))
            PyErr_SetString(PyExc_ValueError, "a closure without repetitions expected");
        else if (lower_grades(s, &v[1], &v[2]) == 0) {
            if (grade_closure(&q, closure, size, self->n) < 0)
                PyErr_NoMemory();
            else
                answer = room_for(length(&v[3]), 1);
        }
        for (Py_ssize_t k = 0; answer != NULL && k < length(&v[3]); k++)
            PyBytes_AS_STRING(answer)[k] = (char)(bit_of(s->bits, asked[k]) ? s->grade[asked[k]] : UNREACHED);
        bits_clear(s->bits, closure, (size_t)length(&v[0]));
        scratch_give(self, s);
    }
    release(v, 4);
    return answer;
}

static PyMethodDef graph_methods[] = {
    {"bfs", (PyCFunction)(void (*)(void))graph_bfs, METH_FASTCALL, "Breadth-first search; see lineage.graph.search."},
    {"among", (PyCFunction)(void (*)(void))graph_among, METH_FASTCALL, "Edges inside a set of vertices, and its rim."},
    {"grade", (PyCFunction)(void (*)(void))graph_grade, METH_FASTCALL, "Certainty of the best path to each vertex."},
    {"contains", (PyCFunction)(void (*)(void))graph_contains, METH_FASTCALL, "Which of many are in a set."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot graph_slots[] = {
    {Py_tp_new, graph_new},
    {Py_tp_dealloc, graph_dealloc},
    {Py_tp_methods, graph_methods},
    {0, NULL},
};

static PyType_Spec graph_spec = {
    .name = "lineage.graph._kernels.Graph",
    .basicsize = sizeof(Graph),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = graph_slots,
};
#endif
