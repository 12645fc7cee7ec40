/* How much each of many sources reaches: 512 searches at once, one bit each, one cache line a vertex.
 *
 * Vertices are numbered along the flow, so one pass over them in order carries every bit to its end. An edge that leads
 * back lies on a cycle, whose vertices stand next to each other: the pass then goes back to where it leads.
 */
#ifndef MESHLINE_SWEEP_H
#define MESHLINE_SWEEP_H

#include "expand.h"

#define WIDE 8    /* words of 64 bits */
#define PLANES 8  /* digits of the vertical counters, which are emptied in time */
#define BATCH (64 * WIDE)

typedef struct {
    const Csr *part[2];      /* unit and zero edges, either may be NULL */
    const uint64_t *counted; /* bit per vertex that counts */
    uint32_t n, mask;
    int backwards;           /* edges lead to smaller vertices */
    void *memory;            /* that `bits` lie in */
    uint64_t (*bits)[WIDE];  /* all zero between batches */
    uint8_t *pending;        /* bits that were not passed on yet; all zero between batches */
    uint8_t *listed;
    uint32_t *touched, count;
} Sweep;

static void sweep_free(Sweep *q)
{
    free(q->memory);
    free(q->pending);
    free(q->listed);
    free(q->touched);
}

static int sweep_begin(Sweep *q)
{
    size_t size = ((size_t)q->n + 1) * sizeof(*q->bits);
    q->memory = room_zero(size, (void **)&q->bits);
    q->pending = calloc((size_t)q->n + 1, 1);
    q->listed = calloc((size_t)q->n + 1, 1);
    q->touched = malloc(((size_t)q->n + 1) * sizeof(uint32_t));
    q->count = 0;
    if (q->memory == NULL || q->pending == NULL || q->listed == NULL || q->touched == NULL) {
        sweep_free(q);
        return -1;
    }
    return 0;
}

static inline void touch(Sweep *q, uint32_t v)
{
    q->touched[q->count] = v;
    q->count += !q->listed[v];
    q->listed[v] = 1;
    q->pending[v] = 1;
}

/* Pass the bits of a vertex on. The next vertex to look at: after it in the flow, or where an edge led back to. */
ALWAYS_INLINE uint32_t pass_on(Sweep *q, uint32_t v)
{
    uint32_t back = v;
    q->pending[v] = 0;
    for (int side = 0; side < 2; side++) {
        const Csr *g = q->part[side];
        if (g == NULL || v - g->first >= g->rows)
            continue;
        for (uint32_t e = g->indptr[v - g->first], end = g->indptr[v - g->first + 1]; e < end; e++) {
            uint32_t w = g->indices[e] & VERTEX_MASK;
            PREFETCH(q->bits[g->indices[e + COPY] & VERTEX_MASK]); /* padding allows it */
            if (!(q->mask >> (g->indices[e] >> CLASS_SHIFT) & 1) || w == v)
                continue;
            const uint64_t *restrict from = q->bits[v];
            uint64_t *restrict to = q->bits[w], fresh = 0;
            for (int k = 0; k < WIDE; k++) {
                fresh |= from[k] & ~to[k];
                to[k] |= from[k];
            }
            if (!fresh)
                continue;
            touch(q, w);
            if (q->backwards ? w > back : w < back)
                back = w;
        }
    }
    return back != v ? back : q->backwards ? v - 1 : v + 1;
}

ALWAYS_INLINE void sweep_as(Sweep *q, const uint32_t *seeds, uint32_t count)
{
    uint32_t at = q->backwards ? 0 : q->n;
    for (uint32_t k = 0; k < count; k++) {
        q->bits[seeds[k]][k / 64] |= UINT64_C(1) << (k % 64);
        touch(q, seeds[k]);
        if (q->backwards ? seeds[k] > at : seeds[k] < at)
            at = seeds[k];
    }
    while (at < q->n) /* below zero it wraps around */
        at = q->pending[at] ? pass_on(q, at) : q->backwards ? at - 1 : at + 1;
}

static WIDE_CODE void sweep_wide(Sweep *q, const uint32_t *seeds, uint32_t count)
{
    sweep_as(q, seeds, count);
}

static void sweep(Sweep *q, const uint32_t *seeds, uint32_t count)
{
    if (wide)
        sweep_wide(q, seeds, count);
    else
        sweep_as(q, seeds, count);
}

static void empty(uint64_t plane[PLANES][WIDE], uint32_t *total, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        for (int p = 0; p < PLANES; p++)
            total[k] += (uint32_t)(plane[p][k / 64] >> (k % 64) & 1) << p;
    memset(plane, 0, PLANES * sizeof(*plane));
}

/* Vertices that each source of the batch reached; everything is zero again after it. */
static void sweep_end(Sweep *q, uint32_t *total, uint32_t count)
{
    uint64_t plane[PLANES][WIDE] = {{0}};
    uint32_t held = 0;
    for (uint32_t k = 0; k < q->count; k++) {
        uint32_t v = q->touched[k];
        if (bit_of(q->counted, v)) {
            uint64_t carry[WIDE];
            memcpy(carry, q->bits[v], sizeof(carry));
            for (int p = 0; p < PLANES; p++)
                for (int j = 0; j < WIDE; j++) {
                    uint64_t both = plane[p][j] & carry[j];
                    plane[p][j] ^= carry[j];
                    carry[j] = both;
                }
            if (++held == (1 << PLANES) - 1) {
                empty(plane, total, count);
                held = 0;
            }
        }
        memset(q->bits[v], 0, sizeof(*q->bits));
        q->listed[v] = 0;
    }
    empty(plane, total, count);
    q->count = 0;
}
#endif
