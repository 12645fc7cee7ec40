/* Values of many vertices at once, and the distance of each vertex of an order. */
#ifndef MESHLINE_GATHER_H
#define MESHLINE_GATHER_H

#include "expand.h"

/* Position of the first of `count` positions that is not below `bound`; `count` when all are. */
static size_t first_beyond(const uint32_t *position, size_t count, size_t bound)
{
    uint32_t greatest = 0;
    for (size_t k = 0; k < count; k++)
        greatest = position[k] > greatest ? position[k] : greatest;
    size_t k = 0;
    if (count && greatest >= bound)
        while (position[k] < bound)
            k++;
    return count && greatest >= bound ? k : count;
}

#if MESHLINE_AVX2
static WIDE_CODE void take_wide(const uint32_t *value, const uint32_t *position, size_t count, uint32_t *out)
{
    for (size_t k = 0; k < count; k += 8) {
        __m256i at = _mm256_loadu_si256((const __m256i *)(position + k));
        _mm256_storeu_si256((__m256i *)(out + k), _mm256_i32gather_epi32((const int *)value, at, 4));
    }
}
#endif

/* out[k] = value[position[k]]; all positions are in the array. */
static void take_values(const uint32_t *value, const uint32_t *position, size_t count, uint32_t *out)
{
    size_t begin = 0;
#if MESHLINE_AVX2
    if (wide) { /* positions are read as signed numbers: those of vertices are below 2^29 */
        begin = count & ~(size_t)7;
        take_wide(value, position, begin, out);
    }
#endif
    for (size_t k = begin; k < count; k++)
        out[k] = value[position[k]];
}

/* out[k] = value[position[k]], of values of 1, 4 or 8 bytes; all positions are in the array. */
static void gather_items(const void *value, size_t size, const uint32_t *position, size_t count, void *out)
{
    if (size == 1)
        for (size_t k = 0; k < count; k++)
            ((uint8_t *)out)[k] = ((const uint8_t *)value)[position[k]];
    else if (size == 4)
        for (size_t k = 0; k < count; k++)
            ((uint32_t *)out)[k] = ((const uint32_t *)value)[position[k]];
    else
        for (size_t k = 0; k < count; k++)
            ((uint64_t *)out)[k] = ((const uint64_t *)value)[position[k]];
}

/* The smallest and the greatest vertex of an order; nonsense for an empty one. */
typedef struct {
    uint32_t least, most;
} Bounds;

static inline void widen(Bounds *bounds, uint32_t v)
{
    bounds->least = v < bounds->least ? v : bounds->least;
    bounds->most = v > bounds->most ? v : bounds->most;
}

static Bounds bounds_of(const uint32_t *order, size_t count)
{
    int32_t least = INT32_MAX, most = 0; /* vertices are below 2^29, and every processor compares signed numbers at once */
    for (size_t k = 0; k < count; k++) {
        int32_t v = (int32_t)order[k];
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    return (Bounds){(uint32_t)least, (uint32_t)most};
}

#define SOON 56 /* vertices by which a name is asked for before it is used: an order has room for that behind it */
#define FOUR 4

/* Grade (unless `grade` is NULL) and name of each vertex of an order, and its bounds. Gathering eight or sixteen names
 * at once takes the processors at hand (AMD, third and fourth generation) longer. */
static Bounds tell(const uint8_t *restrict state, const uint32_t *restrict names, const uint32_t *restrict order,
                   size_t count, uint8_t *restrict grade, uint32_t *restrict name)
{
    size_t k = 0;
    for (; k + FOUR <= count; k += FOUR) {
        uint32_t named[FOUR];
        for (size_t j = 0; j < FOUR; j++) {
            PREFETCH((uintptr_t)names + sizeof(uint32_t) * (size_t)order[k + SOON + j]);
            named[j] = names[order[k + j]];
        }
        memcpy(name + k, named, sizeof(named));
        if (grade != NULL) {
            uint8_t graded[FOUR];
            for (size_t j = 0; j < FOUR; j++)
                graded[j] = state[order[k + j]] & GRADE;
            memcpy(grade + k, graded, sizeof(graded));
        }
    }
    for (; k < count; k++) {
        name[k] = names[order[k]];
        if (grade != NULL)
            grade[k] = state[order[k]] & GRADE;
    }
    return bounds_of(order, count);
}

#if MESHLINE_AVX2
/* Where to look for the first value that is `wanted`: none of those before is. */
static WIDE_CODE size_t first_equal_wide(const uint32_t *value, size_t count, uint32_t wanted)
{
    const __m256i all = _mm256_set1_epi32((int)wanted);
    size_t k = 0;
    for (; k + 32 <= count; k += 32) {
        __m256i here = _mm256_setzero_si256();
        PREFETCH((uintptr_t)(value + k) + 2048);
        for (size_t j = 0; j < 32; j += 8) {
            __m256i some = _mm256_loadu_si256((const __m256i *)(value + k + j));
            here = _mm256_or_si256(here, _mm256_cmpeq_epi32(some, all));
        }
        if (!_mm256_testz_si256(here, here))
            break;
    }
    return k;
}
#endif

/* Position of the first value that is `wanted`, `count` when there is none. */
static size_t first_equal(const uint32_t *value, size_t count, uint32_t wanted)
{
    enum { AT_ONCE = 64 };
    size_t k = 0;
#if MESHLINE_AVX2
    if (wide)
        k = first_equal_wide(value, count, wanted);
#endif
    for (int here = 0; k + AT_ONCE <= count; k += AT_ONCE) {
        for (size_t j = 0; j < AT_ONCE; j++)
            here |= value[k + j] == wanted;
        if (here)
            break;
    }
    while (k < count && value[k] != wanted)
        k++;
    return k;
}

#if MESHLINE_AVX2
/* Fill whole lines past the caches, which the answer would only push others out of; how many places are filled. */
static WIDE_CODE size_t fill_wide(uint32_t *out, size_t count, uint32_t value)
{
    const __m256i all = _mm256_set1_epi32((int)value);
    size_t k = 0;
    while (k < count && (uintptr_t)(out + k) % sizeof(all))
        out[k++] = value;
    for (; k + 8 <= count; k += 8)
        _mm256_stream_si256((__m256i *)(out + k), all);
    _mm_sfence();
    return k;
}
#endif

#define LONG_FILL 1024

/* Distance of each place of an order whose hops begin at level[0 ... count - 2] and end at level[count - 1]. */
static void hops_of(const uint32_t *level, size_t count, uint32_t *out)
{
    for (size_t hop = 0; hop + 1 < count; hop++) {
        uint32_t k = level[hop];
#if MESHLINE_AVX2
        if (wide && level[hop + 1] - k >= LONG_FILL)
            k += (uint32_t)fill_wide(out + k, level[hop + 1] - k, (uint32_t)hop);
#endif
        for (; k < level[hop + 1]; k++)
            out[k] = (uint32_t)hop;
    }
}
#endif
