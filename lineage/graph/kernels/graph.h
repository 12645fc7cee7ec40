/* The type Graph: a checked adjacency with the work arrays of its searches. */
#ifndef MESHLINE_GRAPH_H
#define MESHLINE_GRAPH_H

#include "buffers.h"
#include "cuts.h"
#include "search.h"

/* A search over more vertices than this lets other Python threads run meanwhile. Short ones keep the lock: to get it
 * back can take longer than they do. */
#define LONG_LEVEL 8192

/* Arrays of an answer from this many bytes on are handed out without a copy. */
#define LONG_ANSWER 16384

enum { UNIT_PTR, UNIT_IDX, ZERO_PTR, ZERO_IDX, NAMES, ALIVE, BUFFERS };

typedef struct Graph {
    PyObject_HEAD
    struct Graph *home; /* the one whose arrays it uses, at another instant; NULL when they are its own */
    Py_buffer buffers[BUFFERS];
    Csr unit, zero;
    const uint32_t *names;
    int has_zero, backwards; /* backwards: edges lead to smaller vertices, but for those of cycles */
    uint64_t *crossed;       /* see cuts.h */
    uint32_t n, classes; /* classes: bit set of those that edges have */
    uint64_t spans;      /* more than the number of any span of time */
    Scratch *idle;
} Graph;

/* The graph that owns the arrays. */
static const Graph *home_of(const Graph *self)
{
    return self->home == NULL ? self : self->home;
}

/* Check everything the search relies on, once, so that no index can lead out of an array. `spans`, unless it is NULL,
 * becomes more than the number of any span, those of the padding included. */
static int check_csr(const Csr *g, Py_ssize_t pointers, Py_ssize_t indices, uint32_t n, uint32_t *classes,
                     uint64_t *spans)
{
    const char *wrong = NULL;
    if (pointers < 1 || (uint64_t)g->first + g->rows > n || g->indptr[0] != 0)
        wrong = "rows outside of the graph";
    for (uint32_t r = 0; wrong == NULL && r < g->rows; r++)
        if (g->indptr[r] > g->indptr[r + 1])
            wrong = "row pointers that do not ascend";
    if (wrong == NULL && ((Py_ssize_t)g->indptr[g->rows] + LANE) << g->timed > indices)
        wrong = "too few indices, or no padding behind them";
    if (wrong == NULL) {
        uint32_t edges = g->indptr[g->rows], greatest = 0;
        for (uint32_t k = 0; k < edges; k++) {
            uint32_t v = entry(g, k) & VERTEX_MASK;
            greatest = v > greatest ? v : greatest;
            *classes |= UINT32_C(1) << (entry(g, k) >> CLASS_SHIFT);
        }
        for (size_t k = 0; g->timed && spans != NULL && k < (size_t)edges + LANE; k++) {
            uint64_t beyond = (uint64_t)g->indices[2 * k + 1] + 1;
            *spans = beyond > *spans ? beyond : *spans;
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

/* -- Graph(n, first, indptr, indices, zero_first, zero_indptr, zero_indices, names, backwards, alive)
 *
 * `alive` is None, or a bit for each span: then each of the indices is followed by a span. */

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
    if (self->home == NULL)
        free(self->crossed);
    Py_XDECREF(self->home);
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
    *g = (Csr){first, rows > 0 ? (uint32_t)rows : 0, p->buf, i->buf, self->buffers[ALIVE].obj != NULL,
               self->buffers[ALIVE].buf};
    return check_csr(g, length(p), length(i), self->n, &self->classes, &self->spans);
}

/* Take the name of each vertex, and unless it is None the bit of each span. */
static int graph_labels(Graph *self, PyObject *names, PyObject *alive)
{
    if (view_of(names, &self->buffers[NAMES], 4) < 0 ||
        (alive != Py_None && view_of(alive, &self->buffers[ALIVE], 8) < 0))
        return -1;
    self->names = self->buffers[NAMES].buf;
    if (length(&self->buffers[NAMES]) >= (Py_ssize_t)self->n)
        return 0;
    PyErr_SetString(PyExc_ValueError, "one name per vertex expected");
    return -1;
}

static int check_spans(const Graph *self)
{
    if (self->buffers[ALIVE].obj == NULL || (uint64_t)length(&self->buffers[ALIVE]) * 64 >= self->spans)
        return 0;
    PyErr_SetString(PyExc_ValueError, "one bit per span expected");
    return -1;
}

static PyObject *graph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    unsigned int n, first, zero_first;
    PyObject *indptr, *indices, *zero_indptr, *zero_indices, *names, *alive;
    int backwards;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "IIOOIOOOpO", &n, &first, &indptr, &indices, &zero_first, &zero_indptr, &zero_indices,
                          &names, &backwards, &alive))
        return NULL;
    Graph *self = (Graph *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->n = n;
    self->has_zero = zero_indptr != Py_None;
    if (n > VERTEX_MASK) {
        PyErr_SetString(PyExc_ValueError, "too many vertices");
        goto fail;
    }
    if (graph_labels(self, names, alive) < 0 || graph_csr(self, &self->unit, first, UNIT_PTR, indptr, indices) < 0)
        goto fail;
    if (self->has_zero && graph_csr(self, &self->zero, zero_first, ZERO_PTR, zero_indptr, zero_indices) < 0)
        goto fail;
    if (check_spans(self) < 0)
        goto fail;
    self->backwards = backwards;
    self->crossed = cuts_of((const Csr *const[]){&self->unit, &self->zero}, 1 + self->has_zero, n, backwards);
    if (self->crossed == NULL) {
        PyErr_NoMemory();
        goto fail;
    }
    return (PyObject *)self;
fail:
    Py_DECREF(self);
    return NULL;
}

