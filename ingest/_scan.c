/* ingest._scan: one pass over the bytes of an event that is as nearly all are; the same answers as scan_plain.py.
 *
 * Finds identity, time and the sections of an event, and tells of each section a digest over all but the numbers of
 * this run, so that a section that was seen before is never read again. It checks all the JSON on the way. Whatever is
 * odd in any way (no run event, escapes in a name, a key that comes twice, a time in another form, deep nesting, no
 * JSON at all) gets None: the reader in ingest/envelope.py decides on it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef const unsigned char *Text;

enum { DEEPEST = 120, MOST_NUMBERS = 2048, MOST_KEYS = 96, MOST_DIGITS = 4096 };
enum { KEPT, FLOATS, WHOLES }; /* what the numbers in a facet of a run are read as */
enum { START, RUNNING, OTHER, COMPLETE, FAIL, ABORT, TYPES };

static const char *const TYPE_NAMES[TYPES] = {"START", "RUNNING", "OTHER", "COMPLETE", "FAIL", "ABORT"};
static const char *const PLACES[3] = {"facets", "inputFacets", "outputFacets"};
static PyObject *type_objects[TYPES];
static uint64_t secret[8]; /* of this process, so that nobody can make sections that collide */

typedef struct {
    Text start, end;
} Span;

typedef struct {
    uint32_t entity, place, key;
    Span value;
    uint32_t from, to; /* its digits */
} Number;

typedef struct Kept Kept;

/* A part of an event; `slot`: where it will be kept. */
typedef struct {
    Span text;
    Kept *slot;
    uint64_t tag;
    uint32_t from, to; /* its numbers */
    PyObject *digest;  /* known from the first when it was met */
} Section;

typedef struct {
    Text at, end;
    PyObject *keys;    /* tuple of bytes: facets that differ from run to run */
    const char *kinds; /* of each, what its numbers are read as */
    Number *numbers;
    uint32_t found;
    Span *digits; /* every number of such facets */
    uint32_t noted;
    int noting;
} Scan;

/* -- values: each returns 0 and stands behind the value, or 1 when it is odd */

static inline void blank(Scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static inline int eat(Scan *s, char c)
{
    if (s->at >= s->end || *s->at != (unsigned char)c)
        return 0;
    s->at++;
    return 1;
}

static inline int is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static int hex4(Text p, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = p[i], low = c | 0x20;
        unsigned digit = is_digit(c) ? (unsigned)(c - '0') : low >= 'a' && low <= 'f' ? low - 'a' + 10u : 99u;
        if (digit > 15)
            return 1;
        *value = *value * 16 + digit;
    }
    return 0;
}

static int escape(Scan *s)
{
    unsigned code;
    if (s->end - s->at < 2)
        return 1;
    switch (s->at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        s->at += 2;
        return 0;
    case 'u': /* surrogates have rules of their own */
        if (s->end - s->at < 6 || hex4(s->at + 2, &code) || (code >= 0xD800 && code <= 0xDFFF))
            return 1;
        s->at += 6;
        return 0;
    }
    return 1;
}

/* Behind the opening quote; `plain` tells whether the text has no escape. */
static int string(Scan *s, Span *found, int *plain)
{
    found->start = s->at;
    *plain = 1;
    for (;;) {
#ifdef __SSE2__
        while (s->end - s->at >= 16) {
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s->at);
            __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
            odd = _mm_or_si128(odd, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v));
            unsigned mask = (unsigned)_mm_movemask_epi8(odd);
            if (mask) {
                s->at += __builtin_ctz(mask);
                break;
            }
            s->at += 16;
        }
#endif
        if (s->at >= s->end)
            return 1;
        unsigned char c = *s->at;
        if (c == '"') {
            found->end = s->at++;
            return 0;
        }
        if (c == '\\') {
            *plain = 0;
            if (escape(s))
                return 1;
        } else if (c < 0x20) {
            return 1;
        } else {
            s->at++;
        }
    }
}

