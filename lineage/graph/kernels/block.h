/* Memory of long answers: lent to Python without a copy, and used again when Python lets go of it.
 *
 * A fresh page costs more than what a search writes into it. So the arrays that a long answer was written into are
 * handed out as they are, and go back to a small pool; large ones lie on huge pages where Linux has them, which also
 * saves the misses of the address cache. All of it happens under Python's lock.
 */
#ifndef MESHLINE_BLOCK_H
#define MESHLINE_BLOCK_H

#include "buffers.h"
#include <stdint.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define HUGE_PAGE ((size_t)2 << 20)
#define POOLED 8                       /* arrays that wait to be used again */
#define POOLED_BYTES ((size_t)64 << 20) /* and the bytes they may hold together */

static struct {
    void *memory[POOLED];
    size_t size[POOLED], held;
    int count;
} pool;

static void *room_new(size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (size >= HUGE_PAGE / 2) {
        size_t whole = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        void *memory = aligned_alloc(HUGE_PAGE, whole);
        if (memory != NULL)
            (void)madvise(memory, whole, MADV_HUGEPAGE); /* advice: it works without, slower */
        return memory;
    }
#endif
    return malloc(size);
}

/* Room for `size` bytes that are zero, at `*begin`; what is released is the answer. Pages that nobody touches cost
 * nothing: large memory comes as zeros from the system. */
static void *room_zero(size_t size, void **begin)
{
    char *memory = calloc(1, size + HUGE_PAGE);
    if (memory == NULL)
        return NULL;
    *begin = memory + (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (size >= HUGE_PAGE)
        (void)madvise(*begin, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

/* Room for `size` bytes, from the pool when there is one of about that size. Released with pool_give or free. */
static void *pool_take(size_t size)
{
    for (int k = 0; k < pool.count; k++)
        if (pool.size[k] >= size && pool.size[k] / 2 <= size) {
            void *memory = pool.memory[k];
            pool.held -= pool.size[k];
            pool.count--;
            pool.memory[k] = pool.memory[pool.count];
            pool.size[k] = pool.size[pool.count];
            return memory;
        }
    return room_new(size);
}

static void pool_give(void *memory, size_t size)
{
    if (memory == NULL || pool.count == POOLED || pool.held + size > POOLED_BYTES) {
        free(memory);
        return;
    }
    pool.memory[pool.count] = memory;
    pool.size[pool.count++] = size;
    pool.held += size;
}

/* A read-only buffer that owns its memory: `used` of `size` bytes. */
typedef struct {
    PyObject_HEAD
    void *memory;
    size_t size, used;
} Block;

static PyTypeObject *block_type;

static void block_dealloc(Block *self)
{
    PyTypeObject *type = Py_TYPE(self);
    pool_give(self->memory, self->size);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int block_getbuffer(Block *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, (PyObject *)self, self->memory, (Py_ssize_t)self->used, 1, flags);
}

static PyType_Slot block_slots[] = {
    {Py_tp_dealloc, block_dealloc},
    {Py_bf_getbuffer, block_getbuffer},
    {0, NULL},
};

static PyType_Spec block_spec = {
    .name = "lineage.graph._kernels.Block",
    .basicsize = sizeof(Block),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = block_slots,
};

/* A block that takes the memory over; NULL when there is no memory for the object, then it is still the caller's. */
static PyObject *block_of(void *memory, size_t size, size_t used)
{
    Block *self = (Block *)block_type->tp_alloc(block_type, 0);
    if (self == NULL)
        return NULL;
    self->memory = memory;
    self->size = size;
    self->used = used;
    return (PyObject *)self;
}

/* A block of memory from the pool, or of none when that is NULL. */
static PyObject *block_around(void *memory, size_t size)
{
    PyObject *block = memory == NULL ? NULL : block_of(memory, size, size);
    if (block == NULL) {
        free(memory);
        if (!PyErr_Occurred())
            PyErr_NoMemory();
    }
    return block;
}

/* A block with room for `size` bytes, content undefined, for an answer that is soon let go. */
static PyObject *block_new(size_t size)
{
    return block_around(pool_take(size), size);
}

/* The same for what is kept: it takes nothing from the pool, so that no room is wasted. */
static PyObject *block_fresh(size_t size)
{
    return block_around(room_new(size), size);
}

/* Blocks of `count` items of `size` bytes, perhaps none: for what is kept, and for what is soon let go. */
static PyObject *block_sized(PyObject *block, size_t used)
{
    if (block != NULL)
        ((Block *)block)->used = used;
    return block;
}

static PyObject *block_for(size_t count, size_t size)
{
    return block_sized(block_fresh(count ? count * size : 1), count * size);
}

static PyObject *block_soon(size_t count, size_t size)
{
    return block_sized(block_new(count ? count * size : 1), count * size);
}

static void *block_memory(PyObject *block)
{
    return ((Block *)block)->memory;
}
#endif
