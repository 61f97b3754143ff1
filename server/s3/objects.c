/* SPDX-License-Identifier: Apache-2.0
 * s3/objects.c - the shared store as objects of a bucket.
 * In: the calls of store/objects.h, from several I/O threads.  Out: those of s3/s3.h, and their failures as text.
 * The address is split here, because all servers of a cluster are given the same one. */
#include "s3/objects.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/store.h"

typedef struct objects_s3 {
    object_store store; /* the first field */
    s3_client *client;
    const char *folder;
    char address[S3_PLACE_BYTES]; /* split in place: settings point into it */
    pthread_mutex_t lock;         /* guards the next two */
    swin2sr_error fault;          /* of the latest call that failed */
    bool has_fault;
} objects_s3;

/* Keep the detail of a failure, for the log.  returns what the status means; taken: what _INVALID means. */
static object_result conclude(object_store *shared, swin2sr_status status, object_result taken,
                              const swin2sr_error *error) {
    objects_s3 *self = (objects_s3 *)shared;
    if (status == SWIN2SR_OK)
        return OBJECT_OK;
    if (status == SWIN2SR_INVALID)
        return taken;
    pthread_mutex_lock(&self->lock);
    self->fault = *error;
    self->has_fault = true;
    pthread_mutex_unlock(&self->lock);
    return OBJECT_FAILED;
}

static s3_client *client_of(object_store *shared) {
    return ((objects_s3 *)shared)->client;
}

static object_result create(object_store *self, const char *key, int fd, uint64_t size) {
    swin2sr_error error = {""};
    return conclude(self, s3_put(client_of(self), key, fd, size, true, &error), OBJECT_EXISTS, &error);
}

static object_result write_small(object_store *self, const char *key, const void *bytes, size_t size, bool is_new) {
    swin2sr_error error = {""};
    return conclude(self, s3_write(client_of(self), key, bytes, size, is_new, &error), OBJECT_EXISTS, &error);
}

static object_result read_small(object_store *self, const char *key, size_t max_bytes, char **ret_text,
                                size_t *ret_size) {
    swin2sr_error error = {""};
    swin2sr_status status = s3_read(client_of(self), key, max_bytes, ret_text, ret_size, &error);
    object_result result = conclude(self, status, OBJECT_MISSING, &error);
    return status == SWIN2SR_CORRUPT || status == SWIN2SR_TOO_LARGE ? OBJECT_DAMAGED : result;
}

/* Damaged bytes are handed out too, if there are as many as there should be: whoever opens a file compares it with its
 * record, and knows what to do then. */
static object_result fetch(object_store *shared, const char *key, uint64_t size, int fd) {
    swin2sr_error error = {""};
    s3_object object;
    struct stat info;
    swin2sr_status status = s3_get(client_of(shared), key, fd, size, &object, &error);
    if (status == SWIN2SR_CORRUPT && fstat(fd, &info) == 0 && (uint64_t)info.st_size == size)
        status = SWIN2SR_OK;
    else if (status == SWIN2SR_OK && object.bytes != size)
        status = swin2sr__error_set(&error, SWIN2SR_IO, "GET %s: has %llu bytes instead of %llu", key,
                                    (unsigned long long)object.bytes, (unsigned long long)size);
    return conclude(shared, status, OBJECT_MISSING, &error);
}

static object_result open_object(object_store *shared, const char *key, uint64_t size, int *ret_fd) {
    const objects_s3 *self = (const objects_s3 *)shared;
    swin2sr_error error = {""};
    int fd = store_open_unnamed(self->folder);
    if (fd < 0)
        return conclude(shared, swin2sr__error_set_errno(&error, self->folder), OBJECT_FAILED, &error);
    object_result result = fetch(shared, key, size, fd);
    if (result == OBJECT_OK)
        *ret_fd = fd;
    else
        close(fd);
    return result;
}

static object_result remove_object(object_store *self, const char *key) {
    swin2sr_error error = {""};
    return conclude(self, s3_remove(client_of(self), key, &error), OBJECT_FAILED, &error);
}

/* ---- lists ---- */

typedef struct listing {
    bool (*on_object)(void *context, const char *name, const char *tag);
    void *context;
    size_t folder; /* length of "open/" */
} listing;

static bool visit(void *context, const s3_entry *entry) {
    const listing *self = context;
    char tag[OBJECT_TAG_BYTES];
    snprintf(tag, sizeof tag, "%.42s%lld", entry->etag, (long long)entry->modified_s);
    return self->on_object(self->context, entry->key + self->folder, tag);
}

static object_result list(object_store *self, const char *start,
                          bool (*on_object)(void *context, const char *name, const char *tag), void *context) {
    swin2sr_error error = {""};
    listing names = {on_object, context, strcspn(start, "/") + 1};
    return conclude(self, s3_list(client_of(self), start, visit, &names, &error), OBJECT_FAILED, &error);
}

/* ---- opening, faults, the end ---- */

static bool take_fault(object_store *shared, swin2sr_error *ret_fault) {
    objects_s3 *self = (objects_s3 *)shared;
    pthread_mutex_lock(&self->lock);
    bool has_fault = self->has_fault;
    if (has_fault)
        *ret_fault = self->fault;
    self->has_fault = false;
    pthread_mutex_unlock(&self->lock);
    return has_fault;
}

static void interrupt(object_store *shared) {
    s3_interrupt(client_of(shared));
}

static void close_store(object_store *shared) {
    objects_s3 *self = (objects_s3 *)shared;
    s3_close(self->client);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Split an address into endpoint, bucket and prefix, which lie in `text`.  false: it has no bucket. */
static bool split(char *text, s3_settings *settings) {
    char *host = strstr(text, "://"), *slash = host ? strchr(host + 3, '/') : NULL;
    if (!slash)
        return false;
    *slash = '\0';
    settings->endpoint = text;
    settings->bucket = slash + 1;
    slash = strchr(slash + 1, '/');
    if (slash)
        *slash = '\0';
    settings->prefix = slash ? slash + 1 : "";
    return settings->bucket[0];
}

swin2sr_status objects_open_s3(const char *address, const s3_settings *settings, const char *folder,
                               object_store **ret_store, swin2sr_error *reterr) {
    s3_settings all = *settings;
    objects_s3 *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    self->store = (object_store){create, write_small, read_small, open_object, remove_object,
                                 list,   take_fault,  interrupt,  close_store};
    self->folder = folder;
    pthread_mutex_init(&self->lock, NULL);
    int length = snprintf(self->address, sizeof self->address, "%s", address);
    swin2sr_status status = (size_t)length < sizeof self->address && split(self->address, &all)
                                ? s3_open(&all, &self->client, reterr)
                                : swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                                     "'%.200s' is not the address of a bucket: must be "
                                                     "https://HOST[:PORT]/BUCKET[/PREFIX]",
                                                     address);
    if (status == SWIN2SR_OK)
        *ret_store = &self->store;
    else
        close_store(&self->store);
    return status;
}