static int number_text(Scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at >= s->end || !is_digit(*s->at))
        return 1;
    if (*s->at == '0')
        s->at++;
    else
        while (s->at < s->end && is_digit(*s->at))
            s->at++;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (s->at >= s->end || !is_digit(*s->at))
            return 1;
        while (s->at < s->end && is_digit(*s->at))
            s->at++;
    }
    if (s->at < s->end && (*s->at | 0x20) == 'e') {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (s->at >= s->end || !is_digit(*s->at))
            return 1;
        while (s->at < s->end && is_digit(*s->at))
            s->at++;
    }
    return 0;
}

static int number(Scan *s)
{
    Text from = s->at;
    if (number_text(s))
        return 1;
    if (s->noting) {
        if (s->noted < MOST_DIGITS)
            s->digits[s->noted] = (Span){from, s->at};
        s->noted++;
    }
    return 0;
}

static int word(Scan *s, const char *text, Py_ssize_t size)
{
    if (s->end - s->at < size || memcmp(s->at, text, (size_t)size))
        return 1;
    s->at += size;
    return 0;
}

static int value(Scan *s, int depth);

/* Behind the opening bracket. */
static int array(Scan *s, int depth)
{
    blank(s);
    if (eat(s, ']'))
        return 0;
    for (;;) {
        if (value(s, depth))
            return 1;
        blank(s);
        if (eat(s, ']'))
            return 0;
        if (!eat(s, ','))
            return 1;
    }
}

/* The key of the next member, up to its value. `first`: none was read yet. Returns -1 at the end of the object. */
static int member(Scan *s, int first, Span *key, int *plain)
{
    blank(s);
    if (first && eat(s, '}'))
        return -1;
    if (!first) {
        if (eat(s, '}'))
            return -1;
        if (!eat(s, ','))
            return 1;
        blank(s);
    }
    if (!eat(s, '"') || string(s, key, plain))
        return 1;
    blank(s);
    if (!eat(s, ':'))
        return 1;
    blank(s);
    return 0;
}

static int object(Scan *s, int depth)
{
    Span key;
    int plain;
    for (int first = 1;; first = 0) {
        int step = member(s, first, &key, &plain);
        if (step)
            return step > 0;
        if (value(s, depth))
            return 1;
    }
}

static int value(Scan *s, int depth)
{
    Span text;
    int plain;
    blank(s);
    if (s->at >= s->end || depth > DEEPEST)
        return 1;
    switch (*s->at) {
    case '"':
        s->at++;
        return string(s, &text, &plain);
    case '{':
        s->at++;
        return object(s, depth + 1);
    case '[':
        s->at++;
        return array(s, depth + 1);
    case 't':
        return word(s, "true", 4);
    case 'f':
        return word(s, "false", 5);
    case 'n':
        return word(s, "null", 4);
    default:
        return number(s);
    }
}

/* -- texts */

static int is(Span text, const char *name)
{
    size_t size = strlen(name);
    return (size_t)(text.end - text.start) == size && !memcmp(text.start, name, size);
}

/* A text without escapes that is no template; what is there already comes twice. */
static int plain_text(Scan *s, Span *found)
{
    int plain;
    if (found->start != NULL || !eat(s, '"') || string(s, found, &plain) || !plain)
        return 1;
    return found->start < found->end && (*found->start == '{' || *found->start == '$' || *found->start == ' ');
}

/* A text or null; null leaves nothing. */
static int text_or_null(Scan *s, Span *found)
{
    if (s->at < s->end && *s->at == 'n') {
        *found = (Span){s->at, s->at};
        return word(s, "null", 4);
    }
    int plain;
    return found->start != NULL || !eat(s, '"') || string(s, found, &plain) || !plain;
}

/* -- time */

static int two(Text p, int *value)
{
    if (!is_digit(p[0]) || !is_digit(p[1]))
        return 1;
    *value = (p[0] - '0') * 10 + (p[1] - '0');
    return 0;
}

