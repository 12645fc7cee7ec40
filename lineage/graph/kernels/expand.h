/* One hop of a breadth-first search: from a list of vertices to those of their neighbours that are fresh.
 *
 * What makes it fast:
 *
 * - Adjacency lists are copied with copies of a fixed size into a flat buffer, beside the owner of each neighbour. The
 *   buffer is then filtered without branches, which saves one mispredicted branch per vertex.
 * - The filter only reads the state, sixteen neighbours at once where the processor has AVX-512, eight with AVX2, so
 *   that many of its far reads are under way together. What it picks is looked at again by a loop that writes: the same
 *   vertex may have been picked twice. (One loop that does both was slower by a sixth: each read waits for the writes
 *   before it.)
 * - The loop over lists is short: what is rare in it (a long list, a full buffer) stands in functions of its own.
 * - What that loop does with a vertex is one look into a table instead of a chain of conditions.
 * - The lines of vertices that come a little later are prefetched.
 *
 * Through time the spans of the neighbours lie in the buffer as well, and the filter looks up their bits.
 */
#ifndef MESHLINE_EXPAND_H
#define MESHLINE_EXPAND_H

#include "search.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define MESHLINE_AVX2 1
#include <immintrin.h>
#define WIDE_CODE __attribute__((target("avx2,popcnt")))
#define WIDEST_CODE __attribute__((target("avx512f,avx512vl,avx2,popcnt")))
#else
#define MESHLINE_AVX2 0
#define WIDE_CODE
#endif

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))
#define RARE(condition) __builtin_expect(condition, 0)
#else
#define ALWAYS_INLINE static inline
#define APART static
#define RARE(condition) (condition)
#endif

#define COPY 8    /* entries of one fixed copy */
#define CHUNK 384 /* neighbours that are filtered together */
#define BLOCK 64  /* vertices whose lists are looked up together */
#define FLAT (CHUNK + (BLOCK + 4) * COPY) /* room for what is copied or compared beyond the end */

/* Neighbours to look at, and the owner of each: the place in the order of the vertex whose list it is from, with the
 * grade of that vertex in the high bits. `pick` (vertex and grade of the way to it) and `from` (place of the owner)
 * are those of them that may be fresh. `time` is only filled for an adjacency through time. */
typedef struct {
    uint32_t packed[FLAT], owner[FLAT], pick[FLAT], from[FLAT], time[FLAT];
} Buffer;

#define OWN_SHIFT 30 /* of a byte, only the grade is left */
#define PLACE_MASK ((UINT32_C(1) << OWN_SHIFT) - 1)

/* What becomes of a picked vertex, by its byte (in the high bits) and the grade of the way to it: its new byte, and by
 * how much the order (low half) and the stack (high half) grow. */
static uint8_t after[8 * 4];
static uint64_t growth[8 * 4];

/* Positions of the bits of a byte, one in each byte of a word. */
static uint64_t positions[256];

enum { PLAIN, WIDE, WIDEST };
static int wide;  /* what is used: nothing special, AVX2, or AVX-512 as well */
static int widest; /* what the processor has */

static void expand_begin(void)
{
    for (uint32_t k = 0; k < sizeof(after); k++) {
        uint32_t old = k >> 2, grade = k & GRADE, better = grade < (old & GRADE);
        after[k] = (uint8_t)(better ? grade | (old & READ) : old);
        growth[k] = (uint64_t)(better && old & READ) << 32 | (better && old == UNREACHED);
    }
    for (uint32_t bits = 0; bits < 256; bits++) {
        uint64_t found = 0;
        for (uint32_t bit = 0, at = 0; bit < 8; bit++)
            if (bits >> bit & 1)
                found |= (uint64_t)bit << 8 * at++;
        positions[bits] = found;
    }
#if MESHLINE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        widest = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? WIDEST : WIDE;
    wide = widest;
#endif
}

/* Which of `count` neighbours may be fresh, or reached by a better way; how many. `alive`, unless it is NULL, has the bits
 * of the spans. */
ALWAYS_INLINE uint32_t choose_plain(const uint8_t *restrict state, const uint32_t *restrict meaning,
                                    const uint64_t *restrict alive, Buffer *restrict b, uint32_t count)
{
    uint32_t picked = 0;
    for (uint32_t k = 0; k < count; k++)
        PREFETCH(state + (b->packed[k] & VERTEX_MASK));
    for (uint32_t k = 0; k < count; k++) {
        uint32_t v = b->packed[k] & VERTEX_MASK, owner = b->owner[k], own = owner >> OWN_SHIFT;
        uint32_t grade = meaning[b->packed[k] >> CLASS_SHIFT];
        grade = grade > own ? grade : own;
        b->pick[picked] = v | grade << CLASS_SHIFT;
        b->from[picked] = owner & PLACE_MASK;
        picked += (grade < (state[v] & GRADE)) & (alive == NULL || bit_of(alive, b->time[k]));
    }
    return picked;
}

