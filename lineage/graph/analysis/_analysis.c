/* Compiled functions over whole graphs, behind the same face as the numpy ones (plain.py). */
#include "digraph.h"

#include "components.h"
#include "failure.h"
#include "failures.h"
#include "rank.h"
#include "reach.h"

static PyObject *two(PyObject *a, PyObject *b, int failed)
{
    PyObject *answer = NULL;
    if (failed && !PyErr_Occurred())
        PyErr_NoMemory();
    else if (!failed)
        answer = PyTuple_Pack(2, a, b);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return answer;
}

/* Both directions of one graph from views 0 … 3. */
static int both_of(Adj *g, Adj *r, const Py_buffer *v)
{
    if (adj_of(g, &v[0], &v[1]) < 0 || adj_of(r, &v[2], &v[3]) < 0)
        return -1;
    if (g->n == r->n && g->ptr[g->n] == r->ptr[r->n])
        return 0;
    PyErr_SetString(PyExc_ValueError, "two directions of one graph expected");
    return -1;
}

static PyObject *k_transpose(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2];
    Adj g;
    if (expect(given, 3, "transpose(n, indptr, indices)") < 0 || views_of(args + 1, v, sizes, 2) < 0)
        return NULL;
    int failed = adj_of(&g, &v[0], &v[1]);
    PyObject *ptr = failed ? NULL : room_for((Py_ssize_t)g.n + 1, 4), *idx = failed ? NULL : room_for(length(&v[1]), 4);
    failed = failed || ptr == NULL || idx == NULL;
    if (!failed) {
        uint32_t *begin = items(ptr), *tails = items(idx), n = g.n;
        Py_BEGIN_ALLOW_THREADS
        memset(begin, 0, ((size_t)n + 1) * sizeof(uint32_t));
        for (uint32_t e = 0; e < g.ptr[n]; e++)
            begin[g.idx[e]]++;
        for (uint32_t w = 0, sum = 0; w <= n; w++) { /* ends of the lists: they are filled backwards */
            sum += w < n ? begin[w] : 0;
            begin[w] = sum;
        }
        for (uint32_t u = n; u-- > 0;)
            for (uint32_t e = g.ptr[u + 1]; e-- > g.ptr[u];)
                tails[--begin[g.idx[e]]] = u;
        Py_END_ALLOW_THREADS
    }
    release(v, 2);
    return two(ptr, idx, failed);
}

static PyObject *k_components(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4, 4};
    Py_buffer v[4];
    Adj g, r;
    if (expect(given, 6, "components(n, indptr, indices, rindptr, rindices, depth_first)") < 0 ||
        views_of(args + 1, v, sizes, 4) < 0)
        return NULL;
    int depth_first = PyObject_IsTrue(args[5]), failed = depth_first < 0 || both_of(&g, &r, v) < 0;
    PyObject *component = failed ? NULL : room_for(g.n, 4), *order = failed ? NULL : room_for(g.n, 4), *answer = NULL;
    if (component != NULL && order != NULL) {
        uint32_t count = 0;
        Py_BEGIN_ALLOW_THREADS
        failed = find_components(&g, &r, depth_first, items(component), items(order), &count);
        Py_END_ALLOW_THREADS
        answer = failed ? PyErr_NoMemory() : Py_BuildValue("(OOI)", component, order, count);
    }
    Py_XDECREF(component);
    Py_XDECREF(order);
    release(v, 4);
    return answer;
}

static PyObject *k_condense(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4, 4};
    Py_buffer v[4]; /* component, order, indptr, indices */
    Adj g;
    if (expect(given, 5, "condense(count, component, order, indptr, indices)") < 0 ||
        views_of(args + 1, v, sizes, 4) < 0)
        return NULL;
    unsigned long count = PyLong_AsUnsignedLong(args[0]);
    int failed = PyErr_Occurred() || adj_of(&g, &v[2], &v[3]) < 0 || permutation_of(&v[1], g.n) < 0;
    if (!failed && count > g.n) {
        PyErr_SetString(PyExc_ValueError, "more components than vertices");
        failed = 1;
    }
    failed = failed || numbers_of(&v[0], (uint32_t)count, 0, g.n) < 0;
    PyObject *ptr = failed ? NULL : room_for((Py_ssize_t)count + 1, 4), *idx = NULL;
    uint32_t *heads = ptr == NULL ? NULL : malloc(((size_t)g.ptr[g.n] + 1) * sizeof(uint32_t));
    failed = failed || heads == NULL;
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS
        failed = condense_graph(&g, v[0].buf, v[1].buf, (uint32_t)count, items(ptr), heads);
        Py_END_ALLOW_THREADS
    }
    if (!failed)
        idx = PyBytes_FromStringAndSize((char *)heads, (Py_ssize_t)items(ptr)[count] * 4);
    free(heads);
    release(v, 4);
    return two(ptr, idx, failed || idx == NULL);
}

