/* A shortest path between two sets of vertices, from both ends at once.
 *
 * Each end grows by whole hops, the one with fewer edges ahead first, until one hop of the one meets the other: seen
 * from a hub, the other end is mostly there before the hub's many neighbours have been looked at. The path is the one
 * that a full breadth-first search would find: the search from the seeds goes on from where they met, through nothing
 * but what the search from the targets has seen. (Among the vertices on shortest paths the order of that search is that
 * of the full one, since the parent of each lies on a shortest path itself.)
 *
 * Vertices are numbered along the flow, so nothing that lies before the seeds or behind the targets is on a way between
 * them: cuts.h tells how far those bounds have to be set off for cycles.
 */
#ifndef MESHLINE_PATH_H
#define MESHLINE_PATH_H

#include "search.h"

typedef struct {
    const Csr *unit, *zero; /* zero may be NULL */
    Scratch *scratch;
    uint32_t begin, tail; /* last hop: order[begin ... tail - 1] */
} Side;

typedef struct {
    Side from, to;
    const uint64_t *closed;
    const uint32_t *names; /* lists ascend by them; NULL when they do not */
    uint32_t mask, least, span; /* vertices that may be on a way: least ... least + span */
} Meeting;

/* A list is turned round (see `reach_back`) when it is longer than this many times what the other side has seen. */
#define LOPSIDED 8

static inline int seen_by(const Side *side, uint32_t v)
{
    return side->scratch->state[v] != UNREACHED;
}

static inline void append(Side *side, uint32_t v, uint32_t parent)
{
    PREFETCH((uintptr_t)side->unit->indptr + sizeof(uint32_t) * (size_t)(v - side->unit->first)); /* any address */
    side->scratch->state[v] = 0;
    side->scratch->order[side->tail] = v;
    side->scratch->parent[side->tail++] = parent;
}

static int plant(Meeting *m, Side *side, const Side *other, const uint32_t *vertices, size_t count)
{
    int met = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t v = vertices[k];
        if (seen_by(side, v) || (m->closed != NULL && bit_of(m->closed, v)))
            continue;
        append(side, v, NONE);
        met |= seen_by(other, v);
    }
    return met;
}

/* Append the fresh neighbours of one place in the order; `inside` limits them to what another side has seen. */
static int reach_from(Meeting *m, Side *side, const Csr *g, uint32_t at, const Side *other, int inside)
{
    uint32_t row = side->scratch->order[at] - g->first;
    int met = 0;
    if (row >= g->rows)
        return 0;
    for (uint32_t e = g->indptr[row], end = g->indptr[row + 1]; e < end; e++) {
        uint32_t w = entry(g, e) & VERTEX_MASK, cls = entry(g, e) >> CLASS_SHIFT;
        if (w - m->least > m->span || !(m->mask >> cls & 1) || seen_by(side, w) || (m->closed != NULL && bit_of(m->closed, w)) || !holds(g, e))
            continue;
        int theirs = seen_by(other, w);
        if (inside && !theirs)
            continue;
        append(side, w, at);
        met |= theirs;
    }
    return met;
}

static int add_zero(Meeting *m, Side *side, const Side *other, uint32_t begin, int inside)
{
    int met = 0;
    if (side->zero != NULL)
        for (uint32_t at = begin, end = side->tail; at < end; at++)
            met |= reach_from(m, side, side->zero, at, other, inside);
    return met;
}

/* One more hop. */
static int grow(Meeting *m, Side *side, const Side *other, const uint32_t *late, size_t waiting)
{
    uint32_t begin = side->begin, end = side->tail;
    int met = plant(m, side, other, late, waiting);
    for (uint32_t at = begin; at < end; at++)
        met |= reach_from(m, side, side->unit, at, other, 0);
    side->begin = end;
    return met | add_zero(m, side, other, end, 0);
}

/* Edges that the next hop of a side looks at, counted until they are at least `enough`; they are asked for meanwhile. */
static uint64_t edges_ahead(const Side *side, uint64_t enough)
{
    const Csr *g = side->unit;
    uint64_t edges = 0;
    for (uint32_t at = side->begin; at < side->tail && edges < enough; at++) {
        uint32_t row = side->scratch->order[at] - g->first;
        edges += row < g->rows ? 1 + g->indptr[row + 1] - g->indptr[row] : 1;
        if (row < g->rows)
            PREFETCH(g->indices + ((size_t)g->indptr[row] << g->timed));
    }
    return edges;
}