/* 2026-03-31T18:00:00[.1-6 digits](Z|+hh:mm) to microseconds since 1970. */
static int micros(Span text, int64_t *found)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    Text p = text.start, end = text.end;
    int century, year, month, day, hour, minute, second, fraction = 0, offset = 0;
    if (end - p < 20 || two(p, &century) || two(p + 2, &year) || p[4] != '-' || two(p + 5, &month) || p[7] != '-' ||
        two(p + 8, &day) || p[10] != 'T' || two(p + 11, &hour) || p[13] != ':' || two(p + 14, &minute) ||
        p[16] != ':' || two(p + 17, &second))
        return 1;
    year += century * 100;
    if (year < 1970 || year > 9000 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59)
        return 1;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > days[month - 1] + (month == 2 && leap))
        return 1;
    p += 19;
    if (*p == '.') {
        int scale = 1000000;
        for (p++; p < end && is_digit(*p) && scale > 1; p++)
            fraction += (*p - '0') * (scale /= 10);
        if (scale == 1000000)
            return 1;
    }
    if (end - p == 6 && (*p == '+' || *p == '-')) {
        int hours, minutes;
        if (two(p + 1, &hours) || p[3] != ':' || two(p + 4, &minutes) || hours > 23 || minutes > 59)
            return 1;
        offset = (hours * 60 + minutes) * (*p == '-' ? -60 : 60);
    } else if (end - p != 1 || *p != 'Z') {
        return 1;
    }
    int y = year - (month <= 2), era = y / 400, of_era = y - era * 400; /* H. Hinnant, "chrono-compatible algorithms" */
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_number = era * 146097LL + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    *found = ((day_number * 24 + hour) * 60 + minute) * 60 + second - offset;
    *found = *found * 1000000 + fraction;
    return 0;
}

/* -- digests: two lanes of the kind of wyhash (public domain), each over every byte */

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(Text p)
{
    uint64_t value;
    memcpy(&value, p, 8);
    return value;
}

static void stir(uint64_t lane[4], Text p, size_t size)
{
    size_t whole = size;
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    for (; size >= 32; size -= 32, p += 32) {
        uint64_t w = load(p), x = load(p + 8), y = load(p + 16), z = load(p + 24);
        a = fold(w ^ secret[0], x ^ a), b = fold(y ^ secret[1], z ^ b);
        c = fold(w ^ secret[2], x ^ c), d = fold(y ^ secret[3], z ^ d);
    }
    unsigned char rest[32] = {0};
    memcpy(rest, p, size);
    uint64_t w = load(rest), x = load(rest + 8), y = load(rest + 16), z = load(rest + 24);
    lane[0] = fold(w ^ secret[0] ^ whole, x ^ a), lane[1] = fold(y ^ secret[1], z ^ b);
    lane[2] = fold(w ^ secret[2] ^ whole, x ^ c), lane[3] = fold(y ^ secret[3], z ^ d);
}

static inline void begin(uint64_t lane[4]) { memcpy(lane, secret + 4, 4 * sizeof *lane); }

/* Of the pieces that were stirred in, and how many there were. */
static PyObject *drawn(const uint64_t lane[4], uint32_t count)
{
    uint64_t out[2] = {
        fold(lane[0] ^ secret[5], lane[1] ^ secret[6] ^ count), fold(lane[2] ^ secret[7], lane[3] ^ secret[4] ^ count)};
    return PyBytes_FromStringAndSize((const char *)out, 16);
}

/* Of a section without the values of its numbers. */
static PyObject *digest(Span text, const Number *numbers, uint32_t count)
{
    uint64_t lane[4];
    begin(lane);
    Text from = text.start;
    for (uint32_t i = 0; i < count; i++) {
        stir(lane, from, (size_t)(numbers[i].value.start - from));
        from = numbers[i].value.end;
    }
    if (text.start != NULL)
        stir(lane, from, (size_t)(text.end - from));
    return drawn(lane, count);
}

/* -- sections that were met: the same bytes between the numbers of a run are not read again
 *
 * A section that comes for the second time is kept, and from then on compared. What it tells follows from its bytes
 * alone, so one that is equal to a kept one tells the same; its numbers are read and checked like any. */

enum { SETS = 1 << 12, WAYS = 4, SMALLEST = 256, LARGEST = 1 << 18, MOST_HOLES = 64, BEGINNING = 128 };
enum { MOST_HELD = 32 << 20 }; /* bytes */
enum { LIST, FACETS };

