/* lineage.graph._kernels: the compiled kernels of the graph engine. What they compute is told in search.h, sort.h and
 * order.h; the rest is the way between Python buffers and C arrays. No numpy headers are needed. */
#include "buffers.h"
#include "gather.h"
#include "methods.h"
#include "order.h"
#include "pairs.h"
#include "renumber.h"
#include "rows.h"
#include "sort.h"

static int expect(Py_ssize_t given, Py_ssize_t wanted, const char *usage)
{
    if (given == wanted)
        return 0;
    PyErr_SetString(PyExc_TypeError, usage);
    return -1;
}

static PyObject *k_sort_ids(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Py_buffer ids;
    if (expect(given, 1, "sort_ids(ids)") < 0 || view_of(args[0], &ids, 8) < 0)
        return NULL;
    PyObject *sorted = block_for((size_t)length(&ids), 8), *order = sorted ? block_for((size_t)length(&ids), 4) : NULL;
    int failed = order == NULL;
    if (!failed) {
        uint64_t *s = block_memory(sorted);
        uint32_t *o = block_memory(order);
        Py_BEGIN_ALLOW_THREADS
        failed = sort_ids(ids.buf, (size_t)length(&ids), s, o);
        Py_END_ALLOW_THREADS
        if (failed)
            PyErr_NoMemory();
    }
    PyBuffer_Release(&ids);
    PyObject *answer = failed ? NULL : PyTuple_Pack(2, sorted, order);
    Py_XDECREF(sorted);
    Py_XDECREF(order);
    return answer;
}

/* Where the ids of each bucket begin; NULL without memory. */
static uint32_t *buckets_of(const Py_buffer *sorted)
{
    size_t count = (size_t)length(sorted);
    uint32_t *begin = room_new((((size_t)1 << (64 - bucket_shift(count))) + 1) * sizeof(uint32_t));
    if (begin != NULL)
        begin_buckets(sorted->buf, count, begin);
    return begin;
}

/* The searches for ids in each of several arrays. */
static PyObject *k_find_ids(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    enum { MOST = 8 };
    static const int sizes[] = {8, 4, 8, 8, 8, 8, 8, 8, 8, 8};
    Py_buffer v[2 + MOST]; /* sorted, where each was, wanted */
    int arrays = (int)given - 2;
    if (arrays < 1 || arrays > MOST) {
        PyErr_SetString(PyExc_TypeError, "find_ids(sorted, order, wanted, ...), up to 8 arrays that are wanted");
        return NULL;
    }
    if (views_of(args, v, sizes, 2 + arrays) < 0)
        return NULL;
    PyObject *answer = NULL;
    size_t count = (size_t)length(&v[0]), many = 0;
    if (count != (size_t)length(&v[1]))
        PyErr_SetString(PyExc_ValueError, "one place for each sorted id expected");
    else
        answer = PyTuple_New(arrays);
    for (int k = 0; k < arrays && answer != NULL; k++) {
        PyObject *block = block_soon((size_t)length(&v[2 + k]), 4);
        if (block == NULL)
            Py_CLEAR(answer);
        else
            PyTuple_SET_ITEM(answer, k, block);
        many += (size_t)length(&v[2 + k]);
    }
    if (answer != NULL) {
        uint32_t *begin = NULL;
        int failed = 0;
        Py_BEGIN_ALLOW_THREADS
        if (many >= count / FEW_IDS)
            failed = (begin = buckets_of(&v[0])) == NULL;
        for (int k = 0; k < arrays && !failed; k++)
            find_ids(v[0].buf, v[1].buf, count, begin, v[2 + k].buf, (size_t)length(&v[2 + k]),
                     block_memory(PyTuple_GET_ITEM(answer, k)));
        Py_END_ALLOW_THREADS
        free(begin);
        if (failed) {
            Py_CLEAR(answer);
            PyErr_NoMemory();
        }
    }
    release(v, 2 + arrays);
    return answer;
}