/* Place of the first target in the order of the seeds' side, NONE when it has none. */
static uint32_t arrived(const Side *side, uint32_t begin, const uint32_t *targets, size_t count)
{
    for (uint32_t at = begin; at < side->tail; at++)
        for (size_t k = 0; k < count; k++)
            if (side->scratch->order[at] == targets[k])
                return at;
    return NONE;
}

/* The same as `reach_from` inside of what the other side has seen, which is little beside the list: found through the
 * lists of that side's vertices, and put in the order of this one. */
static void reach_back(Meeting *m, Side *side, uint32_t at, const Side *other)
{
    const Csr *g = other->unit;
    uint32_t v = side->scratch->order[at], *order = side->scratch->order, begin = side->tail;
    for (uint32_t k = 0; k < other->tail; k++) {
        uint32_t w = other->scratch->order[k], row = w - g->first, leads = 0;
        if (row >= g->rows || seen_by(side, w))
            continue;
        for (uint32_t e = g->indptr[row], end = g->indptr[row + 1]; e < end; e++)
            leads |= (entry(g, e) & VERTEX_MASK) == v && m->mask >> (entry(g, e) >> CLASS_SHIFT) & 1 && holds(g, e);
        if (!leads)
            continue;
        append(side, w, at);
        for (uint32_t hole = side->tail - 1; hole > begin && m->names[w] < m->names[order[hole - 1]]; hole--) {
            order[hole] = order[hole - 1];
            order[hole - 1] = w;
        }
    }
}

static void go_on_from(Meeting *m, Side *side, uint32_t at)
{
    const Csr *g = side->unit;
    uint32_t row = side->scratch->order[at] - g->first;
    if (m->names != NULL && row < g->rows && (g->indptr[row + 1] - g->indptr[row]) / LOPSIDED > m->to.tail)
        reach_back(m, side, at, &m->to);
    else
        reach_from(m, side, g, at, &m->to, 1);
}

/* Go on from the last hop of the seeds' side, which has met the other, until a target is there. */
static uint32_t go_on(Meeting *m, const uint32_t *targets, size_t count)
{
    Side *side = &m->from;
    uint32_t end = side->tail, found = arrived(side, side->begin, targets, count);
    for (uint32_t at = side->begin; found == NONE && at < end; at++)
        if (seen_by(&m->to, side->scratch->order[at]))
            go_on_from(m, side, at);
    for (uint32_t begin = end; found == NONE && begin < side->tail;) {
        add_zero(m, side, &m->to, begin, 1);
        found = arrived(side, begin, targets, count);
        end = side->tail;
        for (uint32_t at = begin; found == NONE && at < end; at++)
            go_on_from(m, side, at);
        begin = end;
    }
    return found;
}

/* Place of the target at the end of a shortest path in the order of m->from, NONE when there is no path. */
static uint32_t meet(Meeting *m, const uint32_t *seeds, size_t seed_count, const uint32_t *late, size_t waiting,
                     const uint32_t *targets, size_t target_count)
{
    int met = 0;
    plant(m, &m->to, &m->from, targets, target_count);
    add_zero(m, &m->to, &m->from, 0, 0);
    met = plant(m, &m->from, &m->to, seeds, seed_count);
    met |= add_zero(m, &m->from, &m->to, 0, 0);
    if (!met && waiting) /* at once: the other side must not pass them */
        met = grow(m, &m->from, &m->to, late, waiting);
    while (!met) {
        if (m->from.begin == m->from.tail || m->to.begin == m->to.tail)
            return NONE;
        uint64_t there = edges_ahead(&m->to, UINT64_MAX);
        met = edges_ahead(&m->from, there + 1) <= there ? grow(m, &m->from, &m->to, NULL, 0) : grow(m, &m->to, &m->from, NULL, 0);
    }
    return go_on(m, targets, target_count);
}
#endif
