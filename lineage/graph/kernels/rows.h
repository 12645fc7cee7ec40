/* Order of rows by two numbers, the first of which is below a bound: by the leading bits of the first into parts that fit
 * a near cache, each part into lists by counting, each list by itself. Rows that are equal keep their order.
 * (Two counting sorts over all values meet a far cache line for each row, twice, and once more for the keys.) */
#ifndef MESHLINE_ROWS_H
#define MESHLINE_ROWS_H

#include "pairs.h"
#include "sort.h"

typedef struct {
    uint32_t high, low, at;
} Row;

/* Rows on their way to their order. */
typedef struct {
    const uint32_t *high, *low;
    size_t m;
    uint32_t bound, parts, most, *begin; /* rows of the longest part; begin of each part, one entry more than parts */
    unsigned shift;
} Sorting;

/* How many rows each part has; -1 when a first number is not below the bound, -2 without memory. */
static int sorting_begin(Sorting *s)
{
    const uint32_t *high = s->high, bound = s->bound;
    uint32_t wrong = 0;
    s->shift = part_shift(bound);
    s->parts = (bound >> s->shift) + 1;
    s->begin = calloc((size_t)s->parts + 2, sizeof(uint32_t));
    if (s->begin == NULL)
        return -2;
    for (size_t k = 0; k < s->m; k++)
        wrong |= high[k] >= bound;
    if (wrong)
        return -1;
    uint32_t *count = s->begin + 1;
    const unsigned shift = s->shift;
    for (size_t k = 0; k < s->m; k++)
        count[high[k] >> shift]++;
    s->most = 1;
    for (uint32_t p = 0; p < s->parts; p++) {
        s->most = count[p] > s->most ? count[p] : s->most;
        s->begin[p + 1] += s->begin[p];
    }
    return 0;
}

/* Sorted keys (first << 32 | second) and order of the rows of one part. `place` has room for its values. */
static void sort_part(const Row *row, uint32_t count, uint32_t first, uint32_t width, uint32_t *place, KeyAt *list,
                      KeyAt *spare, uint64_t *key, uint32_t *order)
{
    memset(place, 0, ((size_t)width + 1) * sizeof(uint32_t));
    for (uint32_t k = 0; k < count; k++)
        place[row[k].high - first + 1]++;
    for (uint32_t v = 0; v < width; v++)
        place[v + 1] += place[v];
    for (uint32_t k = 0; k < count; k++)
        list[place[row[k].high - first]++] = (KeyAt){row[k].low, row[k].at};
    for (uint32_t v = 0, begin = 0; v < width; begin = place[v++]) {
        uint32_t end = place[v];
        if (end - begin > 1)
            sort_keys(list + begin, spare, end - begin);
        for (uint32_t k = begin; k < end; k++) {
            key[k] = (uint64_t)(first + v) << 32 | list[k].key;
            order[k] = list[k].at;
        }
    }
}

/* All of it, by way of `row`, room for all rows; -2 without memory. */
static int sort_rows(const Sorting *s, Row *row, uint64_t *key, uint32_t *order)
{
    uint32_t *next = malloc((size_t)s->parts * sizeof(uint32_t));
    uint32_t *place = malloc((((size_t)1 << s->shift) + 1) * sizeof(uint32_t));
    KeyAt *list = malloc(2 * (size_t)s->most * sizeof(KeyAt));
    int failed = next == NULL || place == NULL || list == NULL;
    if (!failed) {
        const uint32_t *high = s->high, *low = s->low;
        const unsigned shift = s->shift;
        memcpy(next, s->begin, (size_t)s->parts * sizeof(uint32_t));
        for (size_t k = 0, m = s->m; k < m; k++) {
            uint32_t v = high[k];
            row[next[v >> shift]++] = (Row){v, low[k], (uint32_t)k};
        }
        for (uint32_t p = 0; p < s->parts; p++) {
            uint32_t begin = s->begin[p], count = s->begin[p + 1] - begin;
            if (count)
                sort_part(row + begin, count, p << shift, UINT32_C(1) << shift, place, list, list + s->most, key + begin,
                          order + begin);
        }
    }
    free(next);
    free(place);
    free(list);
    return failed ? -2 : 0;
}
#endif
