/* From pairs in any order to adjacency: first into parts whose vertices fit a near cache, then each part by counting.
 * (One scatter over all vertices meets a far cache line for nearly every edge.) Neighbours keep the order of the pairs. */
#ifndef MESHLINE_PAIRS_H
#define MESHLINE_PAIRS_H

#include "search.h"
#include <string.h>

#define PARTS_BITS 11 /* not more parts than this many bits: each is written to at one place at a time */
#define PART_BITS 10  /* not fewer vertices in a part */

typedef struct {
    uint32_t src, dst;
} Pair;

/* Begin of each part, one entry more than parts, and whether the pairs are in order; -1 when a vertex is not below n. */
static int count_parts(const uint32_t *src, const uint32_t *dst, size_t m, uint32_t n, unsigned shift, uint32_t parts,
                       uint32_t *begin, int *ordered)
{
    uint32_t least = 0, most = 0, back = 0, *count = begin + 1;
    memset(begin, 0, ((size_t)parts + 2) * sizeof(uint32_t));
    for (size_t k = 0; k < m; k++) {
        most = src[k] > most ? src[k] : most;
        uint32_t w = dst[k] & VERTEX_MASK; /* its class may stand above it */
        most = w > most ? w : most;
        back |= src[k] < least;
        least = src[k];
    }
    *ordered = !back;
    if (m && most >= n)
        return -1;
    if (back)
        for (size_t k = 0; k < m; k++)
            count[src[k] >> shift]++;
    for (uint32_t p = 0; p < parts; p++)
        begin[p + 1] += begin[p];
    return 0;
}

/* Lists of the vertices low ... high - 1 from their pairs; `at` is where the first one begins. */
static void lists_of_part(const Pair *pair, uint32_t count, uint32_t low, uint32_t high, uint32_t at, uint32_t *place,
                          uint32_t *indptr, uint32_t *indices)
{
    memset(place, 0, (size_t)(high - low) * sizeof(uint32_t));
    for (uint32_t k = 0; k < count; k++)
        place[pair[k].src - low]++;
    for (uint32_t v = low; v < high; v++) {
        uint32_t size = place[v - low];
        indptr[v] = place[v - low] = at;
        at += size;
    }
    for (uint32_t k = 0; k < count; k++)
        indices[place[pair[k].src - low]++] = pair[k].dst;
}

static void lists_in_order(const uint32_t *src, const uint32_t *dst, size_t m, uint32_t n, uint32_t *indptr,
                           uint32_t *indices)
{
    size_t k = 0;
    for (uint32_t v = 0; v < n; v++) {
        indptr[v] = (uint32_t)k;
        while (k < m && src[k] == v)
            k++;
    }
    memcpy(indices, dst, m * sizeof(uint32_t));
}

/* 0; -1 when a vertex is not below n, -2 without memory. */
static int adjacency_of(const uint32_t *src, const uint32_t *dst, size_t m, uint32_t n, uint32_t *indptr, uint32_t *indices)
{
    unsigned shift = PART_BITS;
    while (n >> shift >> PARTS_BITS)
        shift++;
    uint32_t parts = (n >> shift) + 1;
    int ordered, failed = 0;
    uint32_t *begin = malloc(((size_t)parts + 2) * sizeof(uint32_t)), *next = malloc((size_t)parts * sizeof(uint32_t));
    uint32_t *place = malloc(sizeof(uint32_t) << shift);
    Pair *pair = NULL;
    if (begin == NULL || next == NULL || place == NULL)
        failed = -2;
    else
        failed = count_parts(src, dst, m, n, shift, parts, begin, &ordered);
    if (!failed && !ordered && (pair = room_new(m * sizeof(Pair))) == NULL)
        failed = -2;
    if (!failed && ordered)
        lists_in_order(src, dst, m, n, indptr, indices);
    if (!failed && !ordered) {
        memcpy(next, begin, (size_t)parts * sizeof(uint32_t));
        for (size_t k = 0; k < m; k++)
            pair[next[src[k] >> shift]++] = (Pair){src[k], dst[k]};
        for (uint32_t p = 0; p < parts; p++) {
            uint32_t low = p << shift, high = (n - low) >> shift ? low + (UINT32_C(1) << shift) : n;
            lists_of_part(pair + begin[p], begin[p + 1] - begin[p], low, high, begin[p], place, indptr, indices);
        }
    }
    if (!failed)
        indptr[n] = (uint32_t)m;
    free(pair);
    free(begin);
    free(next);
    free(place);
    return failed;
}
#endif