static PyObject *k_pagerank(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4, 4, 8, 8, 8};
    Py_buffer v[7]; /* component, order, rindptr, rindices, share, base, weight */
    if (expect(given, 8, "pagerank(component, order, rindptr, rindices, weight, share, base, damping)") < 0)
        return NULL;
    int weighted = args[4] != Py_None, views = 6 + weighted;
    double damping = PyFloat_AsDouble(args[7]);
    PyObject *const arrays[] = {args[0], args[1], args[2], args[3], args[5], args[6], args[4]};
    if (PyErr_Occurred() || views_of(arrays, v, sizes, views) < 0)
        return NULL;
    Adj r;
    int failed = adj_of(&r, &v[2], &v[3]) < 0 || permutation_of(&v[1], r.n) < 0 || numbers_of(&v[0], r.n, 0, r.n) < 0;
    if (!failed && (length(&v[4]) != r.n || length(&v[5]) != r.n || (weighted && length(&v[6]) != length(&v[3])))) {
        PyErr_SetString(PyExc_ValueError, "one number for each vertex or edge expected");
        failed = 1;
    }
    PyObject *answer = failed ? NULL : room_for(r.n, 8);
    if (answer != NULL) {
        Ranking q = {.r = &r, .weight = weighted ? v[6].buf : NULL, .share = v[4].buf, .base = v[5].buf};
        q.damping = damping;
        q.x = (double *)PyBytes_AS_STRING(answer);
        q.sent = calloc((size_t)r.n + 1, sizeof(double));
        if (q.sent == NULL) {
            PyErr_NoMemory();
            Py_CLEAR(answer);
        } else {
            Py_BEGIN_ALLOW_THREADS
            rank_all(&q, v[0].buf, v[1].buf);
            Py_END_ALLOW_THREADS
        }
        free(q.sent);
    }
    release(v, views);
    return answer;
}

/* The acyclic graph and one number for each vertex; edges lead to greater numbers and lists ascend. */
static int acyclic_of(Adj *g, const Py_buffer *v)
{
    if (adj_of(g, &v[0], &v[1]) < 0)
        return -1;
    for (uint32_t u = 0; u < g->n; u++)
        for (uint32_t e = g->ptr[u], last = u; e < g->ptr[u + 1]; e++) {
            if (g->idx[e] <= last) {
                PyErr_SetString(PyExc_ValueError, "edges that lead to greater numbers, in order, expected");
                return -1;
            }
            last = g->idx[e];
        }
    return 0;
}

static PyObject *reach_with(PyObject *const *args, Py_ssize_t given, int bits)
{
    static const int sizes[] = {4, 4, 4};
    Py_buffer v[3];
    Adj g;
    if (expect(given, 3, "reach(indptr, indices, weight)") < 0 || views_of(args, v, sizes, 3) < 0)
        return NULL;
    int failed = acyclic_of(&g, v);
    if (!failed && length(&v[2]) != g.n) {
        PyErr_SetString(PyExc_ValueError, "one weight for each vertex expected");
        failed = 1;
    }
    PyObject *answer = failed ? NULL : room_for(g.n, 8);
    if (answer != NULL) {
        uint64_t *total = (uint64_t *)PyBytes_AS_STRING(answer);
        Py_BEGIN_ALLOW_THREADS
        memset(total, 0, (size_t)g.n * sizeof(uint64_t));
        failed = bits ? reach_by_bits(&g, v[2].buf, total) : walk_all(&g, v[2].buf, NULL, g.n, total) == UINT64_MAX;
        Py_END_ALLOW_THREADS
        if (failed) {
            PyErr_NoMemory();
            Py_CLEAR(answer);
        }
    }
    release(v, 3);
    return answer;
}

static PyObject *k_reach_bitset(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    return reach_with(args, given, 1);
}

static PyObject *k_reach_walk(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    return reach_with(args, given, 0);
}

static PyObject *k_reach_effort(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4};
    Py_buffer v[3];
    Adj g;
    if (expect(given, 3, "reach_effort(indptr, indices, vertices)") < 0 || views_of(args, v, sizes, 3) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (adj_of(&g, &v[0], &v[1]) == 0 && numbers_of(&v[2], g.n, 0, -1) == 0) {
        uint64_t effort;
        Py_BEGIN_ALLOW_THREADS
        effort = walk_all(&g, NULL, v[2].buf, (size_t)length(&v[2]), NULL);
        Py_END_ALLOW_THREADS
        answer = effort == UINT64_MAX ? PyErr_NoMemory() : PyLong_FromUnsignedLongLong(effort);
    }
    release(v, 3);
    return answer;
}