/* -- at(names, alive) -> the same adjacency at another instant, with other names; arrays and work arrays are shared */

static PyObject *graph_at(Graph *self, PyObject *const *args, Py_ssize_t count)
{
    Graph *home = self->home == NULL ? self : self->home;
    if (count != 2 || !home->unit.timed) {
        PyErr_SetString(PyExc_TypeError, "at(names, alive), of an adjacency through time");
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(self);
    Graph *other = (Graph *)type->tp_alloc(type, 0);
    if (other == NULL)
        return NULL;
    other->home = (Graph *)Py_NewRef(home);
    other->n = home->n;
    other->spans = home->spans;
    if (graph_labels(other, args[0], args[1]) < 0 || check_spans(other) < 0) {
        Py_DECREF(other);
        return NULL;
    }
    other->unit = home->unit;
    other->zero = home->zero;
    other->unit.alive = other->zero.alive = other->buffers[ALIVE].buf;
    other->has_zero = home->has_zero;
    other->backwards = home->backwards;
    other->crossed = home->crossed;
    other->classes = home->classes;
    return (PyObject *)other;
}

/* Work arrays, as many as there may be before those marked for another bar are used. */
#define SETS 3

/* Work arrays marked for a bar (one without memory: for none). That costs nothing when the last one of these questions
 * had the same bar; the view is copied. */
static Scratch *scratch_for(Graph *asked, PyObject *bar)
{
    Graph *self = asked->home == NULL ? asked : asked->home;
    Scratch **at = &self->idle, *s;
    int count = 0;
    for (; *at != NULL; at = &(*at)->next, count++)
        if ((*at)->marks.obj == bar)
            break;
    if (*at == NULL && count >= SETS)
        at = &self->idle;
    s = *at;
    if (s != NULL) {
        *at = s->next;
        if (s->marks.obj == bar)
            return s;
    } else if ((s = scratch_new(self->n)) == NULL || !scratch_complete(s)) {
        if (s != NULL)
            scratch_free(s);
        PyErr_NoMemory();
        return NULL;
    }
    size_t words = (size_t)self->n / 64 + 1;
    if (s->marks.obj != NULL) {
        mark(s->state, s->marks.buf, 0, words, UNREACHED);
        PyBuffer_Release(&s->marks);
    }
    if (bar != NULL && view_of(bar, &s->marks, 8) < 0) {
        scratch_free(s);
        return NULL;
    }
    if (bar != NULL)
        mark(s->state, s->marks.buf, 0, words, BARRED);
    return s;
}

static Scratch *scratch_take(Graph *self)
{
    return scratch_for(self, NULL);
}

static void scratch_give(Graph *asked, Scratch *s)
{
    Graph *self = asked->home == NULL ? asked : asked->home;
    s->next = self->idle;
    self->idle = s;
}
#endif
