/* The type Failures: who loses inputs when vertices go. Its work arrays are clean between questions, so that a question
 * costs what it touches and not what the graph has. */
#ifndef MESHLINE_ANALYSIS_FAILURES_H
#define MESHLINE_ANALYSIS_FAILURES_H

#include "graph.h"

enum { COMPONENT, ORDER, START, OUT_PTR, OUT_IDX, IN_PTR, IN_IDX, FAILURE_BUFFERS };
enum { LOST = 1, TOUCHED = 2, ALIVE = 4, GONE = 8 };

typedef struct {
    PyObject_HEAD
    Py_buffer buffers[FAILURE_BUFFERS];
    Adj g, r;
    uint32_t components;
    uint8_t *state;  /* of a vertex; 0 between questions */
    uint32_t *open;  /* in-edges from vertices that are not lost; only of TOUCHED ones */
    uint32_t *todo;  /* lost, to be looked at */
    uint32_t *met;   /* all with a state */
    uint32_t *dirty; /* components to look at again */
    uint32_t *alive; /* work of one component */
} Failures;

typedef struct {
    uint32_t head, tail, met, dirty;
} Ends;

static void failures_dealloc(Failures *self)
{
    for (int k = 0; k < FAILURE_BUFFERS; k++)
        if (self->buffers[k].obj != NULL)
            PyBuffer_Release(&self->buffers[k]);
    free(self->state);
    free(self->open);
    free(self->todo);
    free(self->met);
    free(self->dirty);
    free(self->alive);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static PyObject *failures_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *a[FAILURE_BUFFERS];
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "OOOOOOO", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &a[6]))
        return NULL;
    Failures *self = (Failures *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    Py_buffer *b = self->buffers;
    for (int k = 0; k < FAILURE_BUFFERS; k++)
        if (view_of(a[k], &b[k], 4) < 0)
            goto fail;
    if (adj_of(&self->g, &b[OUT_PTR], &b[OUT_IDX]) < 0 || adj_of(&self->r, &b[IN_PTR], &b[IN_IDX]) < 0)
        goto fail;
    uint32_t n = self->g.n;
    const uint32_t *start = b[START].buf;
    self->components = (uint32_t)(length(&b[START]) - 1);
    if (length(&b[START]) < 1 || self->r.n != n || numbers_of(&b[START], n + 1, 0, -1) < 0 ||
        start[self->components] != n) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "two directions and the components of one graph expected");
        goto fail;
    }
    for (uint32_t c = 0; c < self->components; c++)
        if (start[c] > start[c + 1]) {
            PyErr_SetString(PyExc_ValueError, "components that do not ascend");
            goto fail;
        }
    if (numbers_of(&b[COMPONENT], self->components, 0, n) < 0 || permutation_of(&b[ORDER], n) < 0)
        goto fail;
    size_t room = ((size_t)n + 1) * sizeof(uint32_t);
    self->state = calloc((size_t)n + 1, 1);
    self->open = malloc(room);
    self->todo = malloc(room);
    self->met = malloc(room);
    self->dirty = malloc(room);
    self->alive = malloc(room);
    if (self->state && self->open && self->todo && self->met && self->dirty && self->alive)
        return (PyObject *)self;
    PyErr_NoMemory();
fail:
    Py_DECREF(self);
    return NULL;
}

static int in_cycle(const Failures *self, uint32_t c)
{
    const uint32_t *start = self->buffers[START].buf;
    return start[c + 1] - start[c] > 1;
}

static void lose(Failures *self, Ends *q, uint32_t v)
{
    if (!self->state[v])
        self->met[q->met++] = v;
    self->state[v] |= LOST;
    self->todo[q->tail++] = v;
}

static void soil(Failures *self, Ends *q, uint32_t c)
{
    for (uint32_t k = 0; k < q->dirty; k++)
        if (self->dirty[k] == c)
            return;
    self->dirty[q->dirty++] = c;
}