typedef struct {
    uint32_t entity, place, key, start, end; /* from the beginning of the section */
} Hole;

struct Kept {
    uint64_t tag;     /* of how the section begins, and of its job */
    PyObject *digest; /* NULL: nothing is known here */
    Hole *holes;      /* behind them the text; NULL: it came once */
    Text text;
    uint32_t size, count;
};

static Kept kept[SETS][WAYS];
static unsigned char next_way[SETS];
static size_t held;

static void let_go(Kept *slot)
{
    if (slot->holes != NULL)
        held -= slot->size;
    PyMem_RawFree(slot->holes);
    slot->holes = NULL;
}

static void forget_all(void)
{
    for (int i = 0; i < SETS; i++)
        for (int way = 0; way < WAYS; way++) {
            let_go(&kept[i][way]);
            Py_CLEAR(kept[i][way].digest);
        }
}

/* Whether the text goes on like a kept section; stands behind it then. */
static int goes_on(Scan *s, const Kept *slot, uint32_t *from, uint32_t *to)
{
    Text p = s->at, begin = p;
    uint32_t done = 0, found = s->found, noted = s->noted;
    for (uint32_t i = 0; i <= slot->count; i++) {
        uint32_t until = i < slot->count ? slot->holes[i].start : slot->size;
        if ((size_t)(s->end - p) < until - done || memcmp(p, slot->text + done, until - done))
            goto other;
        p += until - done;
        if (i == slot->count)
            break;
        const Hole *hole = &slot->holes[i];
        s->at = p;
        if (p >= s->end || *p == 'n' || *p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || s->found == MOST_NUMBERS)
            goto other;
        uint32_t first = s->noted;
        s->noting = s->kinds[hole->key] != KEPT;
        int odd = value(s, 4);
        s->noting = 0;
        if (odd)
            goto other;
        s->numbers[s->found++] = (Number){hole->entity, hole->place, hole->key, {p, s->at}, first, s->noted};
        p = s->at;
        done = hole->end;
    }
    s->at = p, *from = found, *to = s->found;
    return 1;
other:
    s->at = begin, s->found = found, s->noted = noted;
    return 0;
}

/* Whether the section that begins here was met before; it is behind us then. `sort`: how it is read. */
static int was_met(Scan *s, Section *section, int sort, Span job)
{
    if (s->end - s->at < SMALLEST)
        return 0;
    uint64_t lane[4];
    begin(lane);
    stir(lane, s->at, BEGINNING);
    if (job.start != NULL)
        stir(lane, job.start, (size_t)(job.end - job.start));
    section->tag = fold(lane[0] ^ lane[1] ^ secret[1], lane[2] ^ lane[3] ^ secret[2]) ^ (uint64_t)sort;
    Kept *set = kept[section->tag >> 52];
    for (int way = 0; way < WAYS; way++) {
        Kept *slot = &set[way];
        if (slot->tag != section->tag || slot->holes == NULL)
            continue;
        Text start = s->at;
        if (goes_on(s, slot, &section->from, &section->to)) {
            section->text = (Span){start, s->at};
            section->digest = slot->digest;
            Py_INCREF(slot->digest);
            return 1;
        }
    }
    section->slot = set;
    return 0;
}

