/* The type Graph: a checked adjacency with the work arrays of its searches. */
#ifndef MESHLINE_GRAPH_H
#define MESHLINE_GRAPH_H

#include "buffers.h"
#include "search.h"

/* A search over more vertices than this lets other Python threads run meanwhile. Short ones keep the lock: to get it
 * back can take longer than they do. */
#define LONG_LEVEL 8192

enum { UNIT_PTR, UNIT_IDX, ZERO_PTR, ZERO_IDX, PUBLIC, BUFFERS };

typedef struct {
    PyObject_HEAD
    Py_buffer buffers[BUFFERS];
    Csr unit, zero;
    int has_zero;
    uint32_t n;
    Py_ssize_t dense; /* all dense indices are below this */
    Scratch *idle;
} Graph;

/* Check everything the search relies on, once, so that no index can lead out of an array. */
static int check_csr(const Csr *g, Py_ssize_t pointers, Py_ssize_t indices, uint32_t n)
{
    const char *wrong = NULL;
    if (pointers < 1 || (uint64_t)g->first + g->rows > n || g->indptr[0] != 0)
        wrong = "rows outside of the graph";
    for (uint32_t r = 0; wrong == NULL && r < g->rows; r++)
        if (g->indptr[r] > g->indptr[r + 1])
            wrong = "row pointers that do not ascend";
    if (wrong == NULL && (Py_ssize_t)g->indptr[g->rows] + LANE > indices)
        wrong = "too few indices, or no padding behind them";
    if (wrong == NULL) {
        uint32_t edges = g->indptr[g->rows], greatest = 0;
        for (uint32_t k = 0; k < edges; k++) {
            uint32_t v = g->indices[k] & VERTEX_MASK;
            greatest = v > greatest ? v : greatest;
        }
        if (edges && greatest >= n)
            wrong = "a neighbour outside of the graph";
    }
    if (wrong != NULL)
        PyErr_Format(PyExc_ValueError, "damaged adjacency: %s", wrong);
    return wrong == NULL ? 0 : -1;
}

static int check_vertices(const Py_buffer *view, uint32_t n)
{
    const uint32_t *v = view->buf;
    for (Py_ssize_t k = 0, count = length(view); k < count; k++)
        if (v[k] >= n) {
            PyErr_Format(PyExc_ValueError, "vertex %u in a graph of %u", v[k], n);
            return -1;
        }
    return 0;
}

static int vertices_of(PyObject *object, Py_buffer *view, uint32_t n)
{
    if (view_of(object, view, sizeof(uint32_t)) < 0)
        return -1;
    if (check_vertices(view, n) == 0)
        return 0;
    PyBuffer_Release(view);
    return -1;
}

/* -- Graph(n, first, indptr, indices, zero_first, zero_indptr, zero_indices, public) */

static void graph_dealloc(Graph *self)
{
    while (self->idle != NULL) {
        Scratch *next = self->idle->next;
        scratch_free(self->idle);
        self->idle = next;
    }
    for (int k = 0; k < BUFFERS; k++)
        if (self->buffers[k].obj != NULL)
            PyBuffer_Release(&self->buffers[k]);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int graph_csr(Graph *self, Csr *g, uint32_t first, int pointers, PyObject *indptr, PyObject *indices)
{
    Py_buffer *p = &self->buffers[pointers], *i = &self->buffers[pointers + 1];
    if (view_of(indptr, p, 4) < 0 || view_of(indices, i, 4) < 0)
        return -1;
    Py_ssize_t rows = length(p) - 1;
    *g = (Csr){first, rows > 0 ? (uint32_t)rows : 0, p->buf, i->buf};
    return check_csr(g, length(p), length(i), self->n);
}

static PyObject *graph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    unsigned int n, first, zero_first;
    PyObject *indptr, *indices, *zero_indptr, *zero_indices, *public_of;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "IIOOIOOO", &n, &first, &indptr, &indices, &zero_first, &zero_indptr, &zero_indices,
                          &public_of))
        return NULL;
    Graph *self = (Graph *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->n = n;
    self->has_zero = zero_indptr != Py_None;
    Py_buffer *names = &self->buffers[PUBLIC];
    if (n > VERTEX_MASK) {
        PyErr_SetString(PyExc_ValueError, "too many vertices");
        goto fail;
    }
    if (graph_csr(self, &self->unit, first, UNIT_PTR, indptr, indices) < 0)
        goto fail;
    if (self->has_zero && graph_csr(self, &self->zero, zero_first, ZERO_PTR, zero_indptr, zero_indices) < 0)
        goto fail;
    if (view_of(public_of, names, 4) < 0)
        goto fail;
    if (length(names) != (Py_ssize_t)n) {
        PyErr_SetString(PyExc_ValueError, "one dense index per vertex expected");
        goto fail;
    }
    const uint32_t *dense = names->buf;
    for (uint32_t v = 0; v < n; v++)
        if ((Py_ssize_t)dense[v] >= self->dense)
            self->dense = (Py_ssize_t)dense[v] + 1;
    return (PyObject *)self;
fail:
    Py_DECREF(self);
    return NULL;
}

static Scratch *scratch_take(Graph *self)
{
    Scratch *s = self->idle;
    if (s != NULL) {
        self->idle = s->next;
        return s;
    }
    s = scratch_new(self->n);
    if (s == NULL || s->bits == NULL || s->more_bits == NULL || s->order == NULL || s->parent == NULL) {
        if (s != NULL)
            scratch_free(s);
        PyErr_NoMemory();
        return NULL;
    }
    return s;
}

static void scratch_give(Graph *self, Scratch *s)
{
    s->next = self->idle;
    self->idle = s;
}

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

static PyMethodDef graph_methods[] = {
    {"bfs", (PyCFunction)(void (*)(void))graph_bfs, METH_FASTCALL, "Breadth-first search; see lineage.graph.search."},
    {"among", (PyCFunction)(void (*)(void))graph_among, METH_FASTCALL, "Edges inside a set of vertices, and its rim."},
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
