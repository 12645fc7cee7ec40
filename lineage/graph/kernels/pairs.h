/* From pairs in any order to adjacency: first into parts whose vertices fit a near cache, then each part by counting.
 * (One scatter over all vertices meets a far cache line for nearly every edge.) Neighbours keep the order of the pairs. */
#ifndef MESHLINE_PAIRS_H
#define MESHLINE_PAIRS_H

#include "search.h"
#include <string.h>
#if defined(__x86_64__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

#define PARTS_BITS 11 /* not more parts than this many bits: each is written to at one place at a time */
#define PART_BITS 10  /* not fewer vertices in a part */

#define LINE 8 /* pairs of one line of cache */
/* Pairs from which on the parts lie beyond the caches, so that lines are written past them. */
#ifndef FAR_PAIRS
#define FAR_PAIRS ((size_t)4 << 20)
#endif

typedef struct {
    uint32_t src, dst;
} Pair;

/* Pairs on their way to lists. */
typedef struct {
    const uint32_t *src, *dst;
    size_t m;
    uint32_t n, parts, *begin; /* begin of each part among the lists, one entry more than parts */
    unsigned shift;            /* a part is what vertices have above so many bits */
    int ordered;
} Split;

/* A part is what numbers below `bound` have above so many bits. */
static unsigned part_shift(uint32_t bound)
{
    unsigned shift = PART_BITS;
    while (bound >> shift >> PARTS_BITS)
        shift++;
    return shift;
}

/* Look at all pairs; -1 when a vertex is not below n, -2 without memory. */
static int split_begin(Split *s)
{
    enum { NEAR_PAIRS = 1024 }; /* pairs that are in the near cache when they are counted */
    const uint32_t *src = s->src, *dst = s->dst, n = s->n;
    uint32_t wrong = 0, back = 0;
    s->shift = part_shift(n);
    s->parts = (s->n >> s->shift) + 1;
    s->begin = calloc((size_t)s->parts + 2, sizeof(uint32_t));
    if (s->begin == NULL)
        return -2;
    uint32_t *count = s->begin + 1;
    const unsigned shift = s->shift;
    size_t counted = 0; /* pairs in order are not, as long as no other is met */
    for (size_t base = 0, end; base < s->m && !wrong; base = end) {
        end = s->m - base < NEAR_PAIRS ? s->m : base + NEAR_PAIRS;
        for (size_t k = base; k < end; k++) { /* nothing but comparisons: several pairs at once on every processor */
            wrong |= src[k] >= n;
            wrong |= (dst[k] & VERTEX_MASK) >= n; /* its class may stand above it */
        }
        for (size_t k = base ? base : 1; k < end; k++)
            back |= src[k] < src[k - 1];
        for (; counted < end && back && !wrong; counted++)
            count[src[counted] >> shift]++;
    }
    s->ordered = !back;
    if (wrong)
        return -1;
    for (uint32_t p = 0; p < s->parts; p++)
        s->begin[p + 1] += s->begin[p];
    return 0;
}

/* Bytes that the pairs take when each part begins with a line of its own. */
static size_t split_room(const Split *s)
{
    return (s->m + (size_t)LINE * (s->parts + 1)) * sizeof(Pair);
}

