/* Cost passed on along lineage, in 128-bit integers; the same face and the same results as share_plain.py. */
#include "../graph/kernels/buffers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef __int128 money;
typedef unsigned __int128 size128;

/* 2^86: times a weight of at most 10^12 < 2^40 it still fits. */
#define LARGEST ((money)1 << 86)

typedef struct {
    size128 remainder;
    uint32_t at;
} Rest;

typedef struct {
    size128 *weight;
    money *part;
    uint32_t *edge;
    Rest *rest;
} Room;

static int by_remainder(const void *a, const void *b)
{
    const Rest *x = a, *y = b;
    if (x->remainder != y->remainder)
        return x->remainder < y->remainder ? 1 : -1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Parts of an amount by weights: rounded towards zero, the rest to the largest remainders, ties to the earlier. */
static void split(money amount, uint32_t n, Room *room)
{
    size128 total = 0;
    for (uint32_t k = 0; k < n; k++)
        total += room->weight[k];
    if (total == 0) {
        for (uint32_t k = 0; k < n; k++)
            room->weight[k] = 1;
        total = n;
    }
    int minus = amount < 0;
    size128 size = minus ? (size128)-amount : (size128)amount, left = size;
    for (uint32_t k = 0; k < n; k++) {
        size128 product = size * room->weight[k], part = product / total;
        room->part[k] = (money)part;
        room->rest[k] = (Rest){product - part * total, k};
        left -= part;
    }
    if (left > 0) {
        qsort(room->rest, n, sizeof(Rest), by_remainder);
        for (size128 k = 0; k < left; k++)
            room->part[room->rest[k].at]++;
    }
    if (minus)
        for (uint32_t k = 0; k < n; k++)
            room->part[k] = -room->part[k];
}

typedef struct {
    uint32_t n, count;
    const money *own;
    const int64_t *keep, *weight;
    const uint32_t *order, *start, *component, *ptr, *idx;
    money *full, *kept, *flow, *received;
} Job;

/* Members of a component share an amount by their own cost. */
static void among(const Job *job, money amount, const uint32_t *member, uint32_t n, money *into, Room *room)
{
    for (uint32_t k = 0; k < n; k++) {
        money own = job->own[member[k]];
        /* Weights stay below 2^40: own costs of a cycle are shifted down alike. */
        room->weight[k] = own > 0 ? (size128)own : 0;
    }
    size128 top = 0;
    for (uint32_t k = 0; k < n; k++)
        top = room->weight[k] > top ? room->weight[k] : top;
    int shift = 0;
    while ((top >> shift) >= ((size128)1 << 39))
        shift++;
    for (uint32_t k = 0; k < n; k++)
        room->weight[k] >>= shift;
    split(amount, n, room);
    for (uint32_t k = 0; k < n; k++)
        into[member[k]] += room->part[k];
}

static void pass_on(const Job *job, uint32_t c, Room *room)
{
    const uint32_t *member = job->order + job->start[c];
    uint32_t n = job->start[c + 1] - job->start[c], edges = 0;
    money own = 0, received = 0;
    int64_t keep = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t v = member[k];
        own += job->own[v];
        received += job->received[v];
        keep = job->keep[v] > keep ? job->keep[v] : keep;
        job->full[v] += job->own[v];
        for (uint32_t e = job->ptr[v]; e < job->ptr[v + 1]; e++)
            if (job->component[job->idx[e]] != c) {
                room->edge[edges] = e;
                edges++;
            }
    }
    if (received != 0)
        among(job, received, member, n, job->full, room);
    money all = own + received, mine = edges ? all * (money)keep / (money)1000000000000 : all;
    if (mine != 0)
        among(job, mine, member, n, job->kept, room);
    if (edges == 0 || all == mine)
        return;
    for (uint32_t k = 0; k < edges; k++)
        room->weight[k] = (size128)job->weight[room->edge[k]];
    split(all - mine, edges, room);
    for (uint32_t k = 0; k < edges; k++) {
        job->flow[room->edge[k]] = room->part[k];
        job->received[job->idx[room->edge[k]]] += room->part[k];
    }
}

/* Most places that one component needs. */
static size_t widest(const Job *job)
{
    size_t most = 1;
    for (uint32_t c = 0; c < job->count; c++) {
        size_t n = job->start[c + 1] - job->start[c], edges = 0;
        for (uint32_t k = job->start[c]; k < job->start[c + 1]; k++)
            edges += job->ptr[job->order[k] + 1] - job->ptr[job->order[k]];
        most = n > most ? n : most;
        most = edges > most ? edges : most;
    }
    return most;
}

static int run(Job *job)
{
    size_t most = widest(job);
    Room room = {malloc(most * sizeof(size128)), malloc(most * sizeof(money)), malloc(most * sizeof(uint32_t)),
                 malloc(most * sizeof(Rest))};
    int failed = !room.weight || !room.part || !room.edge || !room.rest;
    for (uint32_t c = 0; !failed && c < job->count; c++)
        pass_on(job, c, &room);
    free(room.weight);
    free(room.part);
    free(room.edge);
    free(room.rest);
    return failed;
}