#if MESHLINE_AVX2
/* All ones for each of eight spans whose bit is set. */
ALWAYS_INLINE WIDE_CODE __m256i alive_wide(const uint64_t *alive, const uint32_t *time)
{
    const __m256i one = _mm256_set1_epi32(1);
    __m256i span = _mm256_loadu_si256((const __m256i *)time);
    __m256i word = _mm256_i32gather_epi32((const int *)alive, _mm256_srli_epi32(span, 5), 4);
    __m256i bit = _mm256_sllv_epi32(one, _mm256_and_si256(span, _mm256_set1_epi32(31)));
    return _mm256_cmpeq_epi32(_mm256_and_si256(word, bit), bit);
}

ALWAYS_INLINE WIDE_CODE uint32_t choose_wide(const uint8_t *state, const uint32_t *meaning, const uint64_t *alive,
                                             Buffer *b, uint32_t count)
{
    const __m256i grades = _mm256_set1_epi32(GRADE), vertices = _mm256_set1_epi32(VERTEX_MASK);
    const __m256i places = _mm256_set1_epi32(PLACE_MASK);
    const __m256i by_class = _mm256_loadu_si256((const __m256i *)meaning);
    uint32_t picked = 0;
    _mm256_storeu_si256((__m256i *)(b->packed + count), _mm256_set1_epi32(-1)); /* class 7: not admitted */
    if (alive != NULL)
        _mm256_storeu_si256((__m256i *)(b->time + count), _mm256_setzero_si256());
    for (uint32_t k = 0; k < count; k += 8) {
        __m256i packed = _mm256_loadu_si256((const __m256i *)(b->packed + k));
        __m256i owner = _mm256_loadu_si256((const __m256i *)(b->owner + k));
        __m256i v = _mm256_and_si256(packed, vertices);
        __m256i own = _mm256_srli_epi32(owner, OWN_SHIFT);
        __m256i grade = _mm256_permutevar8x32_epi32(by_class, _mm256_srli_epi32(packed, CLASS_SHIFT));
        grade = _mm256_max_epu32(grade, own);
        __m256i admitted = _mm256_cmpgt_epi32(grades, grade); /* no other is looked up: it may be no vertex */
        if (alive != NULL)
            admitted = _mm256_and_si256(admitted, alive_wide(alive, b->time + k));
        __m256i old = _mm256_mask_i32gather_epi32(_mm256_setzero_si256(), (const int *)state, v, admitted, 1);
        __m256i better = _mm256_and_si256(admitted, _mm256_cmpgt_epi32(_mm256_and_si256(old, grades), grade));
        uint32_t bits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(better));
        __m256i front = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)positions[bits]));
        __m256i pick = _mm256_or_si256(v, _mm256_slli_epi32(grade, CLASS_SHIFT));
        _mm256_storeu_si256((__m256i *)(b->pick + picked), _mm256_permutevar8x32_epi32(pick, front));
        _mm256_storeu_si256((__m256i *)(b->from + picked), _mm256_permutevar8x32_epi32(_mm256_and_si256(owner, places), front));
        picked += (uint32_t)_mm_popcnt_u32(bits);
    }
    return picked;
}

