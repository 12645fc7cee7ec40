/* Python buffers as C arrays. */
#ifndef MESHLINE_BUFFERS_H
#define MESHLINE_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int view_of(PyObject *object, Py_buffer *view, Py_ssize_t itemsize)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS) < 0)
        return -1;
    if (view->itemsize == itemsize)
        return 0;
    PyBuffer_Release(view);
    PyErr_Format(PyExc_ValueError, "array of %zd-byte items expected", itemsize);
    return -1;
}

static Py_ssize_t length(const Py_buffer *view)
{
    return view->len / view->itemsize;
}

/* Views of several objects at once; all or none. */
static int views_of(PyObject *const *objects, Py_buffer *views, const int *itemsizes, int count)
{
    for (int k = 0; k < count; k++)
        if (view_of(objects[k], &views[k], itemsizes[k]) < 0) {
            while (k--)
                PyBuffer_Release(&views[k]);
            return -1;
        }
    return 0;
}

static void release(Py_buffer *views, int count)
{
    for (int k = 0; k < count; k++)
        PyBuffer_Release(&views[k]);
}

/* A new bytes object of `count` items of `size` bytes, content undefined. */
static PyObject *room_for(Py_ssize_t count, Py_ssize_t size)
{
    return PyBytes_FromStringAndSize(NULL, count * size);
}
#endif