static int below(const Py_buffer *keys, unsigned long bound)
{
    const uint32_t *key = keys->buf;
    for (Py_ssize_t k = 0, n = length(keys); k < n; k++)
        if (key[k] >= bound) {
            PyErr_Format(PyExc_ValueError, "key %u is not below %lu", key[k], bound);
            return -1;
        }
    return 0;
}

static PyObject *k_sort_keys(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2]; /* keys, order so far */
    if (expect(given, 3, "sort_keys(keys, bound, order or None)") < 0)
        return NULL;
    unsigned long bound = PyLong_AsUnsignedLong(args[1]);
    PyObject *const arrays[] = {args[0], args[2]};
    int count = args[2] == Py_None ? 1 : 2;
    if (PyErr_Occurred() || views_of(arrays, v, sizes, count) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (count == 2 && (length(&v[0]) != length(&v[1]) || below(&v[1], (unsigned long)length(&v[0])) < 0))
        PyErr_SetString(PyExc_ValueError, "an order of all keys expected");
    else if (below(&v[0], bound) == 0)
        answer = block_soon((size_t)length(&v[0]), 4);
    if (answer != NULL) {
        int failed;
        uint32_t *order = block_memory(answer);
        Py_BEGIN_ALLOW_THREADS
        failed = sort_keys_below(v[0].buf, count == 2 ? v[1].buf : NULL, (size_t)length(&v[0]), bound, order);
        Py_END_ALLOW_THREADS
        if (failed) {
            Py_CLEAR(answer);
            PyErr_NoMemory();
        }
    }
    release(v, count);
    return answer;
}

static PyObject *k_sort_rows(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2]; /* first and second numbers */
    if (expect(given, 3, "sort_rows(high, low, bound)") < 0)
        return NULL;
    unsigned long bound = PyLong_AsUnsignedLong(args[2]);
    if (PyErr_Occurred() || views_of(args, v, sizes, 2) < 0)
        return NULL;
    size_t m = (size_t)length(&v[0]);
    PyObject *key = NULL, *order = NULL, *answer = NULL;
    if (bound > UINT32_MAX || m >= UINT32_MAX || m != (size_t)length(&v[1]))
        PyErr_SetString(PyExc_ValueError, "two arrays of one length, and a bound of 32 bits, expected");
    else if ((key = block_for(m, 8)) != NULL)
        order = block_soon(m, 4);
    if (order != NULL) {
        Sorting sorting = {.high = v[0].buf, .low = v[1].buf, .m = m, .bound = (uint32_t)bound};
        Row *row = NULL;
        int failed;
        Py_BEGIN_ALLOW_THREADS
        failed = sorting_begin(&sorting);
        Py_END_ALLOW_THREADS
        if (!failed && (row = pool_take((m + 1) * sizeof(Row))) == NULL)
            failed = -2;
        if (!failed) {
            Py_BEGIN_ALLOW_THREADS
            failed = sort_rows(&sorting, row, block_memory(key), block_memory(order));
            Py_END_ALLOW_THREADS
        }
        pool_give(row, (m + 1) * sizeof(Row));
        free(sorting.begin);
        if (failed == -2)
            PyErr_NoMemory();
        else if (failed)
            PyErr_Format(PyExc_ValueError, "numbers below %lu expected", bound);
        else
            answer = PyTuple_Pack(2, key, order);
    }
    Py_XDECREF(key);
    Py_XDECREF(order);
    release(v, 2);
    return answer;
}

static PyObject *k_sort_inside(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2]; /* keys, begin of each part and the end */
    if (expect(given, 2, "sort_inside(keys, parts)") < 0 || views_of(args, v, sizes, 2) < 0)
        return NULL;
    const uint32_t *parts = v[1].buf;
    Py_ssize_t count = length(&v[1]);
    int sound = count > 0 && parts[0] == 0 && parts[count - 1] == length(&v[0]);
    for (Py_ssize_t p = 1; p < count; p++)
        sound = sound && parts[p - 1] <= parts[p];
    PyObject *answer = NULL;
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "parts that cover the keys expected");
    else
        answer = room_for(length(&v[0]), 4);
    if (answer != NULL &&
        sort_inside(v[0].buf, parts, (size_t)count, (uint32_t *)PyBytes_AS_STRING(answer)) < 0) {
        Py_CLEAR(answer);
        PyErr_NoMemory();
    }
    release(v, 2);
    return answer;
}