ALWAYS_INLINE WIDEST_CODE uint32_t choose_widest(const uint8_t *state, const uint32_t *meaning, const uint64_t *alive,
                                                 Buffer *b, uint32_t count)
{
    const __m512i grades = _mm512_set1_epi32(GRADE), vertices = _mm512_set1_epi32(VERTEX_MASK);
    const __m512i places = _mm512_set1_epi32(PLACE_MASK);
    const __m512i by_class = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)meaning));
    uint32_t picked = 0;
    _mm512_storeu_si512(b->packed + count, _mm512_set1_epi32(-1)); /* class 7: not admitted */
    if (alive != NULL)
        _mm512_storeu_si512(b->time + count, _mm512_setzero_si512());
    for (uint32_t k = 0; k < count; k += 16) {
        __m512i packed = _mm512_loadu_si512(b->packed + k), owner = _mm512_loadu_si512(b->owner + k);
        __m512i v = _mm512_and_si512(packed, vertices);
        __m512i grade = _mm512_permutexvar_epi32(_mm512_srli_epi32(packed, CLASS_SHIFT), by_class);
        grade = _mm512_max_epu32(grade, _mm512_srli_epi32(owner, OWN_SHIFT));
        __mmask16 admitted = _mm512_cmplt_epu32_mask(grade, grades); /* no other is looked up */
        if (alive != NULL) {
            __m512i span = _mm512_loadu_si512(b->time + k);
            __m512i word = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), admitted, _mm512_srli_epi32(span, 5), alive, 4);
            __m512i bit = _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(span, _mm512_set1_epi32(31)));
            admitted = _mm512_mask_test_epi32_mask(admitted, word, bit);
        }
        __m512i old = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), admitted, v, state, 1);
        __mmask16 better = _mm512_mask_cmplt_epu32_mask(admitted, grade, _mm512_and_si512(old, grades));
        __m512i pick = _mm512_or_si512(v, _mm512_slli_epi32(grade, CLASS_SHIFT));
        _mm512_storeu_si512(b->pick + picked, _mm512_maskz_compress_epi32(better, pick));
        _mm512_storeu_si512(b->from + picked, _mm512_maskz_compress_epi32(better, _mm512_and_si512(owner, places)));
        picked += (uint32_t)_mm_popcnt_u32(better);
    }
    return picked;
}
#endif

/* Append the fresh ones among the picked, and note those that are found to be more certain. */
static inline void take_fresh(Search *q, const Buffer *restrict b, uint32_t picked)
{
    uint8_t *restrict state = q->scratch->state;
    uint32_t *restrict order = q->scratch->order, *restrict parent = q->scratch->parent;
    uint32_t *restrict stack = q->scratch->stack;
    uint64_t ends = (uint64_t)q->held << 32 | q->tail;
    for (size_t k = 0; k < picked; k++) {
        size_t v = b->pick[k] & VERTEX_MASK, tail = (uint32_t)ends;
        size_t key = (size_t)state[v] << 2 | b->pick[k] >> CLASS_SHIFT;
        stack[ends >> 32] = (uint32_t)v;
        order[tail] = (uint32_t)v;
        parent[tail] = b->from[k];
        ends += growth[key];
        state[v] = after[key];
    }
    q->tail = (uint32_t)ends;
    q->held = (uint32_t)(ends >> 32);
}

/* Lists of a few vertices that are read together: their rows, the owners, and where they begin and end. */
typedef struct {
    uint32_t row[BLOCK + COPY], owner[BLOCK + COPY], span[BLOCK][2];
    size_t count;
} Lists;

/* Those of list[begin ... count - 1] that have a list, no sinks; list[0] has place `base`. */
ALWAYS_INLINE void rows_plain(const Csr *g, const uint32_t *list, uint32_t base, size_t begin,
                              size_t count, Lists *restrict lists)
{
    size_t some = lists->count;
    for (size_t k = begin; k < count; k++) {
        uint32_t row = list[k] - g->first;
        lists->row[some] = row;
        lists->owner[some] = base + (uint32_t)k;
        some += row < g->rows;
    }
    lists->count = some;
}

#if MESHLINE_AVX2
static inline WIDE_CODE size_t rows_wide(const Csr *g, const uint32_t *list, uint32_t base,
                                         size_t count, Lists *lists)
{
    const __m256i first = _mm256_set1_epi32((int)g->first), last = _mm256_set1_epi32((int)g->rows - 1), eight = _mm256_set1_epi32(8);
    __m256i place = _mm256_add_epi32(_mm256_set1_epi32((int)base), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    size_t some = 0, k = 0;
    for (; k + 8 <= count; k += 8) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(list + k)), row = _mm256_sub_epi32(v, first);
        __m256i inside = _mm256_cmpeq_epi32(_mm256_min_epu32(row, last), row);
        uint32_t bits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(inside));
        __m256i front = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)positions[bits]));
        _mm256_storeu_si256((__m256i *)(lists->row + some), _mm256_permutevar8x32_epi32(row, front));
        _mm256_storeu_si256((__m256i *)(lists->owner + some), _mm256_permutevar8x32_epi32(place, front));
        some += (uint32_t)_mm_popcnt_u32(bits);
        place = _mm256_add_epi32(place, eight);
    }
    lists->count = some;
    return k;
}
#endif

