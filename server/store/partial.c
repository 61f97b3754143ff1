/* SPDX-License-Identifier: Apache-2.0
 * store/partial.c - uploads that come in several requests (stage 1 of 9, request).
 * In: bytes of requests, and what an earlier process left.  Out: files ID.part and ID.info.
 * Bytes with a checksum go to an unnamed file first and are copied by the commit, so that every byte in ID.part counts,
 * whenever the process ends. */
#include "store/partial.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/write.h"
#include "store/data.h"

#define RECORD_VERSION 1
#define SWEEP_US 60000000u
#define NAME_BYTES (PARTIAL_ID_BYTES + 5) /* ID.part, ID.info */
#define BYTES_ENDING ".part"
#define RECORD_ENDING ".info"

static void write_name(const char *id, const char *ending, char ret_name[NAME_BYTES]) {
    snprintf(ret_name, NAME_BYTES, "%.32s%s", id, ending);
}

/* ---- the record ---- */

static swin2sr_status write_record(const partial *self) {
    const partial_facts *facts = &self->facts;
    char name[NAME_BYTES];
    json_t *record =
        json_pack("{s:i, s:I, s:I, s:s, s:s, s:s, s:s}", "version", RECORD_VERSION, "length",
                  (json_int_t)facts->length_bytes, "expires", (json_int_t)facts->expires_s, "owner", facts->owner,
                  "client", facts->client, "metadata", facts->metadata, "sha256", self->sha256);
    char *text = swin2sr__json_text(record, JSON_COMPACT);
    json_decref(record);
    if (!text)
        return SWIN2SR_NOMEM;
    write_name(self->id, RECORD_ENDING, name);
    swin2sr_status status = data_write(self->owner->folder, name, text, strlen(text));
    free(text);
    return status;
}

/* false: it is not a record of this version. */
static bool parse_record(const char *text, size_t size, partial_facts *ret_facts, char ret_sha256[CHECKSUM_HEX_BYTES]) {
    json_int_t length = -1, expires = -1;
    const char *owner = "", *client = "", *metadata = "", *sha256 = "";
    int version = 0;
    json_t *record = json_loadb(text, size, 0, NULL);
    bool is_fit =
        record &&
        json_unpack(record, "{s:i, s:I, s:I, s:s, s:s, s:s, s?s}", "version", &version, "length", &length, "expires",
                    &expires, "owner", &owner, "client", &client, "metadata", &metadata, "sha256", &sha256) == 0 &&
        version == RECORD_VERSION && length >= 0 && expires >= 0 && strlen(owner) < sizeof ret_facts->owner &&
        strlen(client) < sizeof ret_facts->client && strlen(metadata) < sizeof ret_facts->metadata &&
        strlen(sha256) < CHECKSUM_HEX_BYTES;
    if (is_fit) {
        *ret_facts = (partial_facts){.length_bytes = (uint64_t)length, .expires_s = expires};
        strcpy(ret_facts->owner, owner);
        strcpy(ret_facts->client, client);
        strcpy(ret_facts->metadata, metadata);
        strcpy(ret_sha256, sha256);
    }
    json_decref(record);
    return is_fit;
}

static void unlink_files(const partial_set *self, const char *id) {
    static const char *const endings[] = {RECORD_ENDING, BYTES_ENDING};
    for (size_t i = 0; i < 2; i++) {
        char name[NAME_BYTES];
        write_name(id, endings[i], name);
        unlinkat(self->folder, name, 0);
    }
}

/* ---- the set ---- */

static void add(partial_set *self, partial *upload) {
    upload->owner = self;
    upload->fd = -1;
    upload->next = self->first;
    self->first = upload;
    self->count++;
}

static void count_bytes(partial_set *self, int64_t more) {
    self->bytes += (uint64_t)more;
    self->spool->used_bytes += (uint64_t)more;
}

/* Forget an upload; its files stay. */
static void forget(partial *self) {
    partial **link = &self->owner->first;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    self->owner->count--;
    store_remove(&self->chunk);
    if (self->fd >= 0)
        close(self->fd);
    count_bytes(self->owner, -(int64_t)self->offset_bytes);
    free(self);
}

void partial_remove(partial *self) {
    unlink_files(self->owner, self->id);
    forget(self);
}

void partial_set_aside(partial *self) {
    partial_set *set = self->owner;
    char record[NAME_BYTES], bytes[NAME_BYTES];
    write_name(self->id, RECORD_ENDING, record);
    write_name(self->id, BYTES_ENDING, bytes);
    (void)(data_quarantine(set->data, set->folder, record) && data_quarantine(set->data, set->folder, bytes));
    set->damaged_count++;
    partial_remove(self);
}

size_t partial_set_count_of(const partial_set *self, const char *owner, const char *client, uint64_t *ret_bytes) {
    size_t count = 0;
    uint64_t bytes = 0;
    for (const partial *each = self->first; each; each = each->next)
        if (strcmp(each->facts.owner, owner) == 0 && (owner[0] || strcmp(each->facts.client, client) == 0)) {
            count++;
            bytes += each->facts.length_bytes;
        }
    *ret_bytes = bytes;
    return count;
}

