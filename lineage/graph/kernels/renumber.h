/* The adjacency of a graph whose vertices get other numbers. */
#ifndef MESHLINE_RENUMBER_H
#define MESHLINE_RENUMBER_H

#include "search.h"

static int has_list(const Csr *g, uint32_t v)
{
    uint32_t row = v - g->first;
    return row < g->rows && g->indptr[row] != g->indptr[row + 1];
}

/* Vertices with a list, by their new numbers: the first one, and how many rows there are up to the last one. */
static void renumbered_span(const Csr *g, const uint32_t *order, uint32_t n, uint32_t *first, uint32_t *rows)
{
    uint32_t begin = 0, end = n;
    while (begin < end && !has_list(g, order[begin]))
        begin++;
    while (end > begin && !has_list(g, order[end - 1]))
        end--;
    *first = begin == n ? 0 : begin;
    *rows = end - begin;
}

/* Lists of the vertices first ... first + rows - 1, the neighbours under their new numbers in the order they had; -1
 * when `order` names a vertex twice, so that the lists do not fit. */
static int renumber(const Csr *g, const uint32_t *order, const uint32_t *rank, uint32_t first, uint32_t rows,
                    uint32_t *indptr, uint32_t *indices)
{
    uint32_t at = 0, edges = g->rows ? g->indptr[g->rows] : 0;
    for (uint32_t k = 0; k < rows; k++) {
        uint32_t row = order[first + k] - g->first;
        indptr[k] = at;
        if (k + 32 < rows)
            PREFETCH((uintptr_t)g->indptr + sizeof(uint32_t) * (size_t)(order[first + k + 32] - g->first));
        if (k + 16 < rows && order[first + k + 16] - g->first < g->rows)
            PREFETCH(g->indices + g->indptr[order[first + k + 16] - g->first]);
        if (row >= g->rows)
            continue;
        if (g->indptr[row + 1] - g->indptr[row] > edges - at)
            return -1;
        for (uint32_t e = g->indptr[row], end = g->indptr[row + 1]; e < end; e++)
            indices[at++] = rank[g->indices[e] & VERTEX_MASK] | (g->indices[e] & ~VERTEX_MASK);
    }
    indptr[rows] = at;
    memset(indices + at, 0, LANE * sizeof(uint32_t));
    return at == edges ? 0 : -1;
}
#endif