/* The same, marked as read, each with its grade. Their names are asked for as well: they are wanted at the end. */
ALWAYS_INLINE void look_up(const Search *q, const Csr *g, const uint32_t *list, uint32_t base, size_t count,
                           Lists *restrict lists, int widely)
{
    uint8_t *restrict state = q->scratch->state;
    size_t begin = 0;
    lists->count = 0;
#if MESHLINE_AVX2
    if (widely && g->rows)
        begin = rows_wide(g, list, base, count, lists);
#else
    (void)widely;
#endif
    rows_plain(g, list, base, begin, count, lists);
    for (size_t k = 0, some = lists->count; k < some; k++) {
        uint32_t row = lists->row[k];
        uint8_t *at = state + row + g->first;
        lists->owner[k] |= (uint32_t)*at << OWN_SHIFT;
        *at |= READ;
        PREFETCH(g->indptr + row);
        PREFETCH_SOME(q->names + row + g->first);
    }
}

ALWAYS_INLINE void copy_plain(Buffer *restrict b, size_t at, const uint32_t *restrict from, uint32_t owner)
{
    uint64_t two = (uint64_t)owner << 32 | owner, eight[COPY / 2] = {two, two, two, two};
    memcpy(b->packed + at, from, COPY * sizeof(uint32_t));
    memcpy(b->owner + at, eight, sizeof(eight));
}

#if MESHLINE_AVX2
static inline WIDE_CODE void copy_wide(Buffer *restrict b, size_t at, const uint32_t *restrict from, uint32_t owner)
{
    _mm256_storeu_si256((__m256i *)(b->packed + at), _mm256_loadu_si256((const __m256i *)from));
    _mm256_storeu_si256((__m256i *)(b->owner + at), _mm256_set1_epi32((int)owner));
}
#else
#define copy_wide copy_plain
#endif

#if MESHLINE_AVX2
APART WIDE_CODE void drain_wide(Search *q, Buffer *b, size_t count)
{
    take_fresh(q, b, choose_wide(q->scratch->state, q->meaning, NULL, b, (uint32_t)count));
}

APART WIDEST_CODE void drain_widest(Search *q, Buffer *b, size_t count)
{
    take_fresh(q, b, choose_widest(q->scratch->state, q->meaning, NULL, b, (uint32_t)count));
}

/* The same through time. */
APART WIDE_CODE void drain_wide_at(Search *q, Buffer *b, size_t count, const uint64_t *alive)
{
    take_fresh(q, b, choose_wide(q->scratch->state, q->meaning, alive, b, (uint32_t)count));
}

APART WIDEST_CODE void drain_widest_at(Search *q, Buffer *b, size_t count, const uint64_t *alive)
{
    take_fresh(q, b, choose_widest(q->scratch->state, q->meaning, alive, b, (uint32_t)count));
}
#endif

/* Filter `count` neighbours in the buffer. */
APART void drain(Search *q, const Csr *g, Buffer *b, size_t count, int widely)
{
#if MESHLINE_AVX2
    if (widely == WIDEST && g->timed)
        drain_widest_at(q, b, count, g->alive);
    else if (widely == WIDEST)
        drain_widest(q, b, count);
    else if (widely && g->timed)
        drain_wide_at(q, b, count, g->alive);
    else if (widely)
        drain_wide(q, b, count);
    else
#else
    (void)widely;
#endif
        take_fresh(q, b, choose_plain(q->scratch->state, q->meaning, g->alive, b, (uint32_t)count));
}

/* Ask for the lists. */
ALWAYS_INLINE void ask_lists(const Csr *g, Lists *restrict lists, int timed)
{
    const uint32_t *indices = g->indices;
    for (size_t k = 0, count = lists->count; k < count; k++) {
        const uint32_t *pointer = g->indptr + lists->row[k];
        memcpy(lists->span[k], pointer, sizeof(lists->span[k]));
        PREFETCH(indices + ((size_t)pointer[0] << timed));
        PREFETCH(indices + ((size_t)(pointer[0] + COPY - 1) << timed));
    }
}

/* The same of neighbours that are followed by their spans. */
ALWAYS_INLINE void copy_timed_plain(Buffer *restrict b, size_t at, const uint32_t *restrict from, uint32_t owner)
{
    for (size_t k = 0; k < COPY; k++) {
        b->packed[at + k] = from[2 * k];
        b->time[at + k] = from[2 * k + 1];
        b->owner[at + k] = owner;
    }
}

