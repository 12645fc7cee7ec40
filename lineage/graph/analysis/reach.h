/* How much each vertex of an acyclic graph reaches; edges lead to greater numbers, lists ascend. */
#ifndef MESHLINE_ANALYSIS_REACH_H
#define MESHLINE_ANALYSIS_REACH_H

#include "graph.h"

#define AHEAD_EDGES 24
#define WORDS 8 /* of 64 bits: 512 targets a sweep, one cache line a vertex */

typedef struct {
    const Adj *g;
    const uint32_t *weight;
    uint64_t *bits;    /* WORDS a vertex */
    const uint32_t *targets;
    uint32_t count;    /* of targets in this sweep */
    uint64_t *total;   /* out */
} Sweep;

/* What is reached among the targets of this sweep: from the last one to the first vertex. */
static inline __attribute__((always_inline)) void sweep_body(const Sweep *q)
{
    uint32_t last = q->targets[q->count - 1], at = q->count, heavy = 0;
    uint32_t heavy_bit[64 * WORDS];
    for (uint32_t k = 0; k < q->count; k++)
        if (q->weight[q->targets[k]] > 1)
            heavy_bit[heavy++] = k;
    for (uint32_t v = last + 1; v-- > 0;) {
        uint64_t row[WORDS] = {0};
        for (uint32_t e = q->g->ptr[v], end = q->g->ptr[v + 1]; e < end; e++) {
            uint32_t w = q->g->idx[e];
            if (w > last)
                break;
            const uint64_t *other = q->bits + (size_t)w * WORDS;
            if (e >= AHEAD_EDGES) /* rows of smaller vertices come next */
                __builtin_prefetch(q->bits + (size_t)q->g->idx[e - AHEAD_EDGES] * WORDS);
            for (int k = 0; k < WORDS; k++)
                row[k] |= other[k];
        }
        if (at && q->targets[at - 1] == v) {
            at--;
            row[at >> 6] |= UINT64_C(1) << (at & 63);
        }
        uint64_t *own = q->bits + (size_t)v * WORDS, sum = 0;
        for (int k = 0; k < WORDS; k++) {
            own[k] = row[k];
            sum += (uint64_t)__builtin_popcountll(row[k]);
        }
        for (uint32_t k = 0; k < heavy; k++)
            if (row[heavy_bit[k] >> 6] >> (heavy_bit[k] & 63) & 1)
                sum += q->weight[q->targets[heavy_bit[k]]] - 1;
        q->total[v] += sum;
    }
}