/* Put the pairs into their parts; `next` has the begin of each part, and then its end. */
static void scatter(const Split *s, uint32_t *next, Pair *pair)
{
    const uint32_t *src = s->src, *dst = s->dst; /* by themselves: what is written might else be what is read */
    const unsigned shift = s->shift;
    for (size_t k = 0, m = s->m; k < m; k++) {
        uint32_t v = src[k];
        pair[next[v >> shift]++] = (Pair){v, dst[k]};
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
/* The same by whole lines past the caches: a line need not be read before it is written. `line` has one for each part. */
static void scatter_far(const Split *s, uint32_t *next, Pair *pair, Pair *line)
{
    const uint32_t *src = s->src, *dst = s->dst;
    const unsigned shift = s->shift;
    for (size_t k = 0, m = s->m; k < m; k++) {
        uint32_t v = src[k], p = v >> shift, to = next[p]++;
        line[(size_t)p * LINE + to % LINE] = (Pair){v, dst[k]};
        if (to % LINE < LINE - 1)
            continue;
        const __m128i *from = (const __m128i *)(line + (size_t)p * LINE);
        __m128i *at = (__m128i *)(pair + (to - (LINE - 1)));
        for (int j = 0; j < LINE / 2; j++)
            _mm_stream_si128(at + j, from[j]);
    }
    _mm_sfence();
    for (uint32_t p = 0; p < s->parts; p++)
        memcpy(pair + next[p] / LINE * LINE, line + (size_t)p * LINE, next[p] % LINE * sizeof(Pair));
}
#endif

/* Lists of the vertices low ... high - 1 from their pairs; `at` is where the first one begins. The place of a pair in its
 * list is told when pairs are counted, and kept in `rank`: to count on while lists are written would make each pair wait
 * for the one before, whose list may be the same. */
static void lists_of_part(const Pair *pair, uint32_t count, uint32_t low, uint32_t high, uint32_t at, uint32_t *place,
                          uint32_t *rank, uint32_t *indptr, uint32_t *indices)
{
    memset(place, 0, (size_t)(high - low) * sizeof(uint32_t));
    for (uint32_t k = 0; k < count; k++)
        rank[k] = place[pair[k].src - low]++;
    for (uint32_t v = low; v < high; v++) {
        uint32_t size = place[v - low];
        indptr[v] = place[v - low] = at;
        at += size;
    }
    for (uint32_t k = 0; k < count; k++)
        indices[place[pair[k].src - low] + rank[k]] = pair[k].dst;
}

static void lists_in_order(const Split *s, uint32_t *indptr, uint32_t *indices)
{
    size_t k = 0;
    for (uint32_t v = 0; v < s->n; v++) {
        indptr[v] = (uint32_t)k;
        while (k < s->m && s->src[k] == v)
            k++;
    }
    memcpy(indices, s->dst, s->m * sizeof(uint32_t));
}

/* Row pointers and neighbours by way of `pair`, room of `split_room` bytes for pairs that are not in order; -2 without
 * memory. */
static int split_lists(const Split *s, Pair *pair, uint32_t *indptr, uint32_t *indices)
{
    size_t width = (size_t)s->parts * sizeof(uint32_t), lines = (size_t)s->parts * LINE * sizeof(Pair);
    indptr[s->n] = (uint32_t)s->m;
    if (s->ordered) {
        lists_in_order(s, indptr, indices);
        return 0;
    }
    uint32_t *first = malloc(width), *next = malloc(width), *place = malloc(sizeof(uint32_t) << s->shift), at = 0;
    uint32_t most = 1; /* pairs of a part */
    for (uint32_t p = 0; p < s->parts; p++)
        most = s->begin[p + 1] - s->begin[p] > most ? s->begin[p + 1] - s->begin[p] : most;
    uint32_t *rank = malloc((size_t)most * sizeof(uint32_t));
    Pair *line = aligned_alloc(LINE * sizeof(Pair), lines);
    int failed = first == NULL || next == NULL || place == NULL || rank == NULL || line == NULL;
    for (uint32_t p = 0; p < s->parts && !failed; p++) { /* each part on a line of its own */
        first[p] = next[p] = at;
        at += (s->begin[p + 1] - s->begin[p] + LINE - 1) / LINE * LINE;
    }
#if defined(__x86_64__) && defined(__GNUC__)
    if (!failed && s->m >= FAR_PAIRS)
        scatter_far(s, next, pair, line);
    else
#endif
        if (!failed)
        scatter(s, next, pair);
    for (uint32_t p = 0; p < s->parts && !failed; p++) {
        uint32_t low = p << s->shift, high = (s->n - low) >> s->shift ? low + (UINT32_C(1) << s->shift) : s->n;
        lists_of_part(pair + first[p], s->begin[p + 1] - s->begin[p], low, high, s->begin[p], place, rank, indptr,
                      indices);
    }
    free(first);
    free(next);
    free(place);
    free(rank);
    free(line);
    return failed ? -2 : 0;
}
#endif