#if MESHLINE_AVX2
static inline WIDE_CODE void copy_timed_wide(Buffer *restrict b, size_t at, const uint32_t *restrict from,
                                             uint32_t owner)
{
    __m256 one = _mm256_loadu_ps((const float *)from), two = _mm256_loadu_ps((const float *)(from + COPY));
    __m256i packed = _mm256_castps_si256(_mm256_shuffle_ps(one, two, 0x88));
    __m256i time = _mm256_castps_si256(_mm256_shuffle_ps(one, two, 0xdd));
    _mm256_storeu_si256((__m256i *)(b->packed + at), _mm256_permute4x64_epi64(packed, 0xd8));
    _mm256_storeu_si256((__m256i *)(b->time + at), _mm256_permute4x64_epi64(time, 0xd8));
    _mm256_storeu_si256((__m256i *)(b->owner + at), _mm256_set1_epi32((int)owner));
}
#else
#define copy_timed_wide copy_timed_plain
#endif

/* One copy, without wide instructions. */
ALWAYS_INLINE void copy_one(const Csr *g, Buffer *restrict b, size_t at, const uint32_t *restrict from, uint32_t owner)
{
    if (g->timed)
        copy_timed_plain(b, at, from, owner);
    else
        copy_plain(b, at, from, owner);
}

/* Copy a list that is longer than one copy; how many neighbours are in the buffer then. */
APART size_t read_long(Search *q, const Csr *g, Buffer *b, size_t count, const uint32_t *next, size_t left,
                       uint32_t owner, int widely)
{
    for (; left > COPY; left -= COPY, next += COPY << g->timed, count += COPY) {
        if (count >= CHUNK) {
            drain(q, g, b, count, widely);
            count = 0;
        }
        copy_one(g, b, count, next, owner);
    }
    copy_one(g, b, count, next, owner);
    return count + left;
}

/* Copy the lists into the buffer, and filter it whenever it is full; how many neighbours are left in it. */
ALWAYS_INLINE size_t read_lists(Search *q, const Csr *g, Buffer *b, size_t count, const Lists *restrict lists,
                                int widely, int timed)
{
    const uint32_t *indices = g->indices;
    for (size_t k = 0, lists_here = lists->count; k < lists_here; k++) {
        const uint32_t *next = indices + ((size_t)lists->span[k][0] << timed);
        size_t left = lists->span[k][1] - lists->span[k][0];
        if (RARE(left > COPY)) {
            count = read_long(q, g, b, count, next, left, lists->owner[k], widely);
            continue;
        }
        if (timed && widely)
            copy_timed_wide(b, count, next, lists->owner[k]);
        else if (timed)
            copy_timed_plain(b, count, next, lists->owner[k]);
        else if (widely) /* without a branch on an empty list, which would be mispredicted */
            copy_wide(b, count, next, lists->owner[k]);
        else
            copy_plain(b, count, next, lists->owner[k]);
        count += left;
    }
    if (count >= CHUNK) {
        drain(q, g, b, count, widely);
        count = 0;
    }
    return count;
}

ALWAYS_INLINE void expand_as(Search *q, const Csr *g, const uint32_t *list, uint32_t begin, uint32_t end, int widely,
                             int timed)
{
    Buffer b;
    Lists some[3], *coming = &some[0], *asked = &some[1], *here = &some[2];
    size_t count = 0;
    asked->count = here->count = 0;
    for (uint32_t base = begin; base < end + 2 * BLOCK; base += BLOCK) { /* row pointers, lists, neighbours */
        uint32_t left = base < end ? end - base : 0;
        look_up(q, g, list + base, base, left < BLOCK ? left : BLOCK, coming, widely);
        ask_lists(g, asked, timed);
        count = read_lists(q, g, &b, count, here, widely, timed);
        Lists *free = here;
        here = asked;
        asked = coming;
        coming = free;
    }
    drain(q, g, &b, count, widely);
}

#if MESHLINE_AVX2
static WIDE_CODE void expand_wide(Search *q, const Csr *g, const uint32_t *list, uint32_t begin, uint32_t end)
{
    expand_as(q, g, list, begin, end, wide, 0);
}

static WIDE_CODE void expand_wide_at(Search *q, const Csr *g, const uint32_t *list, uint32_t begin, uint32_t end)
{
    expand_as(q, g, list, begin, end, wide, 1);
}
#endif

/* Append the fresh neighbours of list[begin ... end - 1]. */
static void expand(Search *q, const Csr *g, const uint32_t *list, uint32_t begin, uint32_t end)
{
#if MESHLINE_AVX2
    if (wide) {
        if (g->timed)
            expand_wide_at(q, g, list, begin, end);
        else
            expand_wide(q, g, list, begin, end);
        return;
    }
#endif
    if (g->timed)
        expand_as(q, g, list, begin, end, 0, 1);
    else
        expand_as(q, g, list, begin, end, 0, 0);
}
#endif
