/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/manifest.c - read the lines, keep the last record of each output, append. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/new_file.h"
#include "base/sha256.h"
#include "manifest.h"
#include "path_text.h"

#define MAX_LINE_BYTES ((size_t)64 << 10) /* a name has up to 4096 bytes, each of which may be written as three */

static char *path_of(const char *folder) {
    char *path;
    return asprintf(&path, "%s/" MANIFEST_NAME, folder) < 0 ? NULL : path;
}

static swin2sr_status out_of_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
}

/* ---- files ---- */

static int64_t modified_ns(const struct stat *info) {
    return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

static bool hash(int fd, char ret_hex[MANIFEST_HASH_BYTES]) {
    static const size_t PIECE = (size_t)1 << 16;
    unsigned char bytes[1 << 16], digest[SWIN2SR__DIGEST_MAX_BYTES];
    swin2sr__digest message = swin2sr__sha256_begin();
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, bytes, PIECE, at)) > 0; at += n)
        swin2sr__digest_add(&message, bytes, (size_t)n);
    swin2sr__digest_end(&message, digest);
    swin2sr__hex(digest, 32, ret_hex);
    return n == 0;
}

swin2sr_status manifest_measure(int fd, manifest_file *ret_file, swin2sr_error *reterr) {
    struct stat info;
    if (fstat(fd, &info) != 0 || !hash(fd, ret_file->sha256))
        return swin2sr__error_set(reterr, SWIN2SR_IO, "what was written cannot be read: %s", strerror(errno));
    ret_file->bytes = (uint64_t)info.st_size;
    ret_file->modified_ns = modified_ns(&info);
    return SWIN2SR_OK;
}

bool manifest_is_same(const char *path, const manifest_file *file) {
    struct stat info;
    char sha256[MANIFEST_HASH_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_same = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == file->bytes;
    if (is_same && modified_ns(&info) != file->modified_ns)
        is_same = hash(fd, sha256) && strcmp(sha256, file->sha256) == 0;
    if (fd >= 0)
        close(fd);
    return is_same;
}

/* ---- lines ---- */

static void record_done(manifest_record *record) {
    free(record->output);
    free(record->input);
}

static bool take_hash(const json_t *object, const char *name, char *ret_text, size_t size) {
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || strlen(text) + 1 != size || strspn(text, "0123456789abcdef") + 1 != size)
        return false;
    memcpy(ret_text, text, size);
    return true;
}

static bool take_file(const json_t *object, manifest_file *ret_file) {
    const json_t *bytes = json_object_get(object, "bytes"), *modified = json_object_get(object, "modified_ns");
    ret_file->bytes = (uint64_t)json_integer_value(bytes);
    ret_file->modified_ns = json_integer_value(modified);
    return json_is_integer(bytes) && json_is_integer(modified) &&
           take_hash(object, "sha256", ret_file->sha256, MANIFEST_HASH_BYTES);
}

/* false: the line has no such member, or it is no path that a batch would write. */
static char *take_path(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? path_text_decode(text) : NULL;
}

static bool parse_record(const json_t *line, manifest_record *ret_record) {
    const json_t *in = json_object_get(line, "in"), *out = json_object_get(line, "out");
    manifest_record record = {.output = take_path(out, "path"), .input = take_path(in, "path")};
    bool is_ok = record.output && record.input && take_file(in, &record.in) && take_file(out, &record.out) &&
                 take_hash(line, "recipe", record.recipe, MANIFEST_RECIPE_BYTES);
    if (is_ok) {
        *ret_record = record;
        return true;
    }
    record_done(&record);
    return false;
}

static swin2sr_status append_record(manifest *self, manifest_record *record, swin2sr_error *reterr) {
    if ((self->count & (self->count + 1)) == 0) { /* doubled at 1, 3, 7, ... */
        manifest_record *more = realloc(self->records, 2 * (self->count + 1) * sizeof(*more));
        if (!more) {
            record_done(record);
            return out_of_memory(reterr);
        }
        self->records = more;
    }
    self->records[self->count++] = *record;
    return SWIN2SR_OK;
}

static swin2sr_status take_line(manifest *self, const char *text, size_t length, size_t number, const char *recipe,
                                swin2sr_error *reterr) {
    manifest_record record;
    char known[MANIFEST_RECIPE_BYTES];
    swin2sr_status status = SWIN2SR_OK;
    json_t *line = length <= MAX_LINE_BYTES ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (take_hash(line, "made_by", known, sizeof(known))) {
        self->has_recipe |= strcmp(known, recipe) == 0;
    } else if (parse_record(line, &record)) {
        record.line = number;
        status = append_record(self, &record, reterr);
    } else {
        self->damaged++;
    }
    json_decref(line);
    return status;
}

/* By output, and records of one output in the order of their lines. */
static int by_output(const void *a, const void *b) {
    const manifest_record *first = a, *second = b;
    int order = strcmp(first->output, second->output);
    return order ? order : (first->line > second->line) - (first->line < second->line);
}

static void keep_last(manifest *self) {
    size_t kept = 0;
    if (self->count)
        qsort(self->records, self->count, sizeof(*self->records), by_output);
    for (size_t i = 0; i < self->count; i++) {
        if (i + 1 < self->count && strcmp(self->records[i].output, self->records[i + 1].output) == 0)
            record_done(&self->records[i]);
        else
            self->records[kept++] = self->records[i];
    }
    self->count = kept;
}

/* Read one line, of which at most MAX_LINE_BYTES + 1 are kept.
 * returns  Its length, line end included; 0: there is no other whole line. */