/* Remember a section that was read: first its digest, and when it comes again the whole of it. */
static void keep(const Scan *s, const Section *section)
{
    PyObject *digest = section->digest;
    Text start = section->text.start;
    size_t size = (size_t)(section->text.end - start), count = section->to - section->from;
    if (section->slot == NULL || start == NULL || size < SMALLEST || size > LARGEST || count > MOST_HOLES)
        return;
    Kept *set = section->slot, *slot = NULL;
    for (int way = 0; way < WAYS && slot == NULL; way++)
        if (set[way].tag == section->tag && set[way].digest != NULL &&
            !memcmp(PyBytes_AS_STRING(set[way].digest), PyBytes_AS_STRING(digest), 16))
            slot = &set[way];
    if (slot == NULL) {
        slot = &set[next_way[section->tag >> 52]++ % WAYS];
        let_go(slot);
        slot->tag = section->tag;
        Py_INCREF(digest);
        Py_XSETREF(slot->digest, digest);
        return;
    }
    if (slot->holes != NULL)
        return;
    if (held + size > MOST_HELD)
        return forget_all();
    slot->holes = PyMem_RawMalloc(count * sizeof(Hole) + size);
    if (slot->holes == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        const Number *n = &s->numbers[section->from + i];
        slot->holes[i] = (Hole){
            n->entity, n->place, n->key, (uint32_t)(n->value.start - start), (uint32_t)(n->value.end - start)};
    }
    slot->text = memcpy(slot->holes + count, start, size);
    slot->size = (uint32_t)size, slot->count = (uint32_t)count;
    held += size;
}

/* Facets of a run or job, or whatever stands there. */
static int facets_of(Scan *s, Section *found, int keeps, Span job)
{
    if (found->text.start != NULL)
        return 1;
    if (keeps && was_met(s, found, FACETS, job))
        return 0;
    Text start = s->at;
    if (value(s, 1))
        return 1;
    found->text = (Span){start, s->at};
    return 0;
}

/* -- datasets: like any value, but the numbers of this run are noted */

static int per_run(Scan *s, Span key)
{
    Py_ssize_t size = key.end - key.start;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(s->keys); i++) {
        PyObject *name = PyTuple_GET_ITEM(s->keys, i);
        if (PyBytes_GET_SIZE(name) == size && !memcmp(PyBytes_AS_STRING(name), key.start, (size_t)size))
            return (int)i;
    }
    return -1;
}

static int facets(Scan *s, uint32_t entity, uint32_t place)
{
    Span seen[MOST_KEYS], key;
    int plain, count = 0;
    for (;; count++) {
        int step = member(s, count == 0, &key, &plain);
        if (step)
            return step > 0;
        if (!plain || count == MOST_KEYS)
            return 1;
        for (int i = 0; i < count; i++)
            if (seen[i].end - seen[i].start == key.end - key.start &&
                !memcmp(seen[i].start, key.start, (size_t)(key.end - key.start)))
                return 1;
        seen[count] = key;
        int which = per_run(s, key);
        Text from = s->at;
        uint32_t noted = s->noted;
        s->noting = which >= 0 && s->kinds[which] != KEPT;
        int odd = value(s, 4);
        s->noting = 0;
        if (odd)
            return 1;
        if (which < 0 || *from == 'n') /* null: as if it were not there */
            continue;
        if (s->found == MOST_NUMBERS)
            return 1;
        s->numbers[s->found++] = (Number){entity, place, (uint32_t)which, {from, s->at}, noted, s->noted};
    }
}

static int dataset(Scan *s, uint32_t entity)
{
    Span key;
    int plain, told[3] = {0, 0, 0}, last = 0;
    for (int first = 1;; first = 0) {
        int step = member(s, first, &key, &plain);
        if (step)
            return step > 0;
        if (!plain)
            return 1;
        int place = is(key, PLACES[0]) ? 0 : is(key, PLACES[1]) ? 1 : is(key, PLACES[2]) ? 2 : -1;
        if (place >= 0 && (told[place]++ || place < last)) /* numbers are told in the order of places */
            return 1;
        last = place >= 0 ? place : last;
        if (place >= 0 && s->at < s->end && *s->at == '{') {
            s->at++;
            if (facets(s, entity, (uint32_t)place))
                return 1;
        } else if (value(s, 3)) {
            return 1;
        }
    }
}

static int datasets(Scan *s, Section *found, Span job)
{
    if (found->text.start != NULL || s->at >= s->end)
        return 1;
    if (*s->at != '[')
        return facets_of(s, found, 0, job);
    if (was_met(s, found, LIST, job))
        return 0;
    found->from = s->found;
    found->text.start = s->at++;
    blank(s);
    if (!eat(s, ']')) {
        for (uint32_t entity = 0;; entity++) {
            blank(s);
            if (s->at < s->end && *s->at == '{') {
                s->at++;
                if (dataset(s, entity))
                    return 1;
            } else if (value(s, 2)) {
                return 1;
            }
            blank(s);
            if (eat(s, ']'))
                break;
            if (!eat(s, ','))
                return 1;
        }
    }
    found->text.end = s->at;
    found->to = s->found;
    return 0;
}

