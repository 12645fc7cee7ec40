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

/* The smallest and the greatest vertex of an order; nonsense for an empty one. */
typedef struct {
    uint32_t least, most;
} Bounds;

static inline void widen(Bounds *bounds, uint32_t v)
{
    bounds->least = v < bounds->least ? v : bounds->least;
    bounds->most = v > bounds->most ? v : bounds->most;
}

#if MESHLINE_AVX2
static WIDE_CODE void tell_wide(const uint8_t *state, const uint32_t *names, const uint32_t *order, size_t count,
                                uint8_t *grade, uint32_t *name, Bounds *bounds)
{
    __m256i least = _mm256_set1_epi32(-1), most = _mm256_setzero_si256();
    uint32_t lanes[8];
    const __m256i mask = _mm256_set1_epi32(GRADE);
    const __m256i low = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12, -1, -1,
                                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    for (size_t k = 0; k < count; k += 8) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(order + k));
        least = _mm256_min_epu32(least, v);
        most = _mm256_max_epu32(most, v);
        _mm256_storeu_si256((__m256i *)(name + k), _mm256_i32gather_epi32((const int *)names, v, 4));
        if (grade == NULL)
            continue;
        __m256i grades = _mm256_and_si256(_mm256_i32gather_epi32((const int *)state, v, 1), mask);
        grades = _mm256_shuffle_epi8(grades, low);
        uint32_t four[] = {(uint32_t)_mm256_extract_epi32(grades, 0), (uint32_t)_mm256_extract_epi32(grades, 4)};
        memcpy(grade + k, four, sizeof(four));
    }
    _mm256_storeu_si256((__m256i *)lanes, least);
    for (int k = 0; k < 8; k++)
        bounds->least = lanes[k] < bounds->least ? lanes[k] : bounds->least;
    _mm256_storeu_si256((__m256i *)lanes, most);
    for (int k = 0; k < 8; k++)
        bounds->most = lanes[k] > bounds->most ? lanes[k] : bounds->most;
}
#endif

/* Grade (unless `grade` is NULL) and name of each vertex of an order, and its bounds. */
static Bounds tell(const uint8_t *state, const uint32_t *names, const uint32_t *order, size_t count, uint8_t *grade,
                   uint32_t *name)
{
    Bounds bounds = {UINT32_MAX, 0};
    size_t begin = 0;
#if MESHLINE_AVX2
    if (wide) {
        begin = count & ~(size_t)7;
        tell_wide(state, names, order, begin, grade, name, &bounds);
    }
#endif
    for (size_t k = begin; k < count; k++) {
        if (grade != NULL)
            grade[k] = state[order[k]] & GRADE;
        name[k] = names[order[k]];
        widen(&bounds, order[k]);
    }
    return bounds;
}

/* Position of the first value that is `wanted`, `count` when there is none. */
static size_t first_equal(const uint32_t *value, size_t count, uint32_t wanted)
{
    enum { AT_ONCE = 64 };
    size_t k = 0;
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

/* Distance of each place of an order whose hops begin at level[0 ... count - 2] and end at level[count - 1]. */
static void hops_of(const uint32_t *level, size_t count, uint32_t *out)
{
    for (size_t hop = 0; hop + 1 < count; hop++)
        for (uint32_t k = level[hop]; k < level[hop + 1]; k++)
            out[k] = (uint32_t)hop;
}
#endif
