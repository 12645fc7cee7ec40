/* Breadth-first search over a compressed adjacency, with the certainty of the best path in the same pass.
 *
 * A neighbour is one uint32: vertex in the low 29 bits, class of the edge in the high 3 (lineage/graph/arrays.py).
 * What makes it fast:
 *
 * - One byte a vertex says whether it was found, the certainty of the best path so far, and whether its list was read.
 *   The bytes are cleared through the result list, so that no query does work proportional to the graph.
 * - Short adjacency lists are copied with fixed-size copies into a flat buffer that is then filtered without branches,
 *   which saves one mispredicted branch per vertex.
 * - The lines of vertices that come a little later are prefetched.
 *
 * A path is as certain as its weakest edge. A vertex whose certainty improves after its list was read is put on a
 * stack and its list is read again when the search is over; that can happen to a vertex twice at most, and happens to
 * few (3 % on a mesh of a million datasets), because the first way found is mostly a good one.
 *
 * Every array of indices is followed by LANE entries of padding, which the fixed copies may read.
 */
#ifndef MESHLINE_SEARCH_H
#define MESHLINE_SEARCH_H

#include "block.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define CLASS_SHIFT 29
#define VERTEX_MASK ((UINT32_C(1) << CLASS_SHIFT) - 1)
#define CERTAIN_CLASSES 0x09u /* classes 0 and 3 */
#define LANE 16 /* padding behind an array of indices */
#define COPY 8  /* entries of one fixed copy */
#define CHUNK 512
#define BLOCK 256 /* vertices whose lists are looked up together */

/* The byte of a vertex: grade of its best path (0 certain, 1 probable, 2 stale) or UNREACHED, and READ. */
#define UNREACHED 3u
#define READ 4u
#define GRADE 3u

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

/* Adjacency of the vertices first ... first + rows - 1; all others have no neighbour. */
typedef struct {
    uint32_t first, rows;
    const uint32_t *indptr, *indices;
} Csr;

/* Work arrays of one search. Between searches every byte of `state` is UNREACHED and `bits` is all zero. */
typedef struct Scratch {
    uint8_t *state;
    uint64_t *bits;
    uint32_t *order, *parent; /* n + COPY entries, from the pool */
    size_t room;              /* bytes of each of the two */
    uint32_t *stack, *spare;  /* a vertex improves twice at most: 2 n entries */
    struct Scratch *next;
} Scratch;

/* Grade of a path that ends with an edge, by the grade of the path before it and the class of the edge. */
typedef uint8_t Meaning[4 * 8];

typedef struct {
    const Csr *unit, *zero;  /* zero may be NULL */
    const uint64_t *closed;  /* bit per vertex that is neither reached nor passed; may be NULL */
    Meaning meaning;
    Scratch *scratch;
    uint32_t tail, held;
} Search;

static Scratch *scratch_new(uint32_t n)
{
    size_t room = ((size_t)n + COPY) * sizeof(uint32_t);
    Scratch *s = calloc(1, sizeof(Scratch));
    if (s == NULL)
        return NULL;
    s->room = room;
    s->state = room_new((size_t)n + 1);
    s->bits = calloc((size_t)n / 64 + 1, sizeof(uint64_t));
    s->order = pool_take(room);
    s->parent = pool_take(room);
    s->stack = malloc(2 * room);
    s->spare = malloc(2 * room);
    if (s->state != NULL)
        memset(s->state, UNREACHED, (size_t)n + 1);
    return s;
}

static int scratch_complete(const Scratch *s)
{
    return s->state != NULL && s->bits != NULL && s->order != NULL && s->parent != NULL && s->stack != NULL &&
           s->spare != NULL;
}

static void scratch_free(Scratch *s)
{
    free(s->state);
    free(s->bits);
    pool_give(s->order, s->room);
    pool_give(s->parent, s->room);
    free(s->stack);
    free(s->spare);
    free(s);
}

static inline int bit_of(const uint64_t *bits, uint32_t v)
{
    return (int)(bits[v >> 6] >> (v & 63) & 1);
}

static inline void bit_set(uint64_t *bits, uint32_t v)
{
    bits[v >> 6] |= UINT64_C(1) << (v & 63);
}

static inline void bits_clear(uint64_t *bits, const uint32_t *vertices, size_t count)
{
    for (size_t k = 0; k < count; k++)
        bits[vertices[k] >> 6] = 0;
}

static inline void state_clear(uint8_t *state, const uint32_t *vertices, size_t count)
{
    for (size_t k = 0; k < count; k++)
        state[vertices[k]] = UNREACHED;
}

static void meaning_of(uint32_t mask, Meaning meaning)
{
    for (uint32_t own = 0; own < 4; own++)
        for (uint32_t cls = 0; cls < 8; cls++) {
            uint32_t grade = cls % 3, admitted = cls < 6 && own < UNREACHED ? mask >> cls & 1 : 0;
            meaning[own * 8 + cls] = (uint8_t)(!admitted ? UNREACHED : grade > own ? grade : own);
        }
}

/* Neighbours to look at, and to which vertex of the block each belongs: its place, and 8 times its grade. */
typedef struct {
    uint8_t place, grade8;
} Owner;

typedef struct {
    uint32_t packed[CHUNK + COPY], count, base;
    Owner owner[CHUNK + COPY];
} Buffer;

/* Append the fresh ones among the neighbours in the buffer, and empty it. Always inlined with a constant `masked`.
 *
 * Two loops: the first only reads the state, so that many of its far reads are under way at once; what it picks is
 * looked at again by the second, which writes. In one loop each read would wait for the address of the write before. */