/* -- the event */

typedef struct {
    Span time, type, producer, schema, run_id, job_namespace, job_name;
    Section run_facets, job_facets, inputs, outputs;
    int has_run, has_job;
} Event;

static int run(Scan *s, Event *event)
{
    Span key;
    int plain;
    if (event->has_run++ || !eat(s, '{'))
        return 1;
    for (int first = 1;; first = 0) {
        int step = member(s, first, &key, &plain);
        if (step)
            return step > 0;
        if (!plain || (is(key, "runId")    ? plain_text(s, &event->run_id)
                       : is(key, "facets") ? facets_of(s, &event->run_facets, 0, event->job_name)
                                           : value(s, 2)))
            return 1;
    }
}

static int job(Scan *s, Event *event)
{
    Span key;
    int plain;
    if (event->has_job++ || !eat(s, '{'))
        return 1;
    for (int first = 1;; first = 0) {
        int step = member(s, first, &key, &plain);
        if (step)
            return step > 0;
        if (!plain || (is(key, "namespace") ? plain_text(s, &event->job_namespace)
                       : is(key, "name")    ? plain_text(s, &event->job_name)
                       : is(key, "facets")  ? facets_of(s, &event->job_facets, 1, event->job_name)
                                            : value(s, 2)))
            return 1;
    }
}

static int field(Scan *s, Event *event, Span key)
{
    if (is(key, "eventTime"))
        return plain_text(s, &event->time);
    if (is(key, "eventType"))
        return text_or_null(s, &event->type);
    if (is(key, "producer"))
        return text_or_null(s, &event->producer);
    if (is(key, "schemaURL"))
        return text_or_null(s, &event->schema);
    if (is(key, "run"))
        return run(s, event);
    if (is(key, "job"))
        return job(s, event);
    if (is(key, "dataset"))
        return 1;
    if (is(key, "inputs"))
        return datasets(s, &event->inputs, event->job_name);
    if (is(key, "outputs"))
        return datasets(s, &event->outputs, event->job_name);
    return value(s, 1);
}

static int whole(Scan *s, Event *event)
{
    Span key;
    int plain;
    blank(s);
    if (!eat(s, '{'))
        return 1;
    for (int first = 1;; first = 0) {
        int step = member(s, first, &key, &plain);
        if (step > 0)
            return 1;
        if (step < 0)
            break;
        if (!plain || field(s, event, key))
            return 1;
    }
    blank(s);
    return s->at != s->end || !event->has_run || !event->has_job || event->run_id.start == event->run_id.end ||
           event->job_name.start == event->job_name.end || event->job_namespace.start == event->job_namespace.end;
}

static PyObject *type_of(Span text)
{
    if (text.start == text.end)
        return Py_None;
    for (int i = 0; i < TYPES; i++)
        if (is(text, TYPE_NAMES[i]))
            return type_objects[i];
    return NULL;
}

static PyObject *str_of(Span text)
{
    return PyUnicode_DecodeUTF8((const char *)text.start, text.end - text.start, NULL);
}

