/* SPDX-License-Identifier: Apache-2.0
 * store/objects_measured.c - a shared store whose calls are counted and timed.
 * In: the calls of store/objects.h, from several I/O threads.  Out: those of another store, and numbers. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/objects.h"

typedef struct objects_measured {
    object_store store; /* the first field */
    object_store *inner;
    object_stats stats;
} objects_measured;

static object_store *inner_of(object_store *self) {
    return ((objects_measured *)self)->inner;
}

static object_result count(object_store *self, object_operation what, uint64_t begun_us, object_result result) {
    object_stats *stats = &((objects_measured *)self)->stats;
    atomic_fetch_add(&stats->counts[what], 1);
    atomic_fetch_add(&stats->us[what], swin2sr__clock_us() - begun_us);
    if (result == OBJECT_FAILED)
        atomic_fetch_add(&stats->failures[what], 1);
    return result;
}

static object_result create(object_store *self, const char *key, int fd, uint64_t size) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_CREATE, begun_us, inner_of(self)->create(inner_of(self), key, fd, size));
}

static object_result write_small(object_store *self, const char *key, const void *bytes, size_t size, bool is_new) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_WRITE, begun_us, inner_of(self)->write(inner_of(self), key, bytes, size, is_new));
}

static object_result read_small(object_store *self, const char *key, size_t max_bytes, char **ret_text,
                                size_t *ret_size) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_READ, begun_us, inner_of(self)->read(inner_of(self), key, max_bytes, ret_text, ret_size));
}

static object_result open_object(object_store *self, const char *key, uint64_t size, int *ret_fd) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_OPENING, begun_us, inner_of(self)->open(inner_of(self), key, size, ret_fd));
}

static object_result remove_object(object_store *self, const char *key) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_REMOVE, begun_us, inner_of(self)->remove(inner_of(self), key));
}

static object_result list(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context) {
    uint64_t begun_us = swin2sr__clock_us();
    return count(self, OBJECT_LIST, begun_us, inner_of(self)->list(inner_of(self), start, on_object, context));
}

static bool take_fault(object_store *self, swin2sr_error *ret_fault) {
    return inner_of(self)->take_fault(inner_of(self), ret_fault);
}

static void interrupt(object_store *self) {
    inner_of(self)->interrupt(inner_of(self));
}

static void close_store(object_store *self) {
    inner_of(self)->close(inner_of(self));
    free(self);
}

swin2sr_status objects_measure(object_store *inner, object_store **ret_store, swin2sr_error *reterr) {
    objects_measured *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    self->store = (object_store){create,
                                 write_small,
                                 read_small,
                                 open_object,
                                 remove_object,
                                 list,
                                 inner->take_fault ? take_fault : NULL,
                                 inner->interrupt ? interrupt : NULL,
                                 close_store};
    self->inner = inner;
    *ret_store = &self->store;
    return SWIN2SR_OK;
}

const object_stats *objects_stats(const object_store *measured) {
    return &((const objects_measured *)measured)->stats;
}
