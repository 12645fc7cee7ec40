/* Breadth-first search over a compressed adjacency, with the certainty of the best path in the same pass.
 *
 * A neighbour is one uint32: vertex in the low 29 bits, class of the edge in the high 3 (lineage/graph/arrays.py). One
 * byte a vertex says whether it was found, the certainty of the best path so far, and whether its list was read. The
 * bytes are cleared through the result list, so that no query does work proportional to the graph. Vertices that a
 * question bars have the byte of one that cannot be improved: then no step asks for them. The work arrays stay marked
 * for the next question with the same bar. How a hop is made is told in expand.h.
 *
 * A path is as certain as its weakest edge. A vertex that is found to be more certain after its list was
 * read is put on a stack, and its list is read again at the end of the hop, when few of those it leads to have been
 * read themselves (at the end of the search that would be twice as many). It can happen to a vertex twice at most.
 *
 * Every array of indices is followed by LANE entries of padding, which copies of a fixed size may read.
 *
 * In an adjacency *through time* each neighbour is followed by the number of the span of time over which the edge holds.
 * A question about one instant has one bit for each span: whether the instant lies in it. An edge that does not hold is
 * passed over inside the loop, as one of a class that is not admitted. So one adjacency answers at every instant.
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
#define LANE 16  /* padding behind an array of indices */
#define ROOM 64  /* behind an order, for what is written before it is known whether it counts */

/* The byte of a vertex: grade of its best path (0 certain, 1 probable, 2 stale) or UNREACHED, and READ. */
#define UNREACHED 3u
#define GRADE 3u
#define READ 4u
#define BARRED 0u /* as if found, and certain */

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch((const void *)(address))
#define PREFETCH_SOME(address) __builtin_prefetch((const void *)(address), 0, 2) /* not into the nearest cache */
#else
#define PREFETCH(address) ((void)(address))
#define PREFETCH_SOME(address) ((void)(address))
#endif

/* Adjacency of the vertices first ... first + rows - 1; all others have no neighbour. `timed` is 1 when each neighbour is
 * followed by a span, and then `alive` has a bit for each span. */
typedef struct {
    uint32_t first, rows;
    const uint32_t *indptr, *indices;
    int timed;
    const uint64_t *alive;
} Csr;

/* Work arrays of one search. Between searches every byte of `state` is UNREACHED, or BARRED as `marks` tells, and
 * `bits` is all zero. */
typedef struct Scratch {
    Py_buffer marks; /* bit per vertex that is neither reached nor passed; without memory when there is none */
    uint8_t *state;
    uint64_t *bits;
    uint32_t *order, *parent; /* n + ROOM entries, from the pool */
    size_t room;              /* bytes of each of the two */
    uint32_t *stack, *spare;  /* a vertex improves twice at most: 2 n entries */
    struct Scratch *next;
} Scratch;

/* Grade of an edge by its class, UNREACHED when it is not admitted. */
typedef uint32_t Meaning[8];

typedef struct {
    const Csr *unit, *zero;  /* zero may be NULL */
    const uint32_t *names;   /* of the vertices, as the answer calls them */
    Meaning meaning;
    Scratch *scratch;
    uint32_t tail, held;
} Search;

static Scratch *scratch_new(uint32_t n)
{
    size_t room = ((size_t)n + ROOM) * sizeof(uint32_t);
    Scratch *s = calloc(1, sizeof(Scratch));
    if (s == NULL)
        return NULL;
    s->room = room;
    size_t bytes = ((size_t)n / 64 + 1) * 64 + 4; /* as many as a bit set has bits; some are read four at a time */
    s->state = room_new(bytes);
    s->bits = calloc((size_t)n / 64 + 1, sizeof(uint64_t));
    s->order = pool_take(room);
    s->parent = pool_take(room);
    s->stack = malloc(2 * room);
    s->spare = malloc(2 * room);
    if (s->state != NULL)
        memset(s->state, UNREACHED, bytes);
    return s;
}

static int scratch_complete(const Scratch *s)
{
    return s->state != NULL && s->bits != NULL && s->order != NULL && s->parent != NULL && s->stack != NULL &&
           s->spare != NULL;
}

static void scratch_free(Scratch *s)
{
    if (s->marks.obj != NULL)
        PyBuffer_Release(&s->marks);
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

/* Neighbour number e. */
static inline uint32_t entry(const Csr *g, size_t e)
{
    return g->indices[e << g->timed];
}

/* Whether that edge holds at the instant of the question. */
static inline int holds(const Csr *g, size_t e)
{
    return !g->timed || bit_of(g->alive, g->indices[2 * e + 1]);
}

static inline size_t lowest_bit(uint64_t word)
{
#if defined(__GNUC__)
    return (size_t)__builtin_ctzll(word);
#else
    size_t bit = 0;
    while (!(word >> bit & 1))
        bit++;
    return bit;
#endif
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

/* Set the bytes of all vertices in the words begin ... end - 1 of a bit set. */
static void mark(uint8_t *state, const uint64_t *bits, size_t begin, size_t end, uint8_t byte)
{
    for (size_t w = begin; w < end; w++)
        for (uint64_t left = bits[w]; left; left &= left - 1)
            state[w << 6 | lowest_bit(left)] = byte;
}

static void meaning_of(uint32_t mask, Meaning meaning)
{
    for (uint32_t cls = 0; cls < 8; cls++)
        meaning[cls] = cls < 6 && mask >> cls & 1 ? cls % 3 : UNREACHED;
}
#endif