static PyObject *k_reach_sketch(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 1};
    Py_buffer v[3];
    Adj g;
    if (expect(given, 3, "reach_sketch(indptr, indices, sketches)") < 0 || views_of(args, v, sizes, 3) < 0)
        return NULL;
    int failed = acyclic_of(&g, v);
    if (!failed && g.n && length(&v[2]) % g.n) {
        PyErr_SetString(PyExc_ValueError, "as many registers for each vertex expected");
        failed = 1;
    }
    PyObject *answer = failed ? NULL : PyBytes_FromStringAndSize(v[2].buf, length(&v[2]));
    if (answer != NULL && g.n) {
        uint8_t *sketches = (uint8_t *)PyBytes_AS_STRING(answer);
        size_t registers = (size_t)length(&v[2]) / g.n;
        Py_BEGIN_ALLOW_THREADS
        merge_sketches(&g, sketches, registers);
        Py_END_ALLOW_THREADS
    }
    release(v, 3);
    return answer;
}

static PyObject *k_dominators(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4, 4, 4, 4};
    Py_buffer v[6]; /* component, order, and the graph in both directions */
    Adj g, r;
    if (expect(given, 6, "dominators(component, order, indptr, indices, rindptr, rindices)") < 0 ||
        views_of(args, v, sizes, 6) < 0)
        return NULL;
    int failed = both_of(&g, &r, v + 2) < 0 || permutation_of(&v[1], g.n) < 0 || numbers_of(&v[0], g.n, 0, g.n) < 0;
    PyObject *parent = failed ? NULL : room_for(g.n, 4), *order = failed ? NULL : room_for(g.n, 4);
    failed = failed || parent == NULL || order == NULL;
    if (!failed) {
        size_t room = ((size_t)g.n + 1) * sizeof(uint32_t);
        Dominance q = {.g = &g, .r = &r, .component = v[0].buf, .parent = items(parent), .order = items(order)};
        q.rank = malloc(room);
        q.stack = malloc(room);
        q.next = malloc(room);
        failed = !q.rank || !q.stack || !q.next;
        if (!failed) {
            Py_BEGIN_ALLOW_THREADS
            memset(q.rank, 0xFF, room);
            memset(q.next, 0xFF, room);
            memset(q.parent, 0xFF, (size_t)g.n * sizeof(uint32_t));
            memcpy(q.order, v[1].buf, (size_t)g.n * sizeof(uint32_t));
            find_dominators(&q, v[1].buf);
            Py_END_ALLOW_THREADS
        }
        free(q.rank);
        free(q.stack);
        free(q.next);
    }
    release(v, 6);
    return two(parent, order, failed);
}

static PyObject *k_subtree_sums(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4};
    Py_buffer v[3]; /* parent, order, weight */
    if (expect(given, 3, "subtree_sums(parent, order, weight)") < 0 || views_of(args, v, sizes, 3) < 0)
        return NULL;
    Py_ssize_t n = length(&v[0]);
    PyObject *answer = NULL;
    if (numbers_of(&v[0], (uint32_t)n, 1, n) == 0 && numbers_of(&v[1], (uint32_t)n, 0, n) == 0 &&
        numbers_of(&v[2], NONE, 1, n) == 0 && (answer = room_for(n, 8)) != NULL) {
        const uint32_t *parent = v[0].buf, *order = v[1].buf, *weight = v[2].buf;
        uint64_t *total = (uint64_t *)PyBytes_AS_STRING(answer);
        for (Py_ssize_t k = 0; k < n; k++)
            total[k] = weight[k];
        for (Py_ssize_t k = n; k-- > 0;)
            if (parent[order[k]] != NONE)
                total[parent[order[k]]] += total[order[k]];
    }
    release(v, 3);
    return answer;
}

static PyObject *k_articulation(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4, 4, 4};
    Py_buffer v[4];
    Adj g, r;
    if (expect(given, 4, "articulation(indptr, indices, rindptr, rindices)") < 0 || views_of(args, v, sizes, 4) < 0)
        return NULL;
    PyObject *answer = both_of(&g, &r, v) < 0 ? NULL : room_for(g.n, 1);
    if (answer != NULL) {
        size_t room = ((size_t)g.n + 1) * sizeof(uint32_t);
        uint8_t *cut = (uint8_t *)PyBytes_AS_STRING(answer);
        Cutting q = {&g, &r, malloc(room), malloc(room), malloc(room), malloc(room)};
        if (q.index && q.low && q.next && q.stack) {
            Py_BEGIN_ALLOW_THREADS
            memset(q.index, 0xFF, room);
            memset(cut, 0, g.n);
            find_cuts(&q, cut);
            Py_END_ALLOW_THREADS
        } else {
            PyErr_NoMemory();
            Py_CLEAR(answer);
        }
        free(q.index);
        free(q.low);
        free(q.next);
        free(q.stack);
    }
    release(v, 4);
    return answer;
}

