/* Strongly connected components in topological order.
 *
 * A cycle needs an edge that leads to a smaller number, and every vertex of a cycle lies in the union of the ranges
 * that such edges span. So where the numbering follows the flow (that of a snapshot does), all but a few ranges are
 * settled by one pass over the edges. Else vertices are peeled off from both ends first, while nothing is left that
 * leads to them, or from them; Tarjan's algorithm runs over the rest.
 */
#ifndef MESHLINE_ANALYSIS_COMPONENTS_H
#define MESHLINE_ANALYSIS_COMPONENTS_H

#include "graph.h"

#define DONE (NONE - 1)

typedef struct {
    uint32_t *left;  /* Tarjan's index; NONE: not seen, DONE: component known */
    uint32_t *low;
    uint32_t *next;  /* next edge to look at */
    uint32_t *path;  /* call stack */
    uint32_t *own;   /* Tarjan's stack */
} Tarjan;

/* Components of what is reached from `root`, within [low, high), written backwards from order[*back]. */
static void tarjan(Tarjan *t, const Adj *g, uint32_t root, uint32_t low, uint32_t high, uint32_t *clock,
                   uint32_t *order, uint32_t *back, uint32_t *component)
{
    uint32_t depth = 0, held = 0;
    t->path[depth++] = t->own[held++] = root;
    t->next[root] = g->ptr[root];
    t->left[root] = t->low[root] = (*clock)++;
    while (depth) {
        uint32_t v = t->path[depth - 1], e = t->next[v], end = g->ptr[v + 1], least = t->low[v], found = NONE;
        while (e < end) {
            uint32_t w = g->idx[e++];
            if (w < low || w >= high)
                continue;
            if (t->left[w] == NONE) {
                found = w;
                break;
            }
            least = t->left[w] < least ? t->left[w] : least; /* DONE is greater than any */
        }
        t->next[v] = e;
        t->low[v] = least;
        if (found != NONE) {
            t->path[depth++] = t->own[held++] = found;
            t->next[found] = g->ptr[found];
            t->left[found] = t->low[found] = (*clock)++;
            continue;
        }
        depth--;
        if (depth && least < t->low[t->path[depth - 1]])
            t->low[t->path[depth - 1]] = least;
        if (least != t->left[v])
            continue;
        uint32_t w;
        do {
            w = t->own[--held];
            t->left[w] = DONE;
            component[w] = v;
            order[--(*back)] = w;
        } while (w != v);
    }
}

/* Vertices peeled off the front (into order[0 …]) and the back (into order[… n - 1]); both are marked DONE. */
static void peel(const Adj *g, const Adj *r, uint32_t *open, uint32_t *left, uint32_t *order, uint32_t *front,
                 uint32_t *back)
{
    for (int side = 0; side < 2; side++) {
        const Adj *onward = side ? r : g, *inward = side ? g : r;
        uint32_t head = 0, tail = 0;
        for (uint32_t v = 0; v < g->n; v++) {
            if (left[v] == DONE)
                continue;
            open[v] = inward->ptr[v + 1] - inward->ptr[v];
            for (uint32_t e = inward->ptr[v]; e < inward->ptr[v + 1]; e++)
                open[v] -= inward->idx[e] == v;
            if (!open[v]) {
                left[v] = DONE;
                order[side ? *back - 1 - tail : tail] = v;
                tail++;
            }
        }
        for (; head < tail; head++) {
            uint32_t v = order[side ? *back - 1 - head : head];
            for (uint32_t e = onward->ptr[v]; e < onward->ptr[v + 1]; e++) {
                uint32_t w = onward->idx[e];
                if (w == v || left[w] == DONE || --open[w])
                    continue;
                left[w] = DONE;
                order[side ? *back - 1 - tail : tail] = w;
                tail++;
            }
        }
        if (side)
            *back -= tail;
        else
            *front = tail;
    }
}

/* For each vertex the greatest one that leads to it from behind or from itself; how many lie in ranges of such edges. */
static uint32_t ranges_of(const Adj *g, uint32_t *until)
{
    for (uint32_t v = 0; v < g->n; v++)
        until[v] = v;
    for (uint32_t v = 0; v < g->n; v++)
        for (uint32_t e = g->ptr[v]; e < g->ptr[v + 1]; e++)
            if (g->idx[e] < v)
                until[g->idx[e]] = v; /* v ascends */
    uint32_t inside = 0;
    for (uint32_t v = 0; v < g->n;) {
        uint32_t begin = v, end = until[v];
        for (; v <= end; v++)
            end = until[v] > end ? until[v] : end;
        until[begin] = end;
        inside += end > begin ? end - begin + 1 : 0;
    }
    return inside;
}

