/* The hops of a breadth-first search: where it starts, where each ends, and the certainty that improved late. */
#ifndef MESHLINE_HOPS_H
#define MESHLINE_HOPS_H

#include "expand.h"

/* Start from some vertices, whose grades are given. */
static void sow(Search *q, const uint32_t *seeds, const uint8_t *grades, size_t count)
{
    Scratch *s = q->scratch;
    for (size_t k = 0; k < count; k++) {
        uint32_t v = seeds[k], old = s->state[v];
        if (grades[k] >= (old & GRADE))
            continue;
        s->state[v] = (uint8_t)(grades[k] | (old & READ));
        if (old == UNREACHED) {
            s->order[q->tail] = v;
            s->parent[q->tail++] = NONE;
        } else if (old & READ)
            s->stack[q->held++] = v;
    }
}

/* Read the lists of all vertices again that were found to be more certain after it. At the end of a hop, so that nothing
 * fresh is found: all that a list leads to was found when it was read, or is closed. */
static void settle(Search *q)
{
    while (q->held) {
        uint32_t count = q->held, *again = q->scratch->stack;
        q->scratch->stack = q->scratch->spare;
        q->scratch->spare = again;
        q->held = 0;
        expand(q, q->unit, again, 0, count);
        if (q->zero != NULL)
            expand(q, q->zero, again, 0, count);
    }
}

/* Begin of each hop, growing. */
typedef struct {
    uint32_t *at, few[64];
    size_t count, room;
} Levels;

static void levels_begin(Levels *levels)
{
    levels->at = levels->few;
    levels->room = 64;
    levels->at[0] = 0;
    levels->count = 1;
}

static void levels_end(Levels *levels)
{
    if (levels->at != levels->few)
        free(levels->at);
}

static int levels_push(Levels *levels, uint32_t position)
{
    if (levels->count == levels->room) {
        int small = levels->at == levels->few;
        uint32_t *more = realloc(small ? NULL : levels->at, 2 * levels->room * sizeof(uint32_t));
        if (more == NULL)
            return -1;
        if (small)
            memcpy(more, levels->few, sizeof(levels->few));
        levels->at = more;
        levels->room *= 2;
    }
    levels->at[levels->count++] = position;
    return 0;
}

/* Finish a hop that began at `begin`: what zero edges add to it, then its end. */
static int close_level(Search *q, Levels *levels, uint32_t begin)
{
    if (q->zero != NULL)
        expand(q, q->zero, q->scratch->order, begin, q->tail);
    return levels_push(levels, q->tail);
}
#endif