bool partial_set_has_room(const partial_set *self, uint64_t more_bytes) {
    uint64_t budget = self->spool->budget_bytes;
    return more_bytes <= budget && self->bytes + more_bytes <= budget / LIMIT_UPLOADS_SHARE &&
           self->spool->used_bytes + more_bytes <= budget;
}

partial *partial_find(const partial_set *self, const char *id) {
    partial *each = self->first;
    while (each && !(each->is_recorded && strcmp(each->id, id) == 0))
        each = each->next;
    return each;
}

void partial_set_expire(partial_set *self, int64_t now_s) {
    for (partial *each = self->first, *next; each; each = next) {
        next = each->next;
        if (each->facts.expires_s <= now_s && each->fd < 0)
            partial_remove(each);
    }
}

static void on_sweep(void *context) {
    partial_set *self = context;
    partial_set_expire(self, time(NULL));
    loop_timer_set(self->loop, &self->sweep, swin2sr__clock_us() + SWEEP_US);
}

/* ---- what an earlier process left ---- */

/* "0123456789abcdef0123456789abcdef.info" for the ending ".info"; ret_id: the part before it. */
static bool is_name(const char *name, const char *ending, char ret_id[PARTIAL_ID_BYTES]) {
    if (strspn(name, "0123456789abcdef") != PARTIAL_ID_BYTES - 1 || strcmp(name + PARTIAL_ID_BYTES - 1, ending) != 0)
        return false;
    snprintf(ret_id, PARTIAL_ID_BYTES, "%.32s", name);
    return true;
}

