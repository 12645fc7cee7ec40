/* How much each of many sources reaches, for so many sources that nearly everything is reached by one of them.
 *
 * The sweep of sweep.h hands the bits of a vertex on to those it leads to, and so touches nothing else. Here each vertex
 * in turn takes the bits of those that lead to it: its line of cache is written once, is complete then, and is counted
 * at once; sinks need no line at all. It looks at all vertices behind the first source, which many sources are worth.
 * Where edges lead back (see cuts.h) the vertices between are gone through until nothing changes.
 */
#ifndef MESHLINE_GATHERED_H
#define MESHLINE_GATHERED_H

#include "cuts.h"
#include "sweep.h"

#define SOURCES 64 /* from which on it is worth it */
#define NEAR 24    /* vertices by which lines are asked for before they are read */

typedef struct {
    const Csr *into[2];      /* who leads to a vertex, by unit and by zero edges; either may be NULL */
    const uint64_t *counted; /* bit per vertex that counts */
    uint32_t first, rows, n; /* vertices that lead on: only they have a line */
    uint32_t mask;
    int backwards;
    const uint64_t *crossed;
    uint64_t (*bits)[WIDE];
    uint8_t *some;           /* whether the line of a vertex has a bit */
    const uint32_t *sources, *at; /* ascending, and where each is in the batch */
    uint32_t count;
} Gathering;

typedef struct {
    uint64_t plane[PLANES][WIDE];
    uint32_t held;
} Counters;

/* Add one to the counters of all set bits. */
ALWAYS_INLINE void count_bits(Counters *c, const uint64_t *line, uint32_t *total, uint32_t count)
{
    uint64_t carry[WIDE], any = 1;
    memcpy(carry, line, sizeof(carry));
    for (int p = 0; p < PLANES && any; p++) {
        any = 0;
        for (int j = 0; j < WIDE; j++) {
            uint64_t both = c->plane[p][j] & carry[j];
            c->plane[p][j] ^= carry[j];
            carry[j] = both;
            any |= both;
        }
    }
    if (++c->held == (1 << PLANES) - 1) {
        empty(c->plane, total, count);
        c->held = 0;
    }
}

/* Add to a line what leads to a vertex; whether there is a bit in it. */
ALWAYS_INLINE int gather_into(const Gathering *q, uint32_t v, uint64_t *restrict line)
{
    int found = 0;
    for (int side = 0; side < 2; side++) {
        const Csr *g = q->into[side];
        if (g == NULL || v - g->first >= g->rows)
            continue;
        for (uint32_t e = g->indptr[v - g->first], end = g->indptr[v - g->first + 1]; e < end; e++) {
            uint32_t u = g->indices[e] & VERTEX_MASK;
            if (!q->some[u] || !(q->mask >> (g->indices[e] >> CLASS_SHIFT) & 1) || u == v)
                continue;
            const uint64_t *other = q->bits[u - q->first];
            for (int k = 0; k < WIDE; k++)
                line[k] |= other[k];
            found = 1;
        }
    }
    return found;
}

/* Ask for the lines that a vertex a little further on will take. */
ALWAYS_INLINE void ask_into(const Gathering *q, uint32_t v)
{
    const Csr *g = q->into[0];
    if (g == NULL || v - g->first >= g->rows)
        return;
    for (uint32_t e = g->indptr[v - g->first], end = g->indptr[v - g->first + 1]; e < end; e++) {
        uint32_t u = (g->indices[e] & VERTEX_MASK) - q->first;
        if (u < q->rows)
            PREFETCH(q->bits[u]);
    }
}

/* The sources at a vertex; `*next` is the first one that was not passed yet, in the order of the flow. */
ALWAYS_INLINE int add_sources(const Gathering *q, uint32_t v, uint32_t *next, uint64_t *line)
{
    int found = 0;
    for (; *next < q->count && q->sources[*next] == v; ++*next, found = 1)
        line[q->at[*next] / 64] |= UINT64_C(1) << (q->at[*next] % 64);
    return found;
}