/* Whether the views hold one graph whose components ascend along the flow, and amounts that fit. */
static const char *wrong(const Job *job, const Py_buffer *v)
{
    uint32_t n = job->n;
    if (length(&v[0]) != 2 * (Py_ssize_t)n || length(&v[1]) != n || length(&v[2]) != n || length(&v[4]) != n ||
        length(&v[5]) != (Py_ssize_t)n + 1 || job->ptr[0] != 0 || job->start[0] != 0 || job->start[job->count] != n ||
        length(&v[6]) != job->ptr[n] || length(&v[7]) != job->ptr[n])
        return "arrays of one graph expected";
    for (uint32_t v_ = 0; v_ < n; v_++)
        if (job->ptr[v_ + 1] < job->ptr[v_] || job->order[v_] >= n || job->component[v_] >= job->count ||
            job->keep[v_] < 0 || job->keep[v_] > 1000000000000)
            return "ascending lists, vertices below n and shares up to 10^12 expected";
    for (uint32_t c = 0; c < job->count; c++)
        if (job->start[c + 1] < job->start[c])
            return "ascending components expected";
    for (uint32_t v_ = 0; v_ < n; v_++)
        for (uint32_t e = job->ptr[v_]; e < job->ptr[v_ + 1]; e++)
            if (job->idx[e] >= n || job->component[job->idx[e]] < job->component[v_] || job->weight[e] < 0 ||
                job->weight[e] > 1000000000000)
                return "edges along the components with weights up to 10^12 expected";
    return NULL;
}

/* share(own, keep, order, start, component, indptr, indices, weight) -> (full, kept, flow) */
static PyObject *k_share(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {8, 8, 4, 4, 4, 4, 4, 8};
    Py_buffer v[8];
    if (given != 8) {
        PyErr_SetString(PyExc_TypeError, "share(own, keep, order, start, component, indptr, indices, weight)");
        return NULL;
    }
    if (views_of(args, v, sizes, 8) < 0)
        return NULL;
    PyObject *full = NULL, *kept = NULL, *flow = NULL, *answer = NULL;
    money *own = NULL, *buffer = NULL;
    Job job = {(uint32_t)length(&v[1]), (uint32_t)(length(&v[3]) - 1), NULL, v[1].buf, v[7].buf, v[2].buf, v[3].buf,
               v[4].buf, v[5].buf, v[6].buf, NULL, NULL, NULL, NULL};
    const char *problem = length(&v[3]) < 1 || length(&v[5]) < 1 ? "begins of lists expected" : wrong(&job, v);
    if (problem != NULL) {
        PyErr_SetString(PyExc_ValueError, problem);
        goto done;
    }
    size_t n = job.n, edges = job.ptr[job.n];
    own = malloc((n + 1) * sizeof(money));
    buffer = calloc(3 * n + edges + 1, sizeof(money));
    if (!own || !buffer) {
        PyErr_NoMemory();
        goto done;
    }
    memcpy(own, v[0].buf, n * sizeof(money));
    money sum = 0;
    for (size_t k = 0; k < n; k++) {
        money size = own[k] < 0 ? -own[k] : own[k];
        sum = size < 0 || size >= LARGEST || sum >= LARGEST ? LARGEST : sum + size;
    }
    if (sum >= LARGEST) {
        PyErr_SetString(PyExc_OverflowError, "amounts below 2^86 in all expected");
        goto done;
    }
    job.own = own;
    job.full = buffer;
    job.kept = buffer + n;
    job.received = buffer + 2 * n;
    job.flow = buffer + 3 * n;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = run(&job);
    Py_END_ALLOW_THREADS
    if (failed) {
        PyErr_NoMemory();
        goto done;
    }
    full = room_for((Py_ssize_t)n, sizeof(money));
    kept = room_for((Py_ssize_t)n, sizeof(money));
    flow = room_for((Py_ssize_t)edges, sizeof(money));
    if (full && kept && flow) {
        memcpy(PyBytes_AS_STRING(full), job.full, n * sizeof(money));
        memcpy(PyBytes_AS_STRING(kept), job.kept, n * sizeof(money));
        memcpy(PyBytes_AS_STRING(flow), job.flow, edges * sizeof(money));
        answer = PyTuple_Pack(3, full, kept, flow);
    }
done:
    Py_XDECREF(full);
    Py_XDECREF(kept);
    Py_XDECREF(flow);
    free(own);
    free(buffer);
    release(v, 8);
    return answer;
}

static PyMethodDef methods[] = {
    {"share", (PyCFunction)(void (*)(void))k_share, METH_FASTCALL, "Pass cost on along lineage."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_share", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__share(void)
{
    return PyModule_Create(&definition);
}