static PyObject *k_order_vertices(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    uint32_t classes = 0;
    (void)module;
    static const int sizes[] = {4, 4, 4, 4};
    Py_buffer v[4]; /* indptr and indices, downstream and upstream */
    if (expect(given, 7, "order_vertices(n, first, indptr, indices, first, indptr, indices)") < 0)
        return NULL;
    uint32_t n = (uint32_t)PyLong_AsUnsignedLong(args[0]), begin[2];
    begin[0] = (uint32_t)PyLong_AsUnsignedLong(args[1]);
    begin[1] = (uint32_t)PyLong_AsUnsignedLong(args[4]);
    PyObject *arrays[] = {args[2], args[3], args[5], args[6]};
    if (PyErr_Occurred() || views_of(arrays, v, sizes, 4) < 0)
        return NULL;
    Csr g[2];
    int failed = 0;
    for (int side = 0; side < 2 && !failed; side++) {
        Py_ssize_t rows = length(&v[2 * side]) - 1;
        g[side] = (Csr){.first = begin[side], .rows = rows > 0 ? (uint32_t)rows : 0, .indptr = v[2 * side].buf, .indices = v[2 * side + 1].buf};
        failed = check_csr(&g[side], rows + 1, length(&v[2 * side + 1]), n, &classes, NULL);
    }
    if (!failed && g[0].indptr[g[0].rows] != g[1].indptr[g[1].rows]) {
        PyErr_SetString(PyExc_ValueError, "two directions of one graph expected");
        failed = 1;
    }
    PyObject *order = failed ? NULL : room_for(n, 4), *component = failed ? NULL : room_for(n, 4), *answer = NULL;
    if (order != NULL && component != NULL) {
        Order o = {.order = (uint32_t *)PyBytes_AS_STRING(order)};
        o.component = (uint32_t *)PyBytes_AS_STRING(component);
        Py_BEGIN_ALLOW_THREADS
        failed = order_vertices(&g[0], &g[1], n, &o);
        Py_END_ALLOW_THREADS
        if (failed)
            PyErr_NoMemory();
        else
            answer = Py_BuildValue("(OOI)", order, component, o.components);
    }
    Py_XDECREF(order);
    Py_XDECREF(component);
    release(v, 4);
    return answer;
}

static PyObject *k_renumber(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    uint32_t classes = 0, first, rows;
    static const int sizes[] = {4, 4, 4, 4};
    Py_buffer v[4]; /* indptr, indices, order, rank */
    if (expect(given, 5, "renumber(first, indptr, indices, order, rank)") < 0)
        return NULL;
    uint32_t begin = (uint32_t)PyLong_AsUnsignedLong(args[0]);
    if (PyErr_Occurred() || views_of(args + 1, v, sizes, 4) < 0)
        return NULL;
    uint32_t n = (uint32_t)length(&v[2]);
    Py_ssize_t pointers = length(&v[0]);
    Csr g = {.first = begin, .rows = pointers > 1 ? (uint32_t)pointers - 1 : 0, .indptr = v[0].buf, .indices = v[1].buf};
    PyObject *indptr = NULL, *indices = NULL, *answer = NULL;
    if (length(&v[3]) != n)
        PyErr_SetString(PyExc_ValueError, "order and rank of the same vertices expected");
    else if (check_csr(&g, pointers, length(&v[1]), n, &classes, NULL) == 0 && below(&v[2], n) == 0) {
        renumbered_span(&g, v[2].buf, n, &first, &rows);
        indptr = block_fresh(((size_t)rows + 1) * 4);
        indices = block_fresh(((size_t)(g.rows ? g.indptr[g.rows] : 0) + LANE) * 4);
    }
    if (indptr != NULL && indices != NULL) {
        if (renumber(&g, v[2].buf, v[3].buf, first, rows, block_memory(indptr), block_memory(indices)) == 0)
            answer = Py_BuildValue("(IOO)", first, indptr, indices);
        else
            PyErr_SetString(PyExc_ValueError, "an order that names each vertex once expected");
    }
    Py_XDECREF(indptr);
    Py_XDECREF(indices);
    release(v, 4);
    return answer;
}