/* Vertices low ... high, whose cuts edges lead back over; `next` as above. */
ALWAYS_INLINE void gather_cycle(const Gathering *q, uint32_t low, uint32_t high, uint32_t *next)
{
    for (uint32_t step = 0, v = q->backwards ? high : low; step <= high - low; step++, v += q->backwards ? -1 : 1) {
        uint64_t own[WIDE] = {0};
        int found = add_sources(q, v, next, own);
        if (v - q->first < q->rows) { /* a sink on no cycle may stand between others: it is met again below */
            memcpy(q->bits[v - q->first], own, sizeof(own));
            q->some[v] = (uint8_t)found;
        }
    }
    for (int changed = 1; changed;) {
        changed = 0;
        for (uint32_t step = 0, v = q->backwards ? high : low; step <= high - low; step++, v += q->backwards ? -1 : 1) {
            uint64_t line[WIDE], fresh = 0;
            if (v - q->first >= q->rows)
                continue;
            memcpy(line, q->bits[v - q->first], sizeof(line));
            if (!gather_into(q, v, line))
                continue;
            for (int k = 0; k < WIDE; k++)
                fresh |= line[k] ^ q->bits[v - q->first][k];
            memcpy(q->bits[v - q->first], line, sizeof(line));
            q->some[v] = 1;
            changed |= fresh != 0;
        }
    }
}

/* Totals of one batch. */
ALWAYS_INLINE void gather_as(const Gathering *q, uint32_t *total)
{
    Counters counters = {.held = 0};
    uint32_t next = 0, cycle_end = q->n, cycle = 0, v = q->sources[0];
    v = q->backwards ? run_end(q->crossed, v) : run_begin(q->crossed, v);
    memset(counters.plane, 0, sizeof(counters.plane));
    for (uint32_t left = q->backwards ? v + 1 : q->n - v; left; left--, v += q->backwards ? -1 : 1) {
        uint64_t line[WIDE] = {0};
        int found, own = v - q->first < q->rows;
        if (left > NEAR)
            ask_into(q, q->backwards ? v - NEAR : v + NEAR);
        if (!cycle && (q->backwards ? v && bit_of(q->crossed, v - 1) : bit_of(q->crossed, v))) {
            cycle = 1;
            cycle_end = q->backwards ? run_begin(q->crossed, v) : run_end(q->crossed, v);
            uint32_t before = next;
            gather_cycle(q, q->backwards ? cycle_end : v, q->backwards ? v : cycle_end, &next);
            next = before;
        }
        found = add_sources(q, v, &next, line);
        if (cycle && own) {
            memcpy(line, q->bits[v - q->first], sizeof(line));
            found = q->some[v];
        } else {
            found |= gather_into(q, v, line);
            if (own) {
                memcpy(q->bits[v - q->first], line, sizeof(line));
                q->some[v] = (uint8_t)found;
            }
        }
        if (found && bit_of(q->counted, v))
            count_bits(&counters, line, total, q->count);
        cycle = cycle && v != cycle_end;
    }
    empty(counters.plane, total, q->count);
}

static WIDE_CODE void gather_wide(const Gathering *q, uint32_t *total)
{
    gather_as(q, total);
}

/* How many counted vertices each of `count` sources reaches: added to `total`, which is in the order of `sources`. */
static int gather_all(Gathering *q, const uint32_t *sources, uint32_t count, uint32_t *total)
{
    q->some = malloc((size_t)q->n + 1);
    q->bits = room_new(((size_t)q->rows + 1) * sizeof(*q->bits));
    int failed = q->bits == NULL || q->some == NULL;
    for (uint32_t begin = 0; !failed && begin < count; begin += BATCH) {
        uint32_t some = count - begin < BATCH ? count - begin : BATCH, ordered[BATCH], at[BATCH];
        for (uint32_t k = 0; k < some; k++) { /* mostly they come in order */
            uint32_t hole = k, v = sources[begin + k];
            for (; hole && (q->backwards ? ordered[hole - 1] < v : ordered[hole - 1] > v); hole--) {
                ordered[hole] = ordered[hole - 1];
                at[hole] = at[hole - 1];
            }
            ordered[hole] = v;
            at[hole] = k;
        }
        memset(q->some, 0, (size_t)q->n + 1);
        q->sources = ordered;
        q->at = at;
        q->count = some;
        if (wide)
            gather_wide(q, total + begin);
        else
            gather_as(q, total + begin);
    }
    free(q->bits);
    free(q->some);
    return failed ? -1 : 0;
}
#endif