static size_t read_line(FILE *file, char text[MAX_LINE_BYTES + 1]) {
    size_t length = 0;
    for (int c; (c = getc_unlocked(file)) != EOF;) {
        if (length <= MAX_LINE_BYTES)
            text[length] = (char)c;
        length++;
        if (c == '\n')
            return length;
    }
    return 0;
}

/* Read all whole lines.
 * ret_bytes  Where the last whole line ends. */
static swin2sr_status read_lines(manifest *self, FILE *file, const char *recipe, off_t *ret_bytes,
                                 swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    char *text = malloc(MAX_LINE_BYTES + 1);
    size_t number = 0, length;
    *ret_bytes = 0;
    if (!text)
        return out_of_memory(reterr);
    while (status == SWIN2SR_OK && (length = read_line(file, text)) > 0) {
        *ret_bytes += (off_t)length;
        status = take_line(self, text, length, ++number, recipe, reterr);
    }
    if (status == SWIN2SR_OK && ferror(file))
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
    free(text);
    return status;
}

/* ---- the file ---- */

static swin2sr_status load(manifest *self, int fd, const char *recipe, bool is_read_only, swin2sr_error *reterr) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "rb");
    off_t bytes, all;
    if (!file)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
    swin2sr_status status = read_lines(self, file, recipe, &bytes, reterr);
    fclose(file);
    keep_last(self);
    all = lseek(fd, 0, SEEK_END);
    if (status == SWIN2SR_OK && !is_read_only && all > bytes && ftruncate(fd, bytes) != 0)
        status = swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
    return status;
}

static swin2sr_status lock(int fd, const char *folder, swin2sr_error *reterr) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) /* other errors: no locks on this file system */
        return SWIN2SR_OK;
    return swin2sr__error_set_path(reterr, SWIN2SR_BUSY, folder, "another swin2sr batch is writing to this folder");
}

swin2sr_status manifest_open(const char *folder, bool is_read_only, const char *recipe, manifest *ret_manifest,
                             swin2sr_error *reterr) {
    manifest self = {.fd = -1, .folder = folder};
    char *path = path_of(folder);
    if (!path)
        return out_of_memory(reterr);
    int fd =
        open(path, is_read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool is_absent = fd < 0 && is_read_only && (errno == ENOENT || errno == ENOTDIR);
    swin2sr_status status = SWIN2SR_OK;
    swin2sr_error detail = {0};
    if (fd < 0 && !is_absent)
        status = swin2sr__error_set_errno(reterr, path);
    if (fd >= 0 && !is_read_only)
        status = lock(fd, folder, reterr);
    if (status == SWIN2SR_OK && fd >= 0) {
        status = load(&self, fd, recipe, is_read_only, &detail);
        if (status != SWIN2SR_OK)
            swin2sr__error_set_path(reterr, status, path, "%s", detail.text);
    }
    free(path);
    self.fd = fd;
    if (status == SWIN2SR_OK)
        *ret_manifest = self;
    else
        manifest_close(&self);
    return status;
}

void manifest_close(manifest *self) {
    for (size_t i = 0; i < self->count; i++)
        record_done(&self->records[i]);
    free(self->records);
    if (self->fd >= 0)
        close(self->fd);
    *self = (manifest){.fd = -1};
}

const manifest_record *manifest_find(const manifest *self, const char *output) {
    size_t from = 0, to = self->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(self->records[middle].output, output);
        if (order == 0)
            return &self->records[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* ---- append ---- */

/* One line, whole or not at all: what a full disk has cut is taken back. */
static swin2sr_status append(manifest *self, const char *line, size_t length, swin2sr_error *reterr) {
    off_t before = lseek(self->fd, 0, SEEK_END);
    ssize_t written = write(self->fd, line, length);
    if (written == (ssize_t)length && swin2sr__new_file_flush(self->fd) == 0)
        return SWIN2SR_OK;
    int error = written >= 0 && written < (ssize_t)length ? ENOSPC : errno;
    if (ftruncate(self->fd, before) != 0)
        error = errno;
    return swin2sr__error_set_path(reterr, SWIN2SR_IO, MANIFEST_NAME, "%s", strerror(error));
}

static json_t *file_json(const char *path, const manifest_file *file) {
    char *text = path_text_encode(path);
    json_t *object = text ? json_pack("{ss sI sI ss}", "path", text, "bytes", (json_int_t)file->bytes, "modified_ns",
                                      (json_int_t)file->modified_ns, "sha256", file->sha256)
                          : NULL;
    free(text);
    return object;
}

swin2sr_status manifest_add_recipe(manifest *self, const char *recipe, const char *json, swin2sr_error *reterr) {
    char *line;
    int length = asprintf(&line, "{\"made_by\":\"%s\",\"options\":%s}\n", recipe, json);
    if (length < 0)
        return out_of_memory(reterr);
    swin2sr_status status = append(self, line, (size_t)length, reterr);
    free(line);
    return status;
}

swin2sr_status manifest_add(manifest *self, const manifest_record *record, swin2sr_error *reterr) {
    json_t *line = json_pack("{so so ss}", "in", file_json(record->input, &record->in), "out",
                             file_json(record->output, &record->out), "recipe", record->recipe);
    char *text = swin2sr__json_text(line, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0;
    json_decref(line);
    if (!text)
        return out_of_memory(reterr);
    text[length] = '\n'; /* in place of the end of the text: append goes by the length */
    swin2sr_status status = append(self, text, length + 1, reterr);
    free(text);
    return status;
}