static PyObject *k_adjacency(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2]; /* ends of the edges */
    if (expect(given, 4, "adjacency(n, src, dst, padding)") < 0)
        return NULL;
    unsigned long n = PyLong_AsUnsignedLong(args[0]), padding = PyLong_AsUnsignedLong(args[3]);
    if (PyErr_Occurred() || views_of(args + 1, v, sizes, 2) < 0)
        return NULL;
    size_t m = (size_t)length(&v[0]);
    PyObject *indptr = NULL, *indices = NULL, *answer = NULL;
    if (n >= VERTEX_MASK || padding > 64 || m >= UINT32_MAX - (UINT32_C(1) << 20) || m != (size_t)length(&v[1]))
        PyErr_SetString(PyExc_ValueError, "two arrays of one length, and not too many vertices, expected");
    else if ((indptr = block_fresh((n + 1) * 4)) != NULL)
        indices = block_fresh((m + 64) * 4);
    if (indices != NULL) {
        Split split = {.src = v[0].buf, .dst = v[1].buf, .m = m, .n = (uint32_t)n};
        Pair *pair = NULL;
        int failed;
        ((Block *)indices)->used = (m + padding) * 4;
        memset((uint32_t *)block_memory(indices) + m, 0, padding * 4);
        Py_BEGIN_ALLOW_THREADS
        failed = split_begin(&split);
        Py_END_ALLOW_THREADS
        if (!failed && !split.ordered && (pair = pool_take(split_room(&split))) == NULL)
            failed = -2;
        if (!failed) {
            Py_BEGIN_ALLOW_THREADS
            failed = split_lists(&split, pair, block_memory(indptr), block_memory(indices));
            Py_END_ALLOW_THREADS
        }
        pool_give(pair, split_room(&split));
        free(split.begin);
        if (failed == -2)
            PyErr_NoMemory();
        else if (failed)
            PyErr_Format(PyExc_ValueError, "vertices below %lu expected", n);
        else
            answer = PyTuple_Pack(2, indptr, indices);
    }
    Py_XDECREF(indptr);
    Py_XDECREF(indices);
    release(v, 2);
    return answer;
}

static PyObject *k_take(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2]; /* values, positions */
    if (expect(given, 2, "take(values, positions)") < 0 || views_of(args, v, sizes, 2) < 0)
        return NULL;
    size_t count = (size_t)length(&v[1]), bound = (size_t)length(&v[0]);
    size_t wrong = first_beyond(v[1].buf, count, bound < VERTEX_MASK ? bound : VERTEX_MASK);
    PyObject *answer = NULL;
    if (wrong < count)
        PyErr_Format(PyExc_ValueError, "position %u in an array of %zu", ((const uint32_t *)v[1].buf)[wrong], bound);
    else if ((answer = block_new(count ? count * 4 : 1)) != NULL) {
        take_values(v[0].buf, v[1].buf, count, block_memory(answer));
        ((Block *)answer)->used = count * 4;
    }
    release(v, 2);
    return answer;
}