/* Number of plain digits: none below zero, whole ones exactly; NULL without an error for any other. */
static PyObject *plain_number(Span text, int kind)
{
    Py_ssize_t size = text.end - text.start, i = 0;
    uint64_t whole = 0;
    char copy[64];
    while (i < size && is_digit(text.start[i]) && i < 18)
        whole = whole * 10 + (text.start[i++] - '0');
    if (i == size && kind == WHOLES)
        return PyLong_FromUnsignedLongLong(whole);
    if (i == size && whole < (1ULL << 53))
        return PyFloat_FromDouble((double)whole);
    if (kind == WHOLES || *text.start == '-' || size >= (Py_ssize_t)sizeof copy)
        return NULL;
    memcpy(copy, text.start, (size_t)size);
    copy[size] = 0;
    double found = PyOS_string_to_double(copy, NULL, NULL);
    if (found == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    return found < 1e300 ? PyFloat_FromDouble(found) : NULL;
}

/* Puts behind the places of a facet the digest of all but its numbers, and these; None twice where they are not plain
 * or not read here. */
static int put_values(const Scan *s, const Number *n, PyObject *item)
{
    int kind = s->kinds[n->key];
    uint64_t lane[4];
    begin(lane);
    Text from = n->value.start;
    uint32_t count = n->to - n->from;
    PyObject *values = kind != KEPT && n->to <= MOST_DIGITS ? PyTuple_New((Py_ssize_t)count) : NULL;
    for (uint32_t i = 0; values != NULL && i < count; i++) {
        const Span *digits = &s->digits[n->from + i];
        PyObject *one = plain_number(*digits, kind);
        if (one == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyTuple_SET_ITEM(values, (Py_ssize_t)i, one);
        stir(lane, from, (size_t)(digits->start - from));
        from = digits->end;
    }
    if (PyErr_Occurred())
        return 1;
    PyObject *known = NULL;
    if (values != NULL) {
        stir(lane, from, (size_t)(n->value.end - from));
        if ((known = drawn(lane, count)) == NULL) {
            Py_DECREF(values);
            return 1;
        }
    }
    PyTuple_SET_ITEM(item, 5, values != NULL ? known : Py_NewRef(Py_None));
    PyTuple_SET_ITEM(item, 6, values != NULL ? values : Py_NewRef(Py_None));
    return 0;
}

static PyObject *number_of(const Scan *s, Text data, const Number *n)
{
    PyObject *item = PyTuple_New(7);
    const Py_ssize_t places[5] = {n->entity, n->place, n->key, n->value.start - data, n->value.end - data};
    for (int i = 0; item != NULL && i < 5; i++) {
        PyObject *place = PyLong_FromSsize_t(places[i]);
        if (place == NULL)
            Py_CLEAR(item);
        else
            PyTuple_SET_ITEM(item, i, place);
    }
    if (item != NULL && put_values(s, n, item))
        Py_CLEAR(item);
    return item;
}

static PyObject *numbers_of(const Scan *s, Text data, uint32_t from, uint32_t to)
{
    PyObject *found = PyTuple_New((Py_ssize_t)(to - from));
    for (uint32_t i = from; found != NULL && i < to; i++) {
        PyObject *item = number_of(s, data, &s->numbers[i]);
        if (item == NULL)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, (Py_ssize_t)(i - from), item);
    }
    return found;
}

/* (start, end, digest, numbers) of a section. */
static PyObject *section_of(const Scan *s, Text data, Section *section)
{
    Span text = section->text;
    Py_ssize_t start = text.start != NULL ? text.start - data : 0, end = text.start != NULL ? text.end - data : 0;
    if (section->digest == NULL)
        section->digest = digest(text, s->numbers + section->from, section->to - section->from);
    if (section->digest == NULL)
        return NULL;
    return Py_BuildValue("(nnON)", start, end, section->digest, numbers_of(s, data, section->from, section->to));
}

static PyObject *answer(const Scan *s, Text data, Event *event)
{
    int64_t at;
    PyObject *type = type_of(event->type);
    if (type == NULL || event->time.start == NULL || micros(event->time, &at))
        Py_RETURN_NONE;
    PyObject *found = Py_BuildValue(
        "(LONNNNNNNN)", (long long)at, type, str_of(event->producer), str_of(event->run_id),
        str_of(event->job_namespace), str_of(event->job_name), section_of(s, data, &event->run_facets),
        section_of(s, data, &event->job_facets), section_of(s, data, &event->inputs),
        section_of(s, data, &event->outputs));
    if (found != NULL) {
        keep(s, &event->job_facets);
        keep(s, &event->inputs);
        keep(s, &event->outputs);
    }
    if (found == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return found;
}

static PyObject *scan(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (given != 3 || !PyBytes_Check(args[0]) || !PyTuple_Check(args[1]) || !PyBytes_Check(args[2]) ||
        PyBytes_GET_SIZE(args[2]) != PyTuple_GET_SIZE(args[1])) {
        PyErr_SetString(PyExc_TypeError, "scan(data: bytes, keys: tuple[bytes, ...], kinds: bytes, one for each key)");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[1]); i++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(args[1], i))) {
            PyErr_SetString(PyExc_TypeError, "keys are bytes");
            return NULL;
        }
    Number numbers[MOST_NUMBERS];
    Span digits[MOST_DIGITS];
    Text data = (Text)PyBytes_AS_STRING(args[0]);
    Scan s = {data, data + PyBytes_GET_SIZE(args[0]), args[1], PyBytes_AS_STRING(args[2]), numbers, 0, digits, 0, 0};
    Event event = {0};
    PyObject *found = whole(&s, &event) ? Py_NewRef(Py_None) : answer(&s, data, &event);
    Py_XDECREF(event.run_facets.digest);
    Py_XDECREF(event.job_facets.digest);
    Py_XDECREF(event.inputs.digest);
    Py_XDECREF(event.outputs.digest);
    return found;
}

