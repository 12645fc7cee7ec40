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

enum { DEEPEST = 120, MOST_NUMBERS = 2048, MOST_KEYS = 96 };
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
} Number;

typedef struct {
    Text at, end;
    PyObject *keys; /* tuple of bytes: facets that differ from run to run */
    Number *numbers;
    uint32_t found;
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

static int number(Scan *s)
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

static int section(Scan *s, Span *found)
{
    if (found->start != NULL)
        return 1;
    found->start = s->at;
    if (value(s, 1))
        return 1;
    found->end = s->at;
    return 0;
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

/* Of a section without the values of its numbers; how many pieces there are counts too. */
static PyObject *digest(Span text, const Number *numbers, uint32_t count)
{
    uint64_t lane[4] = {secret[4], secret[5], secret[6], secret[7]};
    Text from = text.start;
    for (uint32_t i = 0; i < count; i++) {
        stir(lane, from, (size_t)(numbers[i].value.start - from));
        from = numbers[i].value.end;
    }
    if (text.start != NULL)
        stir(lane, from, (size_t)(text.end - from));
    uint64_t out[2] = {
        fold(lane[0] ^ secret[5], lane[1] ^ secret[6] ^ count), fold(lane[2] ^ secret[7], lane[3] ^ secret[4] ^ count)};
    return PyBytes_FromStringAndSize((const char *)out, 16);
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
        if (value(s, 4))
            return 1;
        if (which < 0 || *from == 'n') /* null: as if it were not there */
            continue;
        if (s->found == MOST_NUMBERS)
            return 1;
        s->numbers[s->found++] = (Number){entity, place, (uint32_t)which, {from, s->at}};
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

static int datasets(Scan *s, Span *found)
{
    if (found->start != NULL || s->at >= s->end)
        return 1;
    if (*s->at != '[')
        return section(s, found);
    found->start = s->at++;
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
    found->end = s->at;
    return 0;
}

/* -- the event */

typedef struct {
    Span time, type, producer, schema, run_id, run_facets, job_namespace, job_name, job_facets, inputs, outputs;
    uint32_t input_from, input_to, output_from, output_to; /* their numbers */
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
                       : is(key, "facets") ? section(s, &event->run_facets)
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
                       : is(key, "facets")  ? section(s, &event->job_facets)
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
    if (is(key, "inputs")) {
        event->input_from = s->found;
        int odd = datasets(s, &event->inputs);
        event->input_to = s->found;
        return odd;
    }
    if (is(key, "outputs")) {
        event->output_from = s->found;
        int odd = datasets(s, &event->outputs);
        event->output_to = s->found;
        return odd;
    }
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

static PyObject *numbers_of(const Scan *s, Text data, uint32_t from, uint32_t to)
{
    PyObject *found = PyTuple_New((Py_ssize_t)(to - from));
    for (uint32_t i = from; found != NULL && i < to; i++) {
        const Number *n = &s->numbers[i];
        PyObject *item = Py_BuildValue(
            "(IIInn)", n->entity, n->place, n->key, (Py_ssize_t)(n->value.start - data),
            (Py_ssize_t)(n->value.end - data));
        if (item == NULL)
            Py_CLEAR(found);
        else
            PyTuple_SET_ITEM(found, (Py_ssize_t)(i - from), item);
    }
    return found;
}

/* (start, end, digest, numbers) of a section. */
static PyObject *section_of(const Scan *s, Text data, Span text, uint32_t from, uint32_t to)
{
    Py_ssize_t start = text.start != NULL ? text.start - data : 0, end = text.start != NULL ? text.end - data : 0;
    return Py_BuildValue(
        "(nnNN)", start, end, digest(text, s->numbers + from, to - from), numbers_of(s, data, from, to));
}

static PyObject *answer(const Scan *s, Text data, const Event *event)
{
    int64_t at;
    PyObject *type = type_of(event->type);
    if (type == NULL || event->time.start == NULL || micros(event->time, &at))
        Py_RETURN_NONE;
    PyObject *found = Py_BuildValue(
        "(LONNNNNNNN)", (long long)at, type, str_of(event->producer), str_of(event->run_id),
        str_of(event->job_namespace), str_of(event->job_name), section_of(s, data, event->run_facets, 0, 0),
        section_of(s, data, event->job_facets, 0, 0),
        section_of(s, data, event->inputs, event->input_from, event->input_to),
        section_of(s, data, event->outputs, event->output_from, event->output_to));
    if (found == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return found;
}

static PyObject *scan(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (given != 2 || !PyBytes_Check(args[0]) || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "scan(data: bytes, keys: tuple[bytes, ...])");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[1]); i++)
        if (!PyBytes_Check(PyTuple_GET_ITEM(args[1], i))) {
            PyErr_SetString(PyExc_TypeError, "keys are bytes");
            return NULL;
        }
    Number numbers[MOST_NUMBERS];
    Text data = (Text)PyBytes_AS_STRING(args[0]);
    Scan s = {data, data + PyBytes_GET_SIZE(args[0]), args[1], numbers, 0};
    Event event = {0};
    if (whole(&s, &event))
        Py_RETURN_NONE;
    return answer(&s, data, &event);
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

static PyMethodDef methods[] = {
    {"scan", (PyCFunction)(void (*)(void))scan, METH_FASTCALL, "Sections of an event, or None."},
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