static inline void drain_as(Search *q, Buffer *b, int masked)
{
    uint8_t *restrict state = q->scratch->state;
    const uint64_t *restrict closed = q->closed;
    uint32_t *restrict order = q->scratch->order, *restrict parent = q->scratch->parent;
    uint32_t *restrict stack = q->scratch->stack;
    uint32_t tail = q->tail, held = q->held, picked = 0, base = b->base;
    uint16_t pick[CHUNK + COPY];
    uint8_t grades[CHUNK + COPY];
    for (uint32_t k = 0, count = b->count; k < count; k++)
        PREFETCH(state + (b->packed[k] & VERTEX_MASK));
    for (uint32_t k = 0, count = b->count; k < count; k++) {
        uint32_t v = b->packed[k] & VERTEX_MASK;
        uint32_t grade = q->meaning[b->owner[k].grade8 | b->packed[k] >> CLASS_SHIFT];
        if (masked)
            grade |= (uint32_t)-bit_of(closed, v) & UNREACHED;
        pick[picked] = (uint16_t)k;
        grades[picked] = (uint8_t)grade;
        picked += grade < (state[v] & GRADE);
    }
    for (uint32_t j = 0; j < picked; j++) {
        uint32_t k = pick[j], v = b->packed[k] & VERTEX_MASK, grade = grades[j], old = state[v];
        uint32_t better = grade < (old & GRADE);
        state[v] = (uint8_t)(better ? grade | (old & READ) : old);
        stack[held] = v;
        held += better & old >> 2;
        order[tail] = v;
        parent[tail] = base + b->owner[k].place;
        tail += better & (old == UNREACHED);
    }
    q->tail = tail;
    q->held = held;
    b->count = 0;
}

static void drain(Search *q, Buffer *b)
{
    if (q->closed == NULL)
        drain_as(q, b, 0);
    else
        drain_as(q, b, 1);
}

/* Row of a vertex, or `rows` for one that has no list: a computation, since a branch on it would be mispredicted. */
static inline uint32_t row_of(const Csr *g, uint32_t v)
{
    uint32_t row = v - g->first;
    return row ^ ((row ^ g->rows) & -(uint32_t)(row >= g->rows));
}

/* Lists of a few vertices that are read together. */
typedef struct {
    uint32_t begin[BLOCK], end[BLOCK];
    uint8_t grade8[BLOCK];
} Lists;

static inline void look_up_lists(const Search *q, const Csr *g, const uint32_t *list, uint32_t count, Lists *lists)
{
    uint8_t *state = q->scratch->state;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t row = row_of(g, list[k]), begin = g->indptr[row];
        lists->begin[k] = begin;
        lists->end[k] = g->indptr[row + (row < g->rows)];
        PREFETCH(g->indices + begin);
    }
    for (uint32_t k = 0; k < count; k++) {
        uint32_t known = state[list[k]];
        lists->grade8[k] = (uint8_t)((known & GRADE) << 3);
        state[list[k]] = (uint8_t)(known | READ);
    }
}

/* Append the fresh neighbours of list[begin ... end - 1]. */
static void expand(Search *q, const Csr *g, const uint32_t *list, uint32_t begin, uint32_t end)
{
    Buffer b;
    Lists lists;
    const uint32_t *indices = g->indices;
    b.count = 0;
    for (uint32_t base = begin; base < end; base += BLOCK) {
        uint32_t size = end - base < BLOCK ? end - base : BLOCK;
        look_up_lists(q, g, list + base, size, &lists);
        for (uint32_t k = base + BLOCK; k < end && k < base + 2 * BLOCK; k++)
            PREFETCH(g->indptr + row_of(g, list[k]));
        b.base = base;
        uint32_t count = 0;
        for (uint32_t k = 0; k < size; k++) {
            uint32_t next = lists.begin[k], last = lists.end[k];
            Owner owner = {(uint8_t)k, lists.grade8[k]};
            uint16_t one;
            memcpy(&one, &owner, sizeof(one));
            uint64_t owners = UINT64_C(0x0001000100010001) * one;
            do { /* at least once: a branch on an empty list would be mispredicted */
                uint32_t some = last - next < COPY ? last - next : COPY;
                memcpy(b.packed + count, indices + next, COPY * sizeof(uint32_t));
                memcpy(b.owner + count, &owners, sizeof(owners));
                memcpy(b.owner + count + 4, &owners, sizeof(owners));
                next += some;
                count += some;
                if (count >= CHUNK) {
                    b.count = count;
                    drain(q, &b);
                    count = 0;
                }
            } while (next < last);
        }
        b.count = count;
        drain(q, &b);
    }
}

/* Start from some vertices, whose grades are given. */
static void sow(Search *q, const uint32_t *seeds, const uint8_t *grades, size_t count)
{
    Scratch *s = q->scratch;
    for (size_t k = 0; k < count; k++) {
        uint32_t v = seeds[k], old = s->state[v];
        if (grades[k] >= (old & GRADE) || (q->closed != NULL && bit_of(q->closed, v)))
            continue;
        s->state[v] = (uint8_t)(grades[k] | (old & READ));
        if (old == UNREACHED) {
            s->order[q->tail] = v;
            s->parent[q->tail++] = NONE;
        } else if (old & READ)
            s->stack[q->held++] = v;
    }
}

/* Read the lists of all vertices again that were found to be more certain after it. Only when the search is complete,
 * so that nothing fresh is found: what was not reached then is closed. */
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