static PyObject *k_generations(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2];
    Adj g;
    if (expect(given, 2, "generations(indptr, indices)") < 0 || views_of(args, v, sizes, 2) < 0)
        return NULL;
    PyObject *order = NULL, *levels = NULL;
    int failed = adj_of(&g, &v[0], &v[1]);
    if (!failed) {
        size_t room = ((size_t)g.n + 2) * sizeof(uint32_t);
        uint32_t *open = malloc(room), *all = malloc(room), *begins = malloc(room), count = 0, tail = 0;
        failed = !open || !all || !begins;
        if (!failed) {
            Py_BEGIN_ALLOW_THREADS
            tail = find_generations(&g, open, all, begins, &count);
            Py_END_ALLOW_THREADS
            order = PyBytes_FromStringAndSize((char *)all, (Py_ssize_t)tail * 4);
            levels = PyBytes_FromStringAndSize((char *)begins, (Py_ssize_t)count * 4);
            failed = order == NULL || levels == NULL;
        }
        free(open);
        free(all);
        free(begins);
    }
    release(v, 2);
    return two(order, levels, failed);
}

static PyObject *k_reduction(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    static const int sizes[] = {4, 4};
    Py_buffer v[2];
    Adj g;
    if (expect(given, 2, "reduction(indptr, indices)") < 0 || views_of(args, v, sizes, 2) < 0)
        return NULL;
    PyObject *keep = acyclic_of(&g, v) < 0 ? NULL : room_for(g.ptr[g.n], 1);
    if (keep != NULL) {
        int failed;
        Py_BEGIN_ALLOW_THREADS
        failed = find_reduction(&g, (uint8_t *)PyBytes_AS_STRING(keep));
        Py_END_ALLOW_THREADS
        if (failed) {
            PyErr_NoMemory();
            Py_CLEAR(keep);
        }
    }
    release(v, 2);
    return keep;
}

/* set_of(labels, vertices) -> set */
static PyObject *k_set_of(PyObject *module, PyObject *const *args, Py_ssize_t given)
{
    (void)module;
    Py_buffer vertices;
    if (expect(given, 2, "set_of(labels, vertices)") < 0 || view_of(args[1], &vertices, 4) < 0)
        return NULL;
    PyObject *answer = NULL;
    if (!PyList_Check(args[0]))
        PyErr_SetString(PyExc_TypeError, "a list of labels expected");
    else if (numbers_of(&vertices, (uint32_t)PyList_GET_SIZE(args[0]), 0, -1) == 0)
        answer = set_of_labels(args[0], vertices.buf, length(&vertices));
    PyBuffer_Release(&vertices);
    return answer;
}

#define METHOD(name, doc) {#name, (PyCFunction)(void (*)(void))k_##name, METH_FASTCALL, doc}

static PyMethodDef module_methods[] = {
    METHOD(transpose, "Adjacency in the other direction."),
    METHOD(components, "Strongly connected components in topological order."),
    METHOD(condense, "Edges between components."),
    METHOD(pagerank, "PageRank along the flow."),
    METHOD(reach_bitset, "Weight of what each vertex reaches, 512 targets at a time."),
    METHOD(reach_walk, "Weight of what each vertex reaches, by one search each."),
    METHOD(reach_effort, "What searches from some vertices look at."),
    METHOD(reach_sketch, "HyperLogLog registers of what each vertex reaches."),
    METHOD(dominators, "Immediate dominators under a virtual root."),
    METHOD(subtree_sums, "Sums of weights below each vertex of a tree."),
    METHOD(articulation, "Vertices that cut the graph apart."),
    METHOD(generations, "Vertices by the longest path to them."),
    METHOD(reduction, "Edges of an acyclic graph that no longer path replaces."),
    METHOD(set_of, "Set of the labels of vertices."),
    {NULL, NULL, 0, NULL},
};

static int add_type(PyObject *module, PyType_Spec *spec, const char *name)
{
    PyObject *type = PyType_FromSpec(spec);
    int failed = type == NULL || PyModule_AddObjectRef(module, name, type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int module_exec(PyObject *module)
{
    return add_type(module, &digraph_spec, "Digraph") < 0 || add_type(module, &failures_spec, "Failures") < 0 ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_analysis", "Functions over whole graphs.", 0, module_methods, module_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__analysis(void)
{
    return PyModuleDef_Init(&module_def);
}
