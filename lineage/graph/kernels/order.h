/* Order of the vertices along the flow, and strongly connected components.
 *
 * Lineage is almost acyclic. Peeling sinks off the end and sources off the front (Kahn) orders nearly everything;
 * Tarjan's algorithm, without recursion, orders the small core that is left. True sinks come last of all, so that the
 * row pointers of a search need not reach that far.
 */
#ifndef MESHLINE_ORDER_H
#define MESHLINE_ORDER_H

#include "search.h"

typedef struct {
    uint32_t *order;     /* out: vertices along the flow */
    uint32_t *component; /* out: by vertex; ascending along the flow */
    uint32_t components;
    uint32_t *left;  /* work: open neighbours on the side that is being peeled; later Tarjan's index */
    uint32_t *low;   /* work */
    uint32_t *stack; /* work */
    uint32_t *next;  /* work */
    uint8_t *done;   /* work: 1 peeled, 2 on Tarjan's stack */
} Order;

static inline uint32_t list_begin(const Csr *g, uint32_t v)
{
    uint32_t row = v - g->first;
    return row < g->rows ? g->indptr[row] : 0;
}

static inline uint32_t list_end(const Csr *g, uint32_t v)
{
    uint32_t row = v - g->first;
    return row < g->rows ? g->indptr[row + 1] : 0;
}

/* Peel vertices without open neighbours in `ahead`; a peeled one closes itself for its neighbours in `behind`.
 * They are appended to `out` in the order in which they come off. */
static uint32_t peel(Order *o, const Csr *ahead, const Csr *behind, uint32_t n, uint32_t *out)
{
    uint32_t tail = 0;
    for (uint32_t v = 0; v < n; v++) {
        if (o->done[v])
            continue;
        uint32_t open = 0;
        for (uint32_t e = list_begin(ahead, v), end = list_end(ahead, v); e < end; e++)
            open += !o->done[ahead->indices[e] & VERTEX_MASK];
        o->left[v] = open;
        if (open == 0)
            out[tail++] = v;
    }
    for (uint32_t at = 0; at < tail; at++) {
        uint32_t v = out[at];
        o->done[v] = 1;
        for (uint32_t e = list_begin(behind, v), end = list_end(behind, v); e < end; e++) {
            uint32_t w = behind->indices[e] & VERTEX_MASK;
            if (!o->done[w] && --o->left[w] == 0)
                out[tail++] = w;
        }
    }
    return tail;
}

/* Components of what is left, written backwards (Tarjan finds the last one first): order[*back - 1] is the first
 * place to fill, `*last` the component id to give next. */
static void tarjan(Order *o, const Csr *g, uint32_t root, uint32_t *clock, uint32_t *back, uint32_t *last)
{
    uint32_t depth = 0, held = 0, *path = o->stack, *pending = o->next;
    /* `path` grows from the front (call stack), Tarjan's own stack from where order[] is still free. */
    uint32_t *own = o->order;
    path[depth++] = root;
    pending[root] = list_begin(g, root);
    o->left[root] = o->low[root] = (*clock)++;
    o->done[root] = 2;
    own[held++] = root;
    while (depth) {
        uint32_t v = path[depth - 1];
        if (pending[v] < list_end(g, v)) {
            uint32_t w = g->indices[pending[v]++] & VERTEX_MASK;
            if (o->done[w] == 1)
                continue;
            if (o->left[w] == NONE) {
                path[depth++] = w;
                pending[w] = list_begin(g, w);
                o->left[w] = o->low[w] = (*clock)++;
                o->done[w] = 2;
                own[held++] = w;
            } else if (o->left[w] < o->low[v]) {
                o->low[v] = o->left[w];
            }
            continue;
        }
        depth--;
        if (depth && o->low[v] < o->low[path[depth - 1]])
            o->low[path[depth - 1]] = o->low[v];
        if (o->low[v] != o->left[v])
            continue;
        uint32_t w;
        (*last)--;
        do {
            w = own[--held];
            o->done[w] = 1;
            o->component[w] = *last;
            o->order[--(*back)] = w;
        } while (w != v);
    }
}

/* All of it: order along the flow and components. */
static int order_vertices(const Csr *down, const Csr *up, uint32_t n, Order *o)
{
    size_t room = ((size_t)n + 1) * sizeof(uint32_t);
    uint32_t *front = malloc(room), *end = malloc(room), *core = malloc(room);
    o->left = malloc(room);
    o->low = malloc(room);
    o->stack = malloc(room);
    o->next = malloc(room);
    o->done = calloc((size_t)n + 1, 1);
    int failed = !front || !end || !core || !o->left || !o->low || !o->stack || !o->next || !o->done;
    if (!failed) {
        uint32_t first = 0;
        for (uint32_t v = 0; v < n; v++) /* true sources come first of all, for the searches upstream */
            if (list_begin(up, v) == list_end(up, v) && list_begin(down, v) != list_end(down, v)) {
                o->done[v] = 1;
                front[first++] = v;
            }
        uint32_t last = peel(o, down, up, n, end);    /* sinks, and what leads to sinks only */
        first += peel(o, up, down, n, front + first); /* what comes from sources only */
        uint32_t middle = n - first - last, clock = 0, back = middle, left = n;
        for (uint32_t v = 0; v < n; v++)
            o->left[v] = NONE;
        for (uint32_t v = 0; v < n; v++)
            if (!o->done[v])
                tarjan(o, down, v, &clock, &back, &left);
        uint32_t cores = n - left; /* components of the core; numbered left ... n - 1 so far */
        memcpy(core, o->order, middle * sizeof(uint32_t));
        for (uint32_t k = 0; k < middle; k++)
            o->component[core[k]] = o->component[core[k]] - left + first;
        memcpy(o->order + first, core, middle * sizeof(uint32_t));
        for (uint32_t k = 0; k < first; k++) {
            o->order[k] = front[k];
            o->component[front[k]] = k;
        }
        for (uint32_t k = 0; k < last; k++) {
            o->order[n - 1 - k] = end[k];
            o->component[end[k]] = first + cores + (last - 1 - k);
        }
        o->components = first + cores + last;
    }
    free(front);
    free(end);
    free(core);
    free(o->left);
    free(o->low);
    free(o->stack);
    free(o->next);
    free(o->done);
    return failed ? -1 : 0;
}
#endif