/* Continue one upload. The files of one that cannot be continued are removed.  errors _NOMEM. */
static swin2sr_status take_up(partial_set *self, const char *id) {
    char name[NAME_BYTES], *text = NULL;
    size_t size;
    struct stat bytes;
    partial *upload = calloc(1, sizeof *upload);
    if (!upload)
        return SWIN2SR_NOMEM;
    write_name(id, RECORD_ENDING, name);
    bool is_fit = data_read(self->folder, name, LIMIT_UPLOAD_RECORD_BYTES, &text, &size) == SWIN2SR_OK &&
                  parse_record(text, size, &upload->facts, upload->sha256);
    free(text);
    write_name(id, BYTES_ENDING, name);
    is_fit = is_fit && fstatat(self->folder, name, &bytes, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(bytes.st_mode) &&
             (uint64_t)bytes.st_size <= upload->facts.length_bytes;
    if (!is_fit) {
        unlink_files(self, id);
        free(upload);
        return SWIN2SR_OK;
    }
    strcpy(upload->id, id);
    upload->offset_bytes = (uint64_t)bytes.st_size;
    upload->kept_bytes = upload->offset_bytes;
    upload->is_recorded = true;
    count_bytes(self, (int64_t)upload->offset_bytes);
    add(self, upload);
    return SWIN2SR_OK;
}

/* First the records, then the bytes of uploads without one.  errors _IO, _NOMEM. */
static swin2sr_status take_up_all(partial_set *self) {
    struct dirent **names;
    size_t count;
    char id[PARTIAL_ID_BYTES];
    swin2sr_status status = data_list(self->folder, &names, &count);
    if (status != SWIN2SR_OK)
        return status;
    for (size_t i = 0; status == SWIN2SR_OK && i < count; i++)
        if (is_name(names[i]->d_name, RECORD_ENDING, id))
            status = take_up(self, id);
    for (size_t i = 0; status == SWIN2SR_OK && i < count; i++)
        if (is_name(names[i]->d_name, BYTES_ENDING, id) && !partial_find(self, id))
            unlinkat(self->folder, names[i]->d_name, 0);
    data_names_free(names, count);
    return status;
}

/* ---- whole uploads ---- */

static void commit_whole(store_file *file, store_done on_done, void *context) {
    on_done(context, SWIN2SR_OK);
}

static void close_whole(store_file *file) {
    close(file->fd);
}

swin2sr_status partial_open_whole(partial *self, store_file *ret_file) {
    char name[NAME_BYTES];
    write_name(self->id, BYTES_ENDING, name);
    int fd = openat(self->owner->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return SWIN2SR_IO;
    *ret_file = (store_file){.owner = &self->owner->whole, .fd = fd, .bytes = self->facts.length_bytes};
    return SWIN2SR_OK;
}

swin2sr_status partial_set_open(partial_set *self, const data_folder *data, store *spool, io_thread *io,
                                event_loop *loop, uint64_t lifetime_s) {
    *self = (partial_set){.folder = data->uploads,
                          .data = data,
                          .spool = spool,
                          .io = io,
                          .loop = loop,
                          .lifetime_s = lifetime_s,
                          .sweep = {.on_due = on_sweep, .context = self},
                          .whole = {.commit = commit_whole, .open = spool->open, .remove = close_whole}};
    swin2sr_status status = take_up_all(self);
    if (status != SWIN2SR_OK) {
        partial_set_close(self);
        return status;
    }
    on_sweep(self);
    return SWIN2SR_OK;
}

void partial_set_close(partial_set *self) {
    if (self->folder == 0)
        return;
    loop_timer_clear(self->loop, &self->sweep);
    while (self->first)
        forget(self->first);
    self->folder = 0;
}

/* ---- one upload ---- */

static bool make_id(char ret_id[PARTIAL_ID_BYTES]) {
    uint64_t random[2];
    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
        return false;
    snprintf(ret_id, PARTIAL_ID_BYTES, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
    return true;
}

/* Open ID.part, and the file for bytes with a checksum. flags: of open. A failure ends the request's writing. */
static swin2sr_status begin(partial *self, int flags, bool is_checked) {
    char name[NAME_BYTES];
    write_name(self->id, BYTES_ENDING, name);
    self->fd = openat(self->owner->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
    if (self->fd >= 0 && (!is_checked || store_create(self->owner->spool, &self->chunk) == SWIN2SR_OK))
        return SWIN2SR_OK;
    partial_end(self);
    return SWIN2SR_IO;
}

swin2sr_status partial_create(partial_set *self, const partial_facts *facts, bool is_checked, partial **ret_upload) {
    partial *upload = calloc(1, sizeof *upload);
    if (!upload)
        return SWIN2SR_NOMEM;
    upload->facts = *facts;
    upload->facts.expires_s = time(NULL) + (int64_t)self->lifetime_s;
    add(self, upload);
    swin2sr_status status = make_id(upload->id) ? begin(upload, O_CREAT | O_EXCL, is_checked) : SWIN2SR_IO;
    if (status != SWIN2SR_OK)
        return status;
    *ret_upload = upload;
    return SWIN2SR_OK;
}

swin2sr_status partial_begin(partial *self, bool is_checked) {
    return begin(self, 0, is_checked);
}

swin2sr_status partial_append(partial *self, const void *data, size_t size) {
    if (size > self->facts.length_bytes - self->offset_bytes - self->chunk.bytes)
        return SWIN2SR_TOO_LARGE;
    if (!partial_set_has_room(self->owner, self->chunk.bytes + size))
        return SWIN2SR_BUSY;
    if (!disk_space_has(&self->owner->data->disk, self->chunk.bytes + size))
        return SWIN2SR_IO;
    if (self->chunk.owner)
        return store_append(&self->chunk, data, size);
    size_t written = swin2sr__write_at(self->fd, data, size, self->offset_bytes);
    self->offset_bytes += written;
    count_bytes(self->owner, (int64_t)written);
    return written == size ? SWIN2SR_OK : SWIN2SR_IO;
}

void partial_end(partial *self) {
    if (!self->is_recorded) {
        partial_remove(self);
        return;
    }
    store_remove(&self->chunk);
    self->chunk.bytes = 0;
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    self->writer = NULL;
}

/* ---- the commit ---- */

/* Append the bytes whose checksum was correct. */
static bool copy_chunk(const partial *self) {
    char bytes[65536];
    for (uint64_t at = 0; at < self->chunk.bytes;) {
        ssize_t size = pread(self->chunk.fd, bytes, sizeof bytes, (off_t)at);
        if (size <= 0 || swin2sr__write_at(self->fd, bytes, (size_t)size, self->offset_bytes + at) < (size_t)size)
            return false;
        at += (uint64_t)size;
    }
    return true;
}

/* On the I/O thread. The record is written last, because with it the upload exists. */
static void do_commit(io_task *task) {
    partial *self = (partial *)task;
    bool is_last = self->offset_bytes + self->chunk.bytes == self->facts.length_bytes;
    self->outcome = copy_chunk(self) && fdatasync(self->fd) == 0 ? SWIN2SR_OK : SWIN2SR_IO;
    if (self->outcome != SWIN2SR_OK && ftruncate(self->fd, (off_t)self->kept_bytes) != 0)
        return; /* the next bytes overwrite the wrong ones anyway */
    if (self->outcome == SWIN2SR_OK && is_last)
        self->outcome = checksum_of(self->fd, self->facts.length_bytes, self->sha256);
    if (self->outcome == SWIN2SR_OK && (is_last || !self->is_recorded))
        self->outcome = write_record(self);
}

static void on_committed(io_task *task) {
    partial *self = (partial *)task;
    store_done on_done = self->on_done;
    void *context = self->context;
    swin2sr_status outcome = self->outcome;
    self->is_committing = false;
    uint64_t end = outcome == SWIN2SR_OK ? self->offset_bytes + self->chunk.bytes : self->kept_bytes;
    count_bytes(self->owner, (int64_t)(end - self->offset_bytes));
    self->offset_bytes = self->kept_bytes = end;
    self->is_recorded |= outcome == SWIN2SR_OK && on_done;
    partial_end(self);
    if (on_done)
        on_done(context, outcome);
}

void partial_commit(partial *self, store_done on_done, void *context) {
    self->on_done = on_done;
    self->context = context;
    self->is_committing = true;
    self->commit = (io_task){.work = do_commit, .done = on_committed};
    io_submit(self->owner->io, &self->commit);
}

void partial_leave(partial *self) {
    self->on_done = NULL;
    self->writer = NULL;
}