static void sweep_plain(const Sweep *q)
{
    sweep_body(q);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2,popcnt"))) static void sweep_avx2(const Sweep *q)
{
    sweep_body(q);
}

__attribute__((target("avx512f,avx512vl,avx512vpopcntdq,popcnt"))) static void sweep_avx512(const Sweep *q)
{
    sweep_body(q);
}
#endif

static void (*sweep_best(void))(const Sweep *)
{
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vpopcntdq"))
        return sweep_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        return sweep_avx2;
#endif
    return sweep_plain;
}

static int reach_by_bits(const Adj *g, const uint32_t *weight, uint64_t *total)
{
    uint32_t n = g->n, count = 0;
    uint32_t *targets = malloc(((size_t)n + 1) * sizeof(uint32_t));
    uint64_t *raw = malloc(((size_t)n + 1) * WORDS * sizeof(uint64_t) + 64);
    if (targets == NULL || raw == NULL) {
        free(targets);
        free(raw);
        return -1;
    }
    for (uint32_t v = 0; v < n; v++)
        if (weight[v])
            targets[count++] = v;
    Sweep q = {.g = g, .weight = weight, .total = total};
    q.bits = (uint64_t *)(((uintptr_t)raw + 63) & ~(uintptr_t)63); /* a row is one cache line */
    void (*sweep)(const Sweep *) = sweep_best();
    for (uint32_t begin = 0; begin < count; begin += 64 * WORDS) {
        q.targets = targets + begin;
        q.count = count - begin < 64 * WORDS ? count - begin : 64 * WORDS;
        sweep(&q);
    }
    free(targets);
    free(raw);
    return 0;
}

typedef struct {
    uint32_t *seen; /* the last search that met a vertex */
    uint32_t *stack;
} Walker;

/* One search: the sum of the weights of what is reached, the vertex itself included; adds to `*effort`. */
static uint64_t walk_from(Walker *q, const Adj *g, const uint32_t *weight, uint32_t v, uint32_t turn, uint64_t *effort)
{
    uint64_t sum = 0;
    uint32_t depth = 0;
    q->stack[depth++] = v;
    q->seen[v] = turn;
    while (depth) {
        uint32_t u = q->stack[--depth];
        sum += weight == NULL ? 1 : weight[u];
        *effort += g->ptr[u + 1] - g->ptr[u];
        for (uint32_t e = g->ptr[u]; e < g->ptr[u + 1]; e++) {
            uint32_t w = g->idx[e];
            if (q->seen[w] != turn) {
                q->seen[w] = turn;
                q->stack[depth++] = w;
            }
        }
    }
    return sum;
}

/* Searches from `count` vertices (NULL: from all); sums into `total` unless NULL; the effort, or UINT64_MAX. */
static uint64_t walk_all(const Adj *g, const uint32_t *weight, const uint32_t *from, size_t count, uint64_t *total)
{
    Walker q = {calloc((size_t)g->n + 1, sizeof(uint32_t)), malloc(((size_t)g->n + 1) * sizeof(uint32_t))};
    uint64_t effort = 0;
    if (q.seen != NULL && q.stack != NULL)
        for (size_t k = 0; k < count; k++) {
            uint64_t sum = walk_from(&q, g, weight, from == NULL ? (uint32_t)k : from[k], (uint32_t)k + 1, &effort);
            if (total != NULL)
                total[k] = sum;
            else
                effort += sum;
        }
    else
        effort = UINT64_MAX;
    free(q.seen);
    free(q.stack);
    return effort;
}

/* HyperLogLog registers: the greatest along all edges. */
static void merge_sketches(const Adj *g, uint8_t *sketches, size_t registers)
{
    for (uint32_t v = g->n; v-- > 0;) {
        uint8_t *own = sketches + v * registers;
        for (uint32_t e = g->ptr[v]; e < g->ptr[v + 1]; e++) {
            const uint8_t *other = sketches + g->idx[e] * registers;
            for (size_t k = 0; k < registers; k++)
                own[k] = own[k] > other[k] ? own[k] : other[k];
        }
    }
}

/* Which edges of an acyclic graph no longer path replaces. An edge u → v is replaced when v is reached, by at least one
 * step, from another successor of u: 512 targets at a time, as in a sweep. */
static int find_reduction(const Adj *g, uint8_t *keep)
{
    uint64_t *below = malloc(((size_t)g->n + 1) * WORDS * sizeof(uint64_t));
    if (below == NULL)
        return -1;
    memset(keep, 1, g->ptr[g->n]);
    for (uint32_t begin = 0; begin < g->n; begin += 64 * WORDS) {
        uint32_t end = g->n - begin < 64 * WORDS ? g->n : begin + 64 * WORDS;
        for (uint32_t u = end; u-- > 0;) {
            uint64_t further[WORDS] = {0}, *own = below + (size_t)u * WORDS;
            for (uint32_t e = g->ptr[u]; e < g->ptr[u + 1] && g->idx[e] < end; e++)
                for (int k = 0; k < WORDS; k++)
                    further[k] |= below[(size_t)g->idx[e] * WORDS + k];
            memcpy(own, further, sizeof(further));
            for (uint32_t e = g->ptr[u]; e < g->ptr[u + 1] && g->idx[e] < end; e++) {
                if (g->idx[e] < begin)
                    continue;
                uint32_t bit = g->idx[e] - begin;
                own[bit >> 6] |= UINT64_C(1) << (bit & 63);
                keep[e] = keep[e] && !(further[bit >> 6] >> (bit & 63) & 1);
            }
        }
    }
    free(below);
    return 0;
}
#endif
