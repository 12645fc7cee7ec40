/* Breadth-first search over a compressed adjacency.
 *
 * A neighbour is one uint32: vertex in the low 29 bits, class of the edge in the high 3 (lineage/graph/arrays.py).
 * Three things make it fast. The visited set is a bitmap that is cleared through the result list, so that no query
 * does work proportional to the graph. Short adjacency lists are copied with one fixed 64-byte copy into a flat buffer
 * that is then filtered without branches, which saves one mispredicted branch per vertex. The lines of vertices that
 * come a little later are prefetched.
 *
 * Every array of indices is followed by LANE entries of padding, which the fixed copy may read.
 */
#ifndef MESHLINE_SEARCH_H
#define MESHLINE_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define CLASS_SHIFT 29
#define VERTEX_MASK ((UINT32_C(1) << CLASS_SHIFT) - 1)
#define CERTAIN_CLASSES 0x09u /* classes 0 and 3 */
#define LANE 16
#define CHUNK 512
#define AHEAD_LIST 8
#define AHEAD_ROW 16

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

/* Work arrays of one search; bitmaps are all zero between searches. */
typedef struct Scratch {
    uint64_t *bits, *more_bits;
    uint32_t *order, *parent; /* n + 1 entries */
    uint8_t *grade;
    struct Scratch *next;
} Scratch;

typedef struct {
    const Csr *unit, *zero; /* zero may be NULL */
    const uint32_t *public_of;
    const uint8_t *blocked; /* by dense index; may be NULL */
    uint32_t mask;
    Scratch *scratch;
    uint32_t tail;
    uint32_t classes;
    uint64_t edges, certain;
} Search;

static Scratch *scratch_new(uint32_t n)
{
    size_t words = (size_t)n / 64 + 1;
    Scratch *s = calloc(1, sizeof(Scratch));
    if (s == NULL)
        return NULL;
    s->bits = calloc(words, sizeof(uint64_t));
    s->more_bits = calloc(words, sizeof(uint64_t));
    s->order = malloc(((size_t)n + 1) * sizeof(uint32_t));
    s->parent = malloc(((size_t)n + 1) * sizeof(uint32_t));
    s->grade = malloc((size_t)n + 1);
    return s;
}

static void scratch_free(Scratch *s)
{
    free(s->bits);
    free(s->more_bits);
    free(s->order);
    free(s->parent);
    free(s->grade);
    free(s);
}

static inline int bit_of(const uint64_t *bits, uint32_t v)
{
    return (int)(bits[v >> 6] >> (v & 63) & 1);
}

static inline void bits_set(uint64_t *bits, const uint32_t *vertices, size_t count)
{
    for (size_t k = 0; k < count; k++)
        bits[vertices[k] >> 6] |= UINT64_C(1) << (vertices[k] & 63);
}

static inline void bits_clear(uint64_t *bits, const uint32_t *vertices, size_t count)
{
    for (size_t k = 0; k < count; k++)
        bits[vertices[k] >> 6] = 0;
}

/* Which neighbours are blocked. What was visited is not: for it the question is turned to vertex 0, which is cached.
 * Two plain loops, so that many of these far reads are under way at once. */
static void look_up_blocked(const Search *q, const uint32_t *packed, uint32_t count, uint8_t *closed)
{
    uint32_t dense[CHUNK + LANE];
    for (uint32_t k = 0; k < count; k++) {
        uint32_t v = packed[k] & VERTEX_MASK;
        dense[k] = q->public_of[bit_of(q->scratch->bits, v) ? 0 : v];
    }
    for (uint32_t k = 0; k < count; k++)
        closed[k] = q->blocked[dense[k]] != 0;
}

/* Append the fresh ones among `count` neighbours. Always inlined with a constant `masked`, so that a search without
 * blocked nodes does not ask for them. */
static inline void filter_as(Search *q, const uint32_t *restrict packed, const uint32_t *restrict from, uint32_t count,
                             int counted, int masked)
{
    uint64_t *restrict bits = q->scratch->bits;
    uint32_t *restrict order = q->scratch->order, *restrict parent = q->scratch->parent;
    uint8_t closed[CHUNK + LANE];
    uint32_t tail = q->tail, mask = q->mask, classes = q->classes, edges = 0, certain = 0;
    if (masked)
        look_up_blocked(q, packed, count, closed);
    for (uint32_t k = 0; k < count; k++) {
        uint32_t v = packed[k] & VERTEX_MASK, cls = packed[k] >> CLASS_SHIFT;
        uint32_t admitted = mask >> cls & 1;
        uint64_t word = bits[v >> 6];
        uint32_t fresh = admitted & ~(uint32_t)(word >> (v & 63));
        if (masked) {
            uint32_t refused = fresh & closed[k];
            fresh ^= refused;
            admitted ^= refused;
        }
        bits[v >> 6] = word | (uint64_t)fresh << (v & 63);
        order[tail] = v;
        parent[tail] = from[k];
        tail += fresh;
        classes |= admitted << cls;
        edges += admitted;
        certain += admitted & CERTAIN_CLASSES >> cls;
    }
    q->tail = tail;
    q->classes = classes;
    if (counted) {
        q->edges += edges;
        q->certain += certain;
    }
}

static void filter(Search *q, const uint32_t *packed, const uint32_t *from, uint32_t count, int counted)
{
    if (q->blocked == NULL)
        filter_as(q, packed, from, count, counted, 0);
    else
        filter_as(q, packed, from, count, counted, 1);
}

static inline void lane(uint32_t *to, uint32_t *from, const uint32_t *indices, uint32_t position)
{
    memcpy(to, indices, LANE * sizeof(uint32_t));
    for (int k = 0; k < LANE; k++)
        from[k] = position;
}

/* Append the fresh neighbours of order[begin ... end - 1]. */
static void expand(Search *q, const Csr *g, uint32_t begin, uint32_t end, int counted)
{
    uint32_t packed[CHUNK + LANE], from[CHUNK + LANE], count = 0;
    const uint32_t *order = q->scratch->order;
    for (uint32_t at = begin; at < end; at++) {
        if (end - at > AHEAD_ROW) {
            uint32_t row = order[at + AHEAD_ROW] - g->first;
            if (row < g->rows)
                PREFETCH(g->indptr + row);
            row = order[at + AHEAD_LIST] - g->first;
            if (row < g->rows)
                PREFETCH(g->indices + g->indptr[row]);
        }
        uint32_t row = order[at] - g->first;
        if (row >= g->rows)
            continue;
        uint32_t next = g->indptr[row], last = g->indptr[row + 1];
        while (next < last) {
            uint32_t size = last - next < LANE ? last - next : LANE;
            lane(packed + count, from + count, g->indices + next, at);
            next += size;
            count += size;
            if (count >= CHUNK) {
                filter(q, packed, from, count, counted);
                count = 0;
            }
        }
    }
    filter(q, packed, from, count, counted);
}

/* Append the fresh ones among some seeds, as roots. */
static void sow(Search *q, const uint32_t *seeds, size_t count)
{
    Scratch *s = q->scratch;
    for (size_t k = 0; k < count; k++) {
        uint32_t v = seeds[k];
        if (bit_of(s->bits, v) || (q->blocked != NULL && q->blocked[q->public_of[v]]))
            continue;
        s->bits[v >> 6] |= UINT64_C(1) << (v & 63);
        s->order[q->tail] = v;
        s->parent[q->tail++] = NONE;
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
        expand(q, q->zero, begin, q->tail, 0);
    return levels_push(levels, q->tail);
}
#endif
