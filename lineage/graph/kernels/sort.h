/* Sorting and looking up, for the build of a snapshot and for the order of an answer. All sorts are stable. */
#ifndef MESHLINE_SORT_H
#define MESHLINE_SORT_H

#include "block.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 24   /* insertion sort up to here */
#define DIGIT 2048 /* radix of the sorts by passes: 11 bits */

typedef struct {
    uint64_t id;
    uint32_t at;
} IdAt;

static int id_at_compare(const void *left, const void *right)
{
    const IdAt *a = left, *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void id_at_sort(IdAt *items, size_t count)
{
    if (count > SMALL) {
        qsort(items, count, sizeof(IdAt), id_at_compare);
        return;
    }
    for (size_t k = 1; k < count; k++) {
        IdAt item = items[k];
        size_t hole = k;
        for (; hole > 0 && id_at_compare(&item, &items[hole - 1]) < 0; hole--)
            items[hole] = items[hole - 1];
        items[hole] = item;
    }
}

/* Shift that leaves about one id per bucket when ids are spread evenly, as hashes are. */
static unsigned bucket_shift(size_t count)
{
    unsigned bits = 1;
    while (bits < 28 && (size_t)1 << bits < count)
        bits++;
    return 64 - bits;
}

#define FINE_BITS 11 /* buckets of a part: its ids and their counts fit a near cache */

/* Ids of one part in order: into buckets by counting, then each bucket by itself. `place` has room for the buckets. */
static void sort_part_of_ids(const IdAt *item, size_t count, unsigned shift, size_t buckets, uint32_t *place,
                             IdAt *list, uint64_t *sorted, uint32_t *order)
{
    memset(place, 0, (buckets + 1) * sizeof(uint32_t));
    for (size_t k = 0; k < count; k++)
        place[(item[k].id >> shift & (buckets - 1)) + 1]++;
    for (size_t b = 0; b < buckets; b++)
        place[b + 1] += place[b];
    for (size_t k = 0; k < count; k++)
        list[place[item[k].id >> shift & (buckets - 1)]++] = item[k];
    for (size_t b = 0, begin = 0; b < buckets; begin = place[b++])
        if (place[b] - begin > 1)
            id_at_sort(list + begin, place[b] - begin);
    for (size_t k = 0; k < count; k++) {
        sorted[k] = list[k].id;
        order[k] = list[k].at;
    }
}

/* Ids in ascending order and where each one was: by their leading bits into parts, then each part by itself. -1 without
 * memory. */
static int sort_ids(const uint64_t *ids, size_t count, uint64_t *sorted, uint32_t *order)
{
    unsigned shift = bucket_shift(count), bits = 64 - shift, fine = bits < FINE_BITS ? bits : FINE_BITS;
    size_t buckets = (size_t)1 << fine, parts = (size_t)1 << (bits - fine), most = 1;
    uint32_t *begin = calloc(parts + 1, sizeof(uint32_t)), *next = malloc(parts * sizeof(uint32_t));
    uint32_t *place = malloc((buckets + 1) * sizeof(uint32_t));
    IdAt *items = room_new((count + 1) * sizeof(IdAt)), *list = NULL;
    int failed = begin == NULL || next == NULL || place == NULL || items == NULL;
    if (!failed) {
        const unsigned part = shift + fine - 1; /* ids are shifted once more: by 64 bits they could not be */
        for (size_t k = 0; k < count; k++)
            begin[(ids[k] >> part >> 1) + 1]++;
        for (size_t p = 0; p < parts; p++) {
            most = begin[p + 1] > most ? begin[p + 1] : most;
            begin[p + 1] += begin[p];
        }
        memcpy(next, begin, parts * sizeof(uint32_t));
        for (size_t k = 0; k < count; k++)
            items[next[ids[k] >> part >> 1]++] = (IdAt){ids[k], (uint32_t)k};
        failed = (list = malloc(most * sizeof(IdAt))) == NULL;
        for (size_t p = 0; p < parts && !failed; p++)
            sort_part_of_ids(items + begin[p], begin[p + 1] - begin[p], shift, buckets, place, list, sorted + begin[p],
                             order + begin[p]);
    }
    free(begin);
    free(next);
    free(place);
    free(items);
    free(list);
    return failed ? -1 : 0;
}

static size_t lower_bound(const uint64_t *sorted, size_t low, size_t high, uint64_t id)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define NOWHERE UINT32_MAX
#define FEW_IDS 64 /* as many times fewer than buckets: they are looked for by bisection */

/* Where the ids of each bucket begin, one entry more than buckets. */
static void begin_buckets(const uint64_t *sorted, size_t count, uint32_t *begin)
{
    unsigned shift = bucket_shift(count);
    size_t buckets = (size_t)1 << (64 - shift);
    for (size_t b = 0, at = 0; b <= buckets; b++) {
        while (at < count && sorted[at] >> shift < b)
            at++;
        begin[b] = (uint32_t)at;
    }
}

/* What stands at each wanted id (at the first of equal ones), NOWHERE where it is not there: mostly where it was before
 * it was sorted. `begin` has the begin of each bucket; without it each id is looked for by bisection. */
static void find_ids(const uint64_t *sorted, const uint32_t *order, size_t count, const uint32_t *begin,
                     const uint64_t *wanted, size_t many, uint32_t *found)
{
    enum { GROUP = 32, FEW = 8 };
    unsigned shift = bucket_shift(count);
    if (begin == NULL) {
        for (size_t k = 0; k < many; k++) {
            size_t at = lower_bound(sorted, 0, count, wanted[k]);
            found[k] = at < count && sorted[at] == wanted[k] ? order[at] : NOWHERE;
        }
        return;
    }
    for (size_t base = 0; base < many; base += GROUP) {
        size_t size = many - base < GROUP ? many - base : GROUP;
        for (size_t k = 0; k < size; k++)
            __builtin_prefetch(begin + (wanted[base + k] >> shift));
        for (size_t k = 0; k < size; k++)
            __builtin_prefetch(sorted + begin[wanted[base + k] >> shift]);
        for (size_t k = 0; k < size; k++) {
            uint64_t id = wanted[base + k];
            size_t bucket = id >> shift, at = begin[bucket], end = begin[bucket + 1];
            if (end - at > FEW)
                at = lower_bound(sorted, at, end, id);
            else
                while (at < end && sorted[at] < id) /* mostly there is one, or none */
                    at++;
            found[base + k] = at < count && sorted[at] == id ? (uint32_t)at : NOWHERE;
            __builtin_prefetch(order + at);
        }
        for (size_t k = base; k < base + size; k++)
            if (found[k] != NOWHERE)
                found[k] = order[found[k]];
    }
}

/* Stable order by one digit-wise key below `bound`: order[] is read from `from` and written to `to`. */
static void count_pass(const uint32_t *key, const uint32_t *from, uint32_t *to, size_t count, uint32_t *place,
                       size_t bound)
{
    memset(place, 0, (bound + 1) * sizeof(uint32_t));
    for (size_t k = 0; k < count; k++)
        place[key[k] + 1]++;
    for (size_t b = 0; b < bound; b++)
        place[b + 1] += place[b];
    for (size_t k = 0; k < count; k++) {
        uint32_t item = from == NULL ? (uint32_t)k : from[k];
        to[place[key[item]]++] = item;
    }
}

/* Order by key, all below `bound`: one counting sort. `from` is the order so far, NULL for as they stand. */
static int sort_keys_below(const uint32_t *key, const uint32_t *from, size_t count, size_t bound, uint32_t *order)
{
    uint32_t *place = malloc((bound + 1) * sizeof(uint32_t));
    if (place == NULL)
        return -1;
    count_pass(key, from, order, count, place, bound);
    free(place);
    return 0;
}

typedef struct {
    uint32_t key, at;
} KeyAt;

static void radix_pass(const KeyAt *from, KeyAt *to, size_t count, unsigned shift)
{
    uint32_t place[DIGIT + 1] = {0};
    for (size_t k = 0; k < count; k++)
        place[(from[k].key >> shift & (DIGIT - 1)) + 1]++;
    for (size_t b = 0; b < DIGIT; b++)
        place[b + 1] += place[b];
    for (size_t k = 0; k < count; k++)
        to[place[from[k].key >> shift & (DIGIT - 1)]++] = from[k];
}

static void sort_keys(KeyAt *items, KeyAt *spare, size_t count)
{
    if (count > 4 * SMALL) {
        radix_pass(items, spare, count, 0);
        radix_pass(spare, items, count, 11);
        radix_pass(items, spare, count, 22);
        memcpy(items, spare, count * sizeof(KeyAt));
        return;
    }
    for (size_t k = 1; k < count; k++) {
        KeyAt item = items[k];
        size_t hole = k;
        for (; hole > 0 && item.key < items[hole - 1].key; hole--)
            items[hole] = items[hole - 1];
        items[hole] = item;
    }
}

/* Order of the items by key inside each of the parts that begin at parts[0 ... count_parts - 2]. */
static int sort_inside(const uint32_t *key, const uint32_t *parts, size_t count_parts, uint32_t *order)
{
    size_t count = count_parts ? parts[count_parts - 1] : 0;
    KeyAt *items = malloc((2 * count + 1) * sizeof(KeyAt));
    if (items == NULL)
        return -1;
    for (size_t k = 0; k < count; k++)
        items[k] = (KeyAt){key[k], (uint32_t)k};
    for (size_t p = 0; p + 1 < count_parts; p++)
        sort_keys(items + parts[p], items + count, parts[p + 1] - parts[p]);
    for (size_t k = 0; k < count; k++)
        order[k] = items[k].at;
    free(items);
    return 0;
}
#endif