/* A JSON value with its first number replaced by 0, the second by 1 and so on. */
static PyObject *counted(PyObject *module, PyObject *text)
{
    (void)module;
    if (!PyBytes_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "counted(text: bytes)");
        return NULL;
    }
    Span digits[MOST_DIGITS];
    Text from = (Text)PyBytes_AS_STRING(text), end = from + PyBytes_GET_SIZE(text);
    Scan s = {from, end, NULL, NULL, NULL, 0, digits, 0, 1};
    if (value(&s, 0) || s.at != end || s.noted > MOST_DIGITS)
        Py_RETURN_NONE;
    _Static_assert(MOST_DIGITS <= 10000, "four digits are room enough");
    PyObject *found = PyBytes_FromStringAndSize(NULL, end - from + 4 * (Py_ssize_t)s.noted);
    if (found == NULL)
        return NULL;
    char *to = PyBytes_AS_STRING(found);
    for (uint32_t i = 0; i < s.noted; i++) {
        memcpy(to, from, (size_t)(digits[i].start - from));
        to += digits[i].start - from;
        to += PyOS_snprintf(to, 5, "%u", i);
        from = digits[i].end;
    }
    memcpy(to, from, (size_t)(end - from));
    to += end - from;
    _PyBytes_Resize(&found, to - PyBytes_AS_STRING(found));
    return found;
}

static PyObject *time_of(PyObject *module, PyObject *text)
{
    (void)module;
    int64_t at;
    if (!PyBytes_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "time_of(text: bytes)");
        return NULL;
    }
    Text start = (Text)PyBytes_AS_STRING(text);
    if (micros((Span){start, start + PyBytes_GET_SIZE(text)}, &at))
        Py_RETURN_NONE;
    return PyLong_FromLongLong(at);
}

static PyObject *forget(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    forget_all();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL, "Sections of an event, or None."},
    {"counted", counted, METH_O, "A JSON value whose numbers are their places, or None."},
    {"forget", forget, METH_NOARGS, "Drop the sections that were kept to be compared."},
    {"time_of", time_of, METH_O, "Microseconds of a time in the usual form, or None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_scan", NULL, -1, methods, NULL, NULL, NULL, NULL};

static int draw_secret(void)
{
    PyObject *os = PyImport_ImportModule("os");
    PyObject *drawn = os != NULL ? PyObject_CallMethod(os, "urandom", "n", (Py_ssize_t)sizeof secret) : NULL;
    Py_XDECREF(os);
    if (drawn == NULL)
        return -1;
    memcpy(secret, PyBytes_AS_STRING(drawn), sizeof secret);
    Py_DECREF(drawn);
    return 0;
}

PyMODINIT_FUNC PyInit__scan(void)
{
    for (int i = 0; i < TYPES; i++)
        if (type_objects[i] == NULL && (type_objects[i] = PyUnicode_InternFromString(TYPE_NAMES[i])) == NULL)
            return NULL;
    if (draw_secret() < 0)
        return NULL;
    return PyModule_Create(&definition);
}
