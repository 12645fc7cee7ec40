/* Certainty of the best path to each vertex of a closure.
 *
 * A path is as certain as its weakest edge. One sweep over the closure along the flow settles everything that is
 * acyclic, reading the lists in the order in which they lie in memory; what an edge against the order (in a cycle)
 * improves is worked off from a stack. A vertex can improve twice at most.
 */
#ifndef MESHLINE_GRADE_H
#define MESHLINE_GRADE_H

#include "search.h"
#include "sort.h"

#define UNREACHED 3

typedef struct {
    const Csr *unit, *zero; /* zero may be NULL */
    uint32_t mask;
    int backwards; /* the flow leads to smaller vertices */
    Scratch *scratch;
    uint32_t held; /* vertices on the stack, which is scratch->parent */
} Grading;

static void relax_list(Grading *q, const Csr *g, uint32_t v, int settled)
{
    uint32_t row = v - g->first;
    if (row >= g->rows)
        return;
    const uint64_t *bits = q->scratch->bits;
    uint64_t *waiting = q->scratch->more_bits;
    uint8_t *grade = q->scratch->grade, own = grade[v];
    for (uint32_t e = g->indptr[row], end = g->indptr[row + 1]; e < end; e++) {
        uint32_t w = g->indices[e] & VERTEX_MASK, cls = g->indices[e] >> CLASS_SHIFT;
        if (!(q->mask >> cls & 1) || !bit_of(bits, w))
            continue;
        uint8_t found = cls >= 3 ? (uint8_t)(cls - 3) : (uint8_t)cls;
        found = found < own ? own : found;
        if (found >= grade[w])
            continue;
        grade[w] = found;
        if ((settled || (q->backwards ? w > v : w < v)) && !bit_of(waiting, w)) {
            waiting[w >> 6] |= UINT64_C(1) << (w & 63);
            q->scratch->parent[q->held++] = w;
        }
    }
}

static void relax(Grading *q, uint32_t v, int settled)
{
    if (q->scratch->grade[v] >= UNREACHED)
        return;
    relax_list(q, q->unit, v, settled);
    if (q->zero != NULL)
        relax_list(q, q->zero, v, settled);
}

/* The closure in ascending order into scratch->order: by its bitmap when it is big, else by sorting. */
static int ascend(Scratch *s, const uint32_t *closure, uint32_t count, uint32_t n)
{
    if (count > n / 64) {
        uint32_t tail = 0;
        for (uint32_t word = 0; word <= n / 64; word++)
            for (uint64_t rest = s->bits[word]; rest; rest &= rest - 1)
                s->order[tail++] = word * 64 + (uint32_t)__builtin_ctzll(rest);
        return 0;
    }
    uint32_t parts[] = {0, count};
    if (sort_inside(closure, parts, 2, s->order) < 0)
        return -1;
    for (uint32_t k = 0; k < count; k++)
        s->order[k] = closure[s->order[k]];
    return 0;
}

/* Grade a closure without repetitions, given the grades of its roots in scratch->grade (UNREACHED for all others). */
static int grade_closure(Grading *q, const uint32_t *closure, uint32_t count, uint32_t n)
{
    Scratch *s = q->scratch;
    if (ascend(s, closure, count, n) < 0)
        return -1;
    for (uint32_t k = 0; k < count; k++)
        relax(q, s->order[q->backwards ? count - 1 - k : k], 0);
    while (q->held) {
        uint32_t v = s->parent[--q->held];
        s->more_bits[v >> 6] &= ~(UINT64_C(1) << (v & 63));
        relax(q, v, 1);
    }
    return 0;
}
#endif