static PyObject *k_gather(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Py_buffer v[2]; /* values, positions */
    if (expect(given, 2, "gather(values, positions)") < 0 || PyObject_GetBuffer(args[0], &v[0], PyBUF_C_CONTIGUOUS) < 0)
        return NULL;
    if (view_of(args[1], &v[1], 4) < 0) {
        PyBuffer_Release(&v[0]);
        return NULL;
    }
    size_t count = (size_t)length(&v[1]), size = (size_t)v[0].itemsize;
    PyObject *answer = NULL;
    if (size != 1 && size != 4 && size != 8)
        PyErr_SetString(PyExc_ValueError, "array of 1, 4 or 8-byte items expected");
    else if (first_beyond(v[1].buf, count, (size_t)length(&v[0])) < count)
        PyErr_SetString(PyExc_ValueError, "positions in the array expected");
    else if ((answer = block_fresh(count ? count * size : 1)) != NULL) {
        gather_items(v[0].buf, size, v[1].buf, count, block_memory(answer));
        ((Block *)answer)->used = count * size;
    }
    release(v, 2);
    return answer;
}

static PyObject *k_find(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Py_buffer values;
    if (expect(given, 2, "find(values, wanted)") < 0)
        return NULL;
    unsigned long wanted = PyLong_AsUnsignedLong(args[1]);
    if (PyErr_Occurred() || view_of(args[0], &values, 4) < 0)
        return NULL;
    size_t count = (size_t)length(&values), at = count;
    if (wanted <= UINT32_MAX)
        at = first_equal(values.buf, count, (uint32_t)wanted);
    PyBuffer_Release(&values);
    return PyLong_FromSsize_t(at < count ? (Py_ssize_t)at : -1);
}

static PyObject *k_hops(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Py_buffer levels;
    if (expect(given, 1, "hops(levels)") < 0 || view_of(args[0], &levels, 4) < 0)
        return NULL;
    const uint32_t *level = levels.buf;
    Py_ssize_t count = length(&levels);
    int sound = count > 0 && level[0] == 0;
    for (Py_ssize_t k = 1; k < count && sound; k++)
        sound = level[k - 1] <= level[k];
    PyObject *answer = NULL;
    if (!sound)
        PyErr_SetString(PyExc_ValueError, "levels that begin at 0 and ascend expected");
    else {
        size_t used = (size_t)level[count - 1] * 4;
        if ((answer = block_new(used ? used : 1)) != NULL) {
            hops_of(level, (size_t)count, block_memory(answer));
            ((Block *)answer)->used = used;
        }
    }
    PyBuffer_Release(&levels);
    return answer;
}

/* How wide the instructions are that searches use: 0 plain ones, 1 AVX2, 2 AVX-512 as well, each where the processor has
 * them; the answer is the same. What is used then is told. */
static PyObject *k_widely(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    if (expect(given, 1, "widely(most)") < 0)
        return NULL;
    long most = PyLong_AsLong(args[0]);
    if (PyErr_Occurred())
        return NULL;
    wide = most < PLAIN ? PLAIN : most < widest ? (int)most : widest;
    return PyLong_FromLong(wide);
}

#define METHOD(name, doc) {#name, (PyCFunction)(void (*)(void))k_##name, METH_FASTCALL, doc}

static PyMethodDef module_methods[] = {
    METHOD(sort_ids, "Ids in ascending order, and where each was."),
    METHOD(find_ids, "Position of ids in a sorted array."),
    METHOD(sort_keys, "Stable order by one key."),
    METHOD(sort_rows, "Rows in the order of two numbers, and where each was."),
    METHOD(sort_inside, "Order by key inside of parts."),
    METHOD(renumber, "Adjacency under other numbers of the vertices."),
    METHOD(adjacency, "Adjacency from pairs in any order."),
    METHOD(take, "Values at positions."),
    METHOD(gather, "Values of any usual size at positions, for an array that is kept."),
    METHOD(find, "Position of the first of equal values."),
    METHOD(hops, "Distance of each place of an order."),
    METHOD(widely, "How wide the instructions may be that searches use; how wide they are then."),
    METHOD(order_vertices, "Order along the flow, and strongly connected components."),
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module)
{
    expand_begin();
    if (block_type == NULL)
        block_type = (PyTypeObject *)PyType_FromSpec(&block_spec);
    PyObject *type = PyType_FromSpec(&graph_spec);
    int failed = block_type == NULL || type == NULL || PyModule_AddObjectRef(module, "Graph", type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_kernels", "Compiled kernels of the graph engine.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&module_def);
}
