/* What depends on single vertices: dominators, articulation points. */
#ifndef MESHLINE_ANALYSIS_FAILURE_H
#define MESHLINE_ANALYSIS_FAILURE_H

#include "graph.h"

#define ROOT NONE /* the virtual root as a dominator */

typedef struct {
    const Adj *g, *r;
    const uint32_t *component;
    uint32_t *parent; /* out: immediate dominator */
    uint32_t *order;  /* out: a dominator stands before what it dominates */
    uint32_t *rank;   /* work: place in that order; NONE: no dominator known yet */
    uint32_t *stack, *next; /* work */
} Dominance;

static uint32_t meet(const Dominance *q, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (a == ROOT || b == ROOT)
            return ROOT;
        if (q->rank[a] > q->rank[b])
            a = q->parent[a];
        else
            b = q->parent[b];
    }
    return a;
}

/* Vertices of a component in reverse postorder from those that are fed from outside, into order[begin … end - 1]. */
static void arrange(Dominance *q, const uint32_t *own, uint32_t begin, uint32_t end)
{
    uint32_t c = q->component[own[0]], back = end;
    for (uint32_t k = 0; k < end - begin; k++) {
        uint32_t entry = own[k], depth = 0, fed = 0;
        for (uint32_t e = q->r->ptr[entry]; !fed && e < q->r->ptr[entry + 1]; e++)
            fed = q->component[q->r->idx[e]] != c;
        if (!fed || q->next[entry] != NONE)
            continue;
        q->stack[depth++] = entry;
        q->next[entry] = q->g->ptr[entry];
        while (depth) {
            uint32_t v = q->stack[depth - 1];
            if (q->next[v] == q->g->ptr[v + 1]) {
                q->order[--back] = v;
                depth--;
                continue;
            }
            uint32_t w = q->g->idx[q->next[v]++];
            if (q->component[w] == c && q->next[w] == NONE) {
                q->next[w] = q->g->ptr[w];
                q->stack[depth++] = w;
            }
        }
    }
    if (back == end) /* nothing feeds it: all are origins */
        memcpy(q->order + begin, own, (end - begin) * sizeof(uint32_t));
}

static int fed_from_outside(const Dominance *q, const uint32_t *own, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t e = q->r->ptr[own[k]]; e < q->r->ptr[own[k] + 1]; e++)
            if (q->component[q->r->idx[e]] != q->component[own[k]])
                return 1;
    return 0;
}

/* One pass over a component; whether a dominator changed. Of an origin each member stands and falls with all others: the
 * first is put above them. */
static int settle(Dominance *q, uint32_t begin, uint32_t end, int origin)
{
    int changed = 0;
    for (uint32_t k = begin; k < end; k++) {
        uint32_t v = q->order[k], found = origin && k > begin ? q->order[begin] : ROOT, known = 0;
        for (uint32_t e = q->r->ptr[v]; !origin && e < q->r->ptr[v + 1]; e++) {
            uint32_t u = q->r->idx[e];
            if (q->rank[u] == NONE)
                continue;
            found = known ? meet(q, found, u) : u;
            known = 1;
            if (found == ROOT)
                break;
        }
        if (q->rank[v] == NONE || q->parent[v] != found)
            changed = 1;
        q->rank[v] = k;
        q->parent[v] = found;
    }
    return changed;
}

/* `vertices`: by component, components along the flow. */
static void find_dominators(Dominance *q, const uint32_t *vertices)
{
    uint32_t n = q->g->n;
    for (uint32_t begin = 0, end; begin < n; begin = end) {
        uint32_t c = q->component[vertices[begin]];
        for (end = begin + 1; end < n && q->component[vertices[end]] == c;)
            end++;
        int origin = !fed_from_outside(q, vertices + begin, end - begin);
        if (end - begin > 1)
            arrange(q, vertices + begin, begin, end);
        else
            q->order[begin] = vertices[begin];
        while (settle(q, begin, end, origin) && end - begin > 1)
            ;
    }
}

/* -- articulation points, directions ignored */

typedef struct {
    const Adj *g, *r;
    uint32_t *index, *low, *next, *stack;
} Cutting;

static uint32_t beside(const Cutting *q, uint32_t v, uint32_t k)
{
    uint32_t out = q->g->ptr[v + 1] - q->g->ptr[v];
    return k < out ? q->g->idx[q->g->ptr[v] + k] : q->r->idx[q->r->ptr[v] + k - out];
}

static void find_cuts(Cutting *q, uint8_t *cut)
{
    uint32_t n = q->g->n, clock = 0;
    for (uint32_t root = 0; root < n; root++) {
        if (q->index[root] != NONE)
            continue;
        uint32_t depth = 0, children = 0;
        q->stack[depth++] = root;
        q->index[root] = q->low[root] = clock++;
        q->next[root] = 0;
        while (depth) {
            uint32_t v = q->stack[depth - 1], parent = depth > 1 ? q->stack[depth - 2] : NONE;
            uint32_t all = q->g->ptr[v + 1] - q->g->ptr[v] + q->r->ptr[v + 1] - q->r->ptr[v];
            if (q->next[v] < all) {
                uint32_t w = beside(q, v, q->next[v]++);
                if (q->index[w] == NONE) {
                    q->index[w] = q->low[w] = clock++;
                    q->next[w] = 0;
                    q->stack[depth++] = w;
                    children += v == root;
                } else if (w != parent && q->index[w] < q->low[v]) {
                    q->low[v] = q->index[w];
                }
                continue;
            }
            depth--;
            if (parent == NONE)
                continue;
            if (q->low[v] < q->low[parent])
                q->low[parent] = q->low[v];
            if (parent != root && q->low[v] >= q->index[parent])
                cut[parent] = 1;
        }
        cut[root] = children > 1;
    }
}
#endif