/* Number the components along the order; component[v] names any vertex of it before. */
static uint32_t number_components(uint32_t n, const uint32_t *order, uint32_t *component)
{
    uint32_t count = 0, last = NONE;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = order[k], name = component[v];
        count += name != last;
        last = name;
        component[v] = count - 1;
    }
    return count;
}

/* `depth_first`: in the order in which one depth-first search from vertex 0, 1, … completes them, last one first. */
static int find_components(const Adj *g, const Adj *r, int depth_first, uint32_t *component, uint32_t *order,
                           uint32_t *count)
{
    uint32_t n = g->n, clock = 0;
    size_t room = ((size_t)n + 1) * sizeof(uint32_t);
    Tarjan t = {malloc(room), malloc(room), malloc(room), malloc(room), malloc(room)};
    int failed = !t.left || !t.low || !t.next || !t.path || !t.own;
    if (!failed) {
        uint32_t *until = t.own; /* not in use at the same time */
        uint32_t inside = depth_first ? n : ranges_of(g, until);
        for (uint32_t v = 0; v < n; v++)
            component[v] = v;
        if (!depth_first && inside <= n / 2) {
            uint32_t *range_end = component; /* its entries are restored below */
            for (uint32_t v = 0; v < n;) {
                uint32_t end = until[v];
                range_end[v] = end;
                v = end + 1;
            }
            for (uint32_t v = 0; v < n;) {
                uint32_t end = range_end[v], back = end + 1;
                component[v] = v;
                if (end == v)
                    order[v] = v;
                else {
                    for (uint32_t w = v; w <= end; w++)
                        t.left[w] = NONE;
                    for (uint32_t w = v; w <= end; w++)
                        if (t.left[w] == NONE)
                            tarjan(&t, g, w, v, end + 1, &clock, order, &back, component);
                }
                v = end + 1;
            }
        } else {
            uint32_t front = 0, back = n;
            memset(t.left, 0xFF, room);
            if (!depth_first)
                peel(g, r, t.low, t.left, order, &front, &back);
            for (uint32_t v = 0; v < n; v++)
                if (t.left[v] == NONE)
                    tarjan(&t, g, v, 0, n, &clock, order, &back, component);
        }
        *count = number_components(n, order, component);
    }
    free(t.left);
    free(t.low);
    free(t.next);
    free(t.path);
    free(t.own);
    return failed ? -1 : 0;
}

/* Vertices by the length of the longest path to them, in the order in which a queue gets them (Kahn); what a cycle holds
 * back is left out. `levels` has room for n + 1 begins. */
static uint32_t find_generations(const Adj *g, uint32_t *open, uint32_t *order, uint32_t *levels, uint32_t *count)
{
    uint32_t tail = 0, begin = 0;
    memset(open, 0, (size_t)g->n * sizeof(uint32_t));
    for (uint32_t e = 0; e < g->ptr[g->n]; e++)
        open[g->idx[e]]++;
    for (uint32_t v = 0; v < g->n; v++)
        if (!open[v])
            order[tail++] = v;
    *count = 0;
    levels[(*count)++] = 0;
    while (begin < tail) {
        uint32_t end = tail;
        levels[(*count)++] = end;
        for (uint32_t k = begin; k < end; k++)
            for (uint32_t e = g->ptr[order[k]]; e < g->ptr[order[k] + 1]; e++)
                if (!--open[g->idx[e]])
                    order[tail++] = g->idx[e];
        begin = end;
    }
    return tail;
}

/* Edges between components, each once, lists ascending; `heads` has room for all edges. */
static int condense_graph(const Adj *g, const uint32_t *component, const uint32_t *order, uint32_t count, uint32_t *ptr,
                          uint32_t *heads)
{
    uint32_t *mark = malloc(((size_t)count + 1) * sizeof(uint32_t)), tail = 0, at = 0;
    if (mark == NULL)
        return -1;
    memset(mark, 0xFF, ((size_t)count + 1) * sizeof(uint32_t));
    for (uint32_t c = 0; c < count; c++) {
        ptr[c] = tail;
        mark[c] = c;
        for (; at < g->n && component[order[at]] == c; at++)
            for (uint32_t e = g->ptr[order[at]]; e < g->ptr[order[at] + 1]; e++) {
                uint32_t d = component[g->idx[e]];
                if (mark[d] != c) {
                    mark[d] = c;
                    heads[tail++] = d;
                }
            }
        sort_numbers(heads + ptr[c], tail - ptr[c]);
    }
    ptr[count] = tail;
    free(mark);
    return 0;
}
#endif
