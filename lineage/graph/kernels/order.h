/* Order of the vertices along the flow, and strongly connected components.
 *
 * Tarjan's algorithm, without recursion, orders the vertices depth first, so that what is reached from one vertex lies
 * close together (measured against an order by waves: a closure of a hub in half the time). True sources stand before
 * all others and true sinks behind them: row pointers of a search need not reach that far.
 */
#ifndef MESHLINE_ORDER_H
#define MESHLINE_ORDER_H

#include "search.h"

enum { PLACED = 1, SOURCE, SINK };
#define GONE (NONE - 1) /* `left` of what Tarjan's algorithm is done with: later than any other, so it lowers none */

typedef struct {
    uint32_t *order;     /* out: vertices along the flow */
    uint32_t *component; /* out: by vertex; ascending along the flow */
    uint32_t components;
    struct Seen *seen; /* work: what is known of a vertex */
    uint8_t *end;      /* work: SOURCE or SINK until it is placed; in the near cache, where `seen` is not */
    uint32_t *stack;   /* work */
} Order;

/* All that Tarjan's algorithm asks of a vertex, its list included, in one place: one line of cache for each. */
typedef struct Seen {
    uint32_t left, low; /* his index, NONE before; the least one known to be reached */
    uint32_t next, end; /* the edge to follow next, and where its list ends */
} Seen;

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

/* Ask for what is known of the first neighbours of a vertex. */
static inline void ask_seen(const Seen *seen, const Csr *g, uint32_t v)
{
    enum { MOST = 8 };
    uint32_t begin = seen[v].next, end = seen[v].end;
    end = end - begin > MOST ? begin + MOST : end;
    for (uint32_t e = begin; e < end; e++)
        PREFETCH(seen + (g->indices[e] & VERTEX_MASK));
}

/* Append the vertices marked `mark` in the order in which they are neighbours of `along`, then the others of them, so
 * that the sinks (or sources) of one vertex are next to each other. */
static uint32_t follow(Order *o, const Csr *g, const uint32_t *along, uint32_t count, uint32_t n, uint32_t mark,
                       uint32_t *out)
{
    enum { SOON_ROW = 24, SOON_LIST = 12 }; /* vertices by which each is asked for before it is used */
    uint32_t tail = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (k + SOON_ROW < count)
            PREFETCH((uintptr_t)g->indptr + sizeof(uint32_t) * (size_t)(along[k + SOON_ROW] - g->first));
        if (k + SOON_LIST < count)
            PREFETCH(g->indices + list_begin(g, along[k + SOON_LIST]));
        for (uint32_t e = list_begin(g, along[k]), end = list_end(g, along[k]); e < end; e++) {
            uint32_t w = g->indices[e] & VERTEX_MASK;
            if (o->end[w] == mark) {
                o->end[w] = PLACED;
                out[tail++] = w;
            }
        }
    }
    for (uint32_t v = 0; v < n; v++)
        if (o->end[v] == mark) {
            o->end[v] = PLACED;
            out[tail++] = v;
        }
    return tail;
}

/* Components of what is left, written backwards (Tarjan finds the last one first): order[*back - 1] is the first
 * place to fill, `*last` the component id to give next. */
static void tarjan(Order *o, const Csr *g, uint32_t root, uint32_t *clock, uint32_t *back, uint32_t *last)
{
    uint32_t depth = 0, held = 0, *path = o->stack;
    Seen *seen = o->seen;
    /* `path` grows from the front (call stack), Tarjan's own stack from where order[] is still free. */
    uint32_t *own = o->order;
    path[depth++] = root;
    ask_seen(seen, g, root);
    seen[root].left = seen[root].low = (*clock)++;
    own[held++] = root;
    while (depth) {
        Seen *top = seen + path[depth - 1];
        if (top->next < top->end) {
            uint32_t w = g->indices[top->next++] & VERTEX_MASK;
            if (seen[w].left == NONE) {
                path[depth++] = w;
                ask_seen(seen, g, w);
                if (top->next < top->end) /* the list that is read after all that hangs on w */
                    PREFETCH(g->indices + seen[g->indices[top->next] & VERTEX_MASK].next);
                seen[w].left = seen[w].low = (*clock)++;
                own[held++] = w;
            } else if (seen[w].left < top->low) {
                top->low = seen[w].left;
            }
            continue;
        }
        uint32_t v = path[--depth];
        if (depth && top->low < seen[path[depth - 1]].low)
            seen[path[depth - 1]].low = top->low;
        if (top->low != top->left)
            continue;
        uint32_t w;
        (*last)--;
        do {
            w = own[--held];
            seen[w].left = GONE;
            o->component[w] = *last;
            o->order[--(*back)] = w;
        } while (w != v);
    }
}

/* All of it: order along the flow and components. */
static int order_vertices(const Csr *down, const Csr *up, uint32_t n, Order *o)
{
    o->stack = malloc(((size_t)n + 1) * sizeof(uint32_t));
    o->seen = room_new(((size_t)n + 1) * sizeof(Seen));
    o->end = malloc((size_t)n + 1);
    int failed = !o->stack || !o->seen || !o->end;
    if (!failed) {
        uint32_t sources = 0, sinks = 0, clock = 0;
        for (uint32_t v = 0; v < n; v++) {
            uint32_t begin = list_begin(down, v), end = list_end(down, v);
            int leads = begin != end, comes = list_begin(up, v) != list_end(up, v);
            o->end[v] = !leads ? SINK : !comes ? SOURCE : 0;
            o->seen[v] = (Seen){o->end[v] ? GONE : NONE, NONE, begin, end};
            sinks += !leads;
            sources += leads && !comes;
        }
        uint32_t middle = n - sources - sinks, back = middle, left = n;
        for (uint32_t v = 0; v < n; v++)
            if (o->seen[v].left == NONE)
                tarjan(o, down, v, &clock, &back, &left);
        memmove(o->order + sources, o->order, middle * sizeof(uint32_t));
        follow(o, up, o->order + sources, middle, n, SOURCE, o->order);
        follow(o, down, o->order, sources + middle, n, SINK, o->order + sources + middle);
        uint32_t cores = n - left; /* components between sources and sinks, numbered left ... n - 1 so far */
        for (uint32_t k = 0; k < n; k++) {
            uint32_t v = o->order[k];
            o->component[v] = k < sources            ? k
                              : k < sources + middle ? o->component[v] - left + sources
                                                     : sources + cores + (k - sources - middle);
        }
        o->components = sources + cores + sinks;
    }
    free(o->stack);
    free(o->seen);
    free(o->end);
    return failed ? -1 : 0;
}
#endif
