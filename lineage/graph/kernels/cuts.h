/* How far a walk can fall behind where it starts, when vertices are numbered along the flow.
 *
 * Only an edge of a cycle leads back, and the vertices of a cycle's component stand next to each other. So one bit for
 * each pair of neighbouring numbers says whether some edge leads back over the cut between them: who starts behind a cut
 * without such an edge never gets before it. This holds for any numbering; a good one has few such cuts.
 */
#ifndef MESHLINE_CUTS_H
#define MESHLINE_CUTS_H

#include "search.h"

/* Note for each vertex the farthest one from which (or to which, `backwards`) an edge leads back over the cut behind it. */
static int note_back(const Csr *g, int backwards, uint32_t *farthest)
{
    int some = 0;
    for (uint32_t r = 0; r < g->rows; r++) {
        uint32_t v = g->first + r;
        for (uint32_t e = g->indptr[r], end = g->indptr[r + 1]; e < end; e++) {
            uint32_t w = entry(g, e) & VERTEX_MASK, low = backwards ? v : w, high = backwards ? w : v;
            if (low >= high)
                continue;
            some = 1;
            farthest[low] = high > farthest[low] ? high : farthest[low];
        }
    }
    return some;
}

/* Bit v: an edge leads back over the cut between v and v + 1. Released with free; NULL without memory. */
static uint64_t *cuts_of(const Csr *const *parts, int count, uint32_t n, int backwards)
{
    uint64_t *crossed = calloc((size_t)n / 64 + 1, sizeof(uint64_t));
    uint32_t *farthest = calloc((size_t)n + 1, sizeof(uint32_t)), end = 0;
    int some = 0;
    for (int k = 0; k < count && farthest != NULL && crossed != NULL; k++)
        some |= note_back(parts[k], backwards, farthest);
    for (uint32_t v = 0; some && v < n; v++) {
        end = farthest[v] > end ? farthest[v] : end;
        if (end > v)
            bit_set(crossed, v);
    }
    if (farthest == NULL) {
        free(crossed);
        crossed = NULL;
    }
    free(farthest);
    return crossed;
}

/* The first vertex of the run of crossed cuts that ends at v. */
static uint32_t run_begin(const uint64_t *crossed, uint32_t v)
{
    while (v && bit_of(crossed, v - 1))
        v = (v - 1) % 64 == 63 && crossed[(v - 1) / 64] == UINT64_MAX ? v - 64 : v - 1;
    return v;
}

/* The last one of the run that begins at v. */
static uint32_t run_end(const uint64_t *crossed, uint32_t v)
{
    while (bit_of(crossed, v))
        v = v % 64 == 0 && crossed[v / 64] == UINT64_MAX ? v + 64 : v + 1;
    return v;
}
#endif
