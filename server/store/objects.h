/* SPDX-License-Identifier: Apache-2.0
 * store/objects.h - the interface of a store of named objects that several servers share.
 * In: bytes and keys.  Out: objects, each complete or absent, that every server sees as soon as a call returns.
 * What a call has stored survives the loss of the server. A key is a folder of this list, a slash and a name of letters,
 * digits, '.' and '-'. All calls wait for the store, so only I/O threads make them; several threads may do so at a time. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define OBJECT_KEY_BYTES 128 /* of a key, terminator included */
#define OBJECT_TAG_BYTES 64  /* of a tag, terminator included */

/* The folders of keys, "/" included. */
#define OBJECT_INPUTS "inputs/"
#define OBJECT_RESULTS "results/"
#define OBJECT_OPEN "open/"
#define OBJECT_ENDED "ended/"
#define OBJECT_KEYS "keys/"
#define OBJECT_NODES "nodes/"
#define OBJECT_WEBHOOKS "webhooks/"

typedef enum object_result {
    OBJECT_OK = 0,
    OBJECT_EXISTS,  /* the key is taken; nothing has changed */
    OBJECT_MISSING, /* there is no such object */
    OBJECT_DAMAGED, /* it has other bytes than were stored */
    OBJECT_FAILED,  /* the store is away, full or refuses: it may be tried again. What was to be stored may be there */
} object_result;

typedef struct object_store object_store;
struct object_store {
    /* Make a new object.
     * fd      A whole file of `size` bytes, read with pread.
     * returns _OK, _EXISTS, _FAILED. If an earlier try of this call may have succeeded unnoticed, _EXISTS too: the
     *         caller tells by the content whether the object is its own. */
    object_result (*create)(object_store *self, const char *key, int fd, uint64_t size);

    /* Make a small object.
     * is_new  As `create`; otherwise an object of this key is replaced, which only its one writer does.
     * returns _OK, _EXISTS (is_new only), _FAILED. */
    object_result (*write)(object_store *self, const char *key, const void *bytes, size_t size, bool is_new);

    /* Read a small object.
     * ret_text  The caller frees it. A zero byte follows the last one.
     * returns   _OK, _MISSING, _DAMAGED (only where the store can tell; also for more than max_bytes), _FAILED. */
    object_result (*read)(object_store *self, const char *key, size_t max_bytes, char **ret_text, size_t *ret_size);

    /* Open a large object as a local file to read.
     * size     That it must have.
     * ret_fd   The caller's; the file may have no name.
     * returns  _OK, _MISSING, _FAILED (also for another size). */
    object_result (*open)(object_store *self, const char *key, uint64_t size, int *ret_fd);

    /* Remove an object.  returns _OK (also if there was none), _FAILED. */
    object_result (*remove)(object_store *self, const char *key);

    /* Call on_object for each object of a folder whose name begins with a prefix, ordered by name.
     * start    "open/" or "open/PREFIX".
     * name     Of the object, without the folder. Borrowed during the call.
     * tag      Changes whenever the content does (an ETag, a time).
     * returns  of on_object: false ends the list, which is then _OK. */
    object_result (*list)(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context);

    /* Take the detail of the latest failure since the last call, for the log.  false: there was none. NULL: there never is.
     * From any thread, as is `interrupt`. */
    bool (*take_fault)(object_store *self, swin2sr_error *ret_fault);

    /* End all calls soon, as failures, and all that come. NULL: they do not take long. */
    void (*interrupt)(object_store *self);

    void (*close)(object_store *self); /* frees self */
};

/* ---- objects_measured.c ---- */

typedef enum object_operation {
    OBJECT_CREATE = 0,
    OBJECT_WRITE,
    OBJECT_READ,
    OBJECT_OPENING,
    OBJECT_REMOVE,
    OBJECT_LIST,
    OBJECT_OPERATION_COUNT
} object_operation;

/* Of each operation: calls that have ended, those of them with _FAILED, and the time of all. */
typedef struct object_stats {
    atomic_uint_least64_t counts[OBJECT_OPERATION_COUNT], failures[OBJECT_OPERATION_COUNT], us[OBJECT_OPERATION_COUNT];
} object_stats;

/* A store that passes calls on to another one, which it closes with itself, and measures them.
 * errors  _NOMEM; inner is still the caller's. */
SWIN2SR_MUST_CHECK swin2sr_status objects_measure(object_store *inner, object_store **ret_store, swin2sr_error *reterr);

/* Of such a store, from any thread. */
const object_stats *objects_stats(const object_store *measured);

/* ---- objects_folder.c ---- */

/* A folder of a file system that all servers have mounted. It must have hard links.
 * owner     Of this server, unlike all others; part of the names of unfinished files.
 * ret_store The caller's (close).
 * errors    _IO (it cannot be made or written), _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status objects_open_folder(const char *path, const char *owner, object_store **ret_store,
                                                      swin2sr_error *reterr);
