/* Adjacency as the analysis functions take it: plain vertex numbers, a row for each vertex. */
#ifndef MESHLINE_ANALYSIS_GRAPH_H
#define MESHLINE_ANALYSIS_GRAPH_H

#include "../kernels/buffers.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct {
    uint32_t n;
    const uint32_t *ptr;
    const uint32_t *idx;
} Adj;

/* Check everything the functions rely on, so that no number can lead out of an array. */
static int adj_of(Adj *g, const Py_buffer *ptr, const Py_buffer *idx)
{
    Py_ssize_t rows = length(ptr) - 1, edges = length(idx);
    const char *wrong = NULL;
    g->ptr = ptr->buf;
    g->idx = idx->buf;
    if (rows < 0 || rows >= (Py_ssize_t)NONE || edges >= (Py_ssize_t)NONE) {
        PyErr_SetString(PyExc_ValueError, "damaged adjacency: its size");
        return -1;
    }
    g->n = (uint32_t)rows;
    if (g->ptr[0] != 0 || (Py_ssize_t)g->ptr[rows] != edges)
        wrong = "row pointers that do not fit the neighbours";
    for (uint32_t v = 0; wrong == NULL && v < g->n; v++)
        if (g->ptr[v] > g->ptr[v + 1])
            wrong = "row pointers that do not ascend";
    uint32_t greatest = 0;
    for (Py_ssize_t k = 0; k < edges; k++)
        greatest = g->idx[k] > greatest ? g->idx[k] : greatest;
    if (wrong == NULL && edges && greatest >= g->n)
        wrong = "a neighbour outside of the graph";
    if (wrong != NULL)
        PyErr_Format(PyExc_ValueError, "damaged adjacency: %s", wrong);
    return wrong == NULL ? 0 : -1;
}

/* `count` numbers below `bound` (NONE is allowed when `none`), as many as said unless `wanted` is negative. */
static int numbers_of(const Py_buffer *view, uint32_t bound, int none, Py_ssize_t wanted)
{
    const uint32_t *v = view->buf;
    Py_ssize_t count = length(view);
    if (wanted >= 0 && count != wanted) {
        PyErr_Format(PyExc_ValueError, "%zd entries expected, not %zd", wanted, count);
        return -1;
    }
    for (Py_ssize_t k = 0; k < count; k++)
        if (v[k] >= bound && !(none && v[k] == NONE)) {
            PyErr_Format(PyExc_ValueError, "vertex %u in a graph of %u", v[k], bound);
            return -1;
        }
    return 0;
}

/* A permutation of 0 … n - 1: an order that names a vertex twice would overrun what is written along it. */
static int permutation_of(const Py_buffer *view, uint32_t n)
{
    if (numbers_of(view, n, 0, n) < 0)
        return -1;
    const uint32_t *v = view->buf;
    uint8_t *seen = calloc((size_t)n + 1, 1);
    int failed = seen == NULL;
    if (failed)
        PyErr_NoMemory();
    for (uint32_t k = 0; !failed && k < n; k++) {
        failed = seen[v[k]];
        seen[v[k]] = 1;
        if (failed)
            PyErr_SetString(PyExc_ValueError, "an order that names every vertex once expected");
    }
    free(seen);
    return failed ? -1 : 0;
}

static int expect(Py_ssize_t given, Py_ssize_t wanted, const char *usage)
{
    if (given == wanted)
        return 0;
    PyErr_SetString(PyExc_TypeError, usage);
    return -1;
}

static uint32_t *items(PyObject *bytes)
{
    return (uint32_t *)PyBytes_AS_STRING(bytes);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_numbers(uint32_t *v, size_t count)
{
    if (count > 24) {
        qsort(v, count, sizeof(uint32_t), ascending);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t x = v[i];
        size_t k = i;
        for (; k && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}
#endif