/* Count down the inputs of what lost vertices lead to. */
static void count_down(Failures *self, Ends *q)
{
    const uint32_t *component = self->buffers[COMPONENT].buf;
    const Adj *g = &self->g, *r = &self->r;
    while (q->head < q->tail) {
        uint32_t v = self->todo[q->head++];
        for (uint32_t e = g->ptr[v]; e < g->ptr[v + 1]; e++) {
            uint32_t w = g->idx[e];
            if (self->state[w] & LOST)
                continue;
            if (!self->state[w])
                self->met[q->met++] = w;
            if (!(self->state[w] & TOUCHED)) {
                self->state[w] |= TOUCHED;
                self->open[w] = r->ptr[w + 1] - r->ptr[w];
                for (uint32_t i = r->ptr[w]; i < r->ptr[w + 1]; i++)
                    self->open[w] -= r->idx[i] == w;
            }
            self->open[w]--;
            if (in_cycle(self, component[w]))
                soil(self, q, component[w]);
            else if (!self->open[w])
                lose(self, q, w);
        }
    }
}

/* Members of a cycle that nothing alive outside of it reaches any more are lost. */
static void check_cycle(Failures *self, Ends *q, uint32_t c)
{
    const uint32_t *component = self->buffers[COMPONENT].buf, *start = self->buffers[START].buf;
    const uint32_t *own = (const uint32_t *)self->buffers[ORDER].buf + start[c];
    const Adj *g = &self->g, *r = &self->r;
    uint32_t count = start[c + 1] - start[c], head = 0, tail = 0;
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t e = r->ptr[own[k]]; e < r->ptr[own[k] + 1]; e++) {
            if (component[r->idx[e]] == c)
                continue;
            if (self->state[own[k]] & (LOST | ALIVE) || self->state[r->idx[e]] & LOST)
                continue;
            self->state[own[k]] |= ALIVE;
            self->alive[tail++] = own[k];
        }
    for (; head < tail; head++) {
        uint32_t v = self->alive[head];
        for (uint32_t e = g->ptr[v]; e < g->ptr[v + 1]; e++) {
            uint32_t w = g->idx[e];
            if (component[w] != c || self->state[w] & (LOST | ALIVE))
                continue;
            self->state[w] |= ALIVE;
            self->alive[tail++] = w;
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        uint8_t was = self->state[own[k]];
        self->state[own[k]] = (uint8_t)(was & ~ALIVE);
        if (!(was & (ALIVE | LOST)))
            lose(self, q, own[k]);
    }
}

/* removal(removed) -> (lost, touched and alive), both ascending, without the removed ones */
static PyObject *failures_removal(Failures *self, PyObject *object)
{
    Py_buffer removed;
    if (view_of(object, &removed, 4) < 0)
        return NULL;
    if (numbers_of(&removed, self->g.n, 0, -1) < 0) {
        PyBuffer_Release(&removed);
        return NULL;
    }
    const uint32_t *gone = removed.buf, *component = self->buffers[COMPONENT].buf;
    Ends q = {0, 0, 0, 0};
    for (Py_ssize_t k = 0; k < length(&removed); k++) {
        if (self->state[gone[k]] & GONE)
            continue;
        lose(self, &q, gone[k]);
        self->state[gone[k]] |= GONE;
        if (in_cycle(self, component[gone[k]]))
            soil(self, &q, component[gone[k]]);
    }
    do {
        count_down(self, &q);
        uint32_t waiting = q.dirty;
        q.dirty = 0;
        for (uint32_t k = 0; k < waiting; k++)
            check_cycle(self, &q, self->dirty[k]); /* adds to todo only */
    } while (q.head < q.tail);
    uint32_t lost = 0, some = 0; /* into arrays that are not needed any more */
    for (uint32_t k = 0; k < q.met; k++) {
        uint32_t v = self->met[k];
        uint8_t state = self->state[v];
        if (state & LOST && !(state & GONE))
            self->alive[lost++] = v;
        else if (!(state & LOST))
            self->todo[some++] = v;
        self->state[v] = 0;
    }
    sort_numbers(self->alive, lost);
    sort_numbers(self->todo, some);
    PyBuffer_Release(&removed);
    return Py_BuildValue("(y#y#)", (char *)self->alive, (Py_ssize_t)lost * 4, (char *)self->todo,
                         (Py_ssize_t)some * 4);
}

static PyMethodDef failures_methods[] = {
    {"removal", (PyCFunction)failures_removal, METH_O, "Who loses all inputs and who some when vertices go."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot failures_slots[] = {
    {Py_tp_new, failures_new},
    {Py_tp_dealloc, failures_dealloc},
    {Py_tp_methods, failures_methods},
    {0, NULL},
};

static PyType_Spec failures_spec = {
    .name = "lineage.graph.analysis._analysis.Failures",
    .basicsize = sizeof(Failures),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = failures_slots,
};
#endif
