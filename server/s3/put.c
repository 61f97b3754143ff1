/* SPDX-License-Identifier: Apache-2.0
 * s3/put.c - put objects, whole or in parts, and remove them.
 * In: bytes or a file.  Out: an object with its checksum beside it. A file is read twice, first for the checksum that is
 * sent before it, and is held in memory in the pieces that libcurl takes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/write.h"
#include "s3/exchange.h"

/* ---- checksums ---- */

/* SHA-256 of a part of a file.  false: it cannot be read, or is shorter. */
static bool hash_file(int fd, uint64_t at, uint64_t size, char ret_hex[65]) {
    unsigned char bytes[65536];
    swin2sr__digest digest = swin2sr__sha256_begin();
    for (uint64_t end = at + size; at < end;) {
        size_t wanted = end - at < sizeof bytes ? (size_t)(end - at) : sizeof bytes;
        ssize_t taken = pread(fd, bytes, wanted, (off_t)at);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken <= 0)
            return false;
        swin2sr__digest_add(&digest, bytes, (size_t)taken);
        at += (uint64_t)taken;
    }
    swin2sr__digest_end(&digest, bytes);
    swin2sr__hex(bytes, 32, ret_hex);
    return true;
}

static swin2sr_status unreadable(const char *key, uint64_t size, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_IO, "PUT %s: its file cannot be read, or has fewer than %llu bytes", key,
                              (unsigned long long)size);
}

/* ---- headers ---- */

/* What is said of an object when it is begun: its checksum, who writes it, and how the store is to encrypt it.
 * writer  NULL: it may replace another. */
static void describe(const s3_client *client, const char *sha256, const char *writer, s3_exchange *ret_exchange) {
    const s3_settings *settings = &client->settings;
    s3_exchange_add(ret_exchange, S3_META_SHA256, sha256);
    if (writer)
        s3_exchange_add(ret_exchange, S3_META_WRITER, writer);
    if (settings->encryption != S3_ENCRYPTION_NONE)
        s3_exchange_add(ret_exchange, "x-amz-server-side-encryption",
                        settings->encryption == S3_ENCRYPTION_KMS ? "aws:kms" : "AES256");
    if (settings->kms_key)
        s3_exchange_add(ret_exchange, "x-amz-server-side-encryption-aws-kms-key-id", settings->kms_key);
}

/* Only if there is none: the condition that the store has. */
static void add_condition(const s3_client *client, s3_exchange *ret_exchange) {
    if (client->settings.once == S3_ONCE_CONDITION)
        s3_exchange_add(ret_exchange, "if-none-match", "*");
    else if (client->settings.once == S3_ONCE_FORBID)
        s3_exchange_add(ret_exchange, "x-oss-forbid-overwrite", "true");
}

/* Run an exchange whose answer has no text that counts. */
static swin2sr_status run(s3_client *client, s3_exchange *exchange, swin2sr_error *reterr) {
    swin2sr_status status = s3_exchange_run(client, exchange, reterr);
    free(exchange->text);
    exchange->text = NULL;
    return status;
}

/* An answer that is none to a PUT, such as 404 for the object that it would make. */
static swin2sr_status as_failure(swin2sr_status status) {
    return status == SWIN2SR_INVALID || status == SWIN2SR_CORRUPT || status == SWIN2SR_TOO_LARGE ? SWIN2SR_IO : status;
}

/* ---- one writer of several ---- */

static swin2sr_status refuse(const char *key, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "PUT %s: there is one already", key);
}

/* errors  _INVALID (the object is there) and those of every call. */
static swin2sr_status check_absent(s3_client *self, const char *key, swin2sr_error *reterr) {
    s3_object object;
    swin2sr_status status = s3_head(self, key, &object, reterr);
    if (status == SWIN2SR_OK)
        return refuse(key, reterr);
    return status == SWIN2SR_INVALID ? SWIN2SR_OK : status;
}

/* errors  _INVALID (another writer put the object, or it has been removed) and those of every call. */
static swin2sr_status check_ours(s3_client *self, const char *key, const char *writer, swin2sr_error *reterr) {
    s3_object object;
    swin2sr_status status = s3_head(self, key, &object, reterr);
    return status == SWIN2SR_OK && strcmp(object.writer, writer) != 0 ? refuse(key, reterr) : status;
}

/* For stores that have no condition: nobody has written it, it is written, and after a while, in which whoever had seen
 * nothing too has written as well, it is still that of this writer (Fischer's algorithm). */
static swin2sr_status put_checked(s3_client *self, s3_exchange *exchange, const char *writer, swin2sr_error *reterr) {
    swin2sr_status status = check_absent(self, exchange->key, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = as_failure(run(self, exchange, reterr));
    if (status != SWIN2SR_OK || !exchange->in_bytes)
        return status;
    if (!s3_sleep(self, (uint64_t)LIMIT_S3_CHECK_MS * 1000))
        return SWIN2SR_CANCELLED;
    return check_ours(self, exchange->key, writer, reterr);
}

/* Put an object in one request.
 * exchange  With its body. */
static swin2sr_status put_whole(s3_client *self, s3_exchange *exchange, bool is_new, swin2sr_error *reterr) {
    char writer[S3_NONCE_BYTES];
    s3_make_nonce(writer);
    describe(self, exchange->in_sha256, is_new ? writer : NULL, exchange);
    if (is_new && self->settings.once == S3_ONCE_CHECK)
        return put_checked(self, exchange, writer, reterr);
    if (is_new)
        add_condition(self, exchange);
    swin2sr_status status = run(self, exchange, reterr);
    if (is_new && status == SWIN2SR_INVALID) /* an earlier attempt may have succeeded, and its answer been lost */
        return check_ours(self, exchange->key, writer, reterr);
    return as_failure(status);
}

swin2sr_status s3_write(s3_client *self, const char *key, const void *bytes, size_t size, bool is_new,
                        swin2sr_error *reterr) {
    char sha256[65];
    swin2sr__sha256_hex(bytes, size, sha256);
    s3_exchange exchange = s3_exchange_of("PUT", key);
    exchange.in_bytes = bytes;
    exchange.in_size = size;
    exchange.in_sha256 = sha256;
    return put_whole(self, &exchange, is_new, reterr);
}

/* ---- files ---- */

typedef struct upload {
    s3_client *client;
    const char *key;
    int fd;
    uint64_t size, part_bytes;
    char sha256[65], writer[S3_NONCE_BYTES];
    bool is_new;
    char id[S3_UPLOAD_ID_BYTES];
    char query[S3_QUERY_BYTES];
    FILE *list; /* of the parts, as it ends the upload */
    char *list_text;
    size_t list_size;
} upload;

/* The size of parts: that of the settings, or more for files of very many parts. */
static uint64_t part_bytes_of(uint64_t size, uint64_t wanted) {
    uint64_t least = (size + LIMIT_S3_PARTS - 1) / LIMIT_S3_PARTS;
    return least > wanted ? least : wanted;
}

/* Write the query of a part, or of the whole upload (number 0). */
static const char *write_query(upload *self, int number) {
    int length = number > 0 ? snprintf(self->query, sizeof self->query, "partNumber=%d&uploadId=", number)
                            : snprintf(self->query, sizeof self->query, "uploadId=");
    (void)length;
    (void)s3_query_append(self->query, sizeof self->query, self->id); /* three times its size fits */
    return self->query;
}

static swin2sr_status begin_upload(upload *self, swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("POST", self->key);
    exchange.query = "uploads=";
    describe(self->client, self->sha256, self->writer, &exchange);
    swin2sr_status status = as_failure(s3_exchange_run(self->client, &exchange, reterr));
    if (status == SWIN2SR_OK && s3_answer_upload_id(exchange.text, exchange.received, self->id) != SWIN2SR_OK)
        status =
            swin2sr__error_set(reterr, SWIN2SR_IO, "POST %s: the store gave no id for an upload in parts", self->key);
    free(exchange.text);
    return status;
}

/* The tag must be text in XML. */
static bool is_tag(const char *text) {
    return text[0] && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/=\"")];
}

static swin2sr_status put_part(upload *self, int number, uint64_t at, swin2sr_error *reterr) {
    char sha256[65];
    uint64_t left = self->size - at, size = left < self->part_bytes ? left : self->part_bytes;
    if (!hash_file(self->fd, at, size, sha256))
        return unreadable(self->key, self->size, reterr);
    s3_exchange exchange = s3_exchange_of("PUT", self->key);
    exchange.query = write_query(self, number);
    exchange.in_fd = self->fd;
    exchange.in_at = at;
    exchange.in_size = size;
    exchange.in_sha256 = sha256;
    swin2sr_status status = as_failure(run(self->client, &exchange, reterr));
    if (status == SWIN2SR_OK && !is_tag(exchange.etag))
        return swin2sr__error_set(reterr, SWIN2SR_IO, "PUT %s: the store gave no ETag for part %d", self->key, number);
    if (status == SWIN2SR_OK)
        fprintf(self->list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", number, exchange.etag);
    return status;
}

/* The store says that there is an object of this key, or that it knows no such upload (code 404). Both may be because an
 * earlier attempt has ended it, whose answer was lost. */
static swin2sr_status is_complete(const upload *self, int code, swin2sr_error *reterr) {
    swin2sr_status status = check_ours(self->client, self->key, self->writer, reterr);
    if (status == SWIN2SR_INVALID && code == 404)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "POST %s: the store has lost the parts of an upload", self->key);
    return status;
}

static swin2sr_status end_upload(upload *self, swin2sr_error *reterr) {
    char sha256[65];
    swin2sr__sha256_hex(self->list_text, self->list_size, sha256);
    s3_exchange exchange = s3_exchange_of("POST", self->key);
    exchange.query = write_query(self, 0);
    exchange.in_bytes = self->list_text;
    exchange.in_size = self->list_size;
    exchange.in_sha256 = sha256;
    exchange.is_patient = true;
    if (self->is_new)
        add_condition(self->client, &exchange);
    swin2sr_status status = run(self->client, &exchange, reterr);
    return status == SWIN2SR_INVALID ? is_complete(self, exchange.code, reterr) : as_failure(status);
}

/* Remove the parts. If this fails too, they stay until the store removes them: docs/storage.md. */
static void abandon_upload(upload *self) {
    s3_exchange exchange = s3_exchange_of("DELETE", self->key);
    exchange.query = write_query(self, 0);
    (void)run(self->client, &exchange, NULL);
}

static swin2sr_status put_parts(upload *self, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    fputs("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">", self->list);
    uint64_t at = 0;
    for (int number = 1; at < self->size && status == SWIN2SR_OK; number++, at += self->part_bytes)
        status = put_part(self, number, at, reterr);
    fputs("</CompleteMultipartUpload>", self->list);
    self->list_text = swin2sr__text_end(self->list, &self->list_text);
    if (status == SWIN2SR_OK && !self->list_text)
        status = SWIN2SR_NOMEM;
    if (status == SWIN2SR_OK)
        status = end_upload(self, reterr);
    free(self->list_text);
    if (status != SWIN2SR_OK)
        abandon_upload(self);
    return status;
}

static swin2sr_status put_in_parts(upload *self, swin2sr_error *reterr) {
    swin2sr_status status = self->is_new ? check_absent(self->client, self->key, reterr) : SWIN2SR_OK;
    if (status != SWIN2SR_OK)
        return status;
    self->part_bytes = part_bytes_of(self->size, self->client->settings.part_bytes);
    s3_make_nonce(self->writer);
    self->list = open_memstream(&self->list_text, &self->list_size);
    if (!self->list)
        return SWIN2SR_NOMEM;
    status = begin_upload(self, reterr);
    if (status == SWIN2SR_OK)
        return put_parts(self, reterr);
    free(swin2sr__text_end(self->list, &self->list_text));
    return status;
}

swin2sr_status s3_put(s3_client *self, const char *key, int fd, uint64_t size, bool is_new, swin2sr_error *reterr) {
    upload file = {.client = self, .key = key, .fd = fd, .size = size, .is_new = is_new};
    if (!hash_file(fd, 0, size, file.sha256))
        return unreadable(key, size, reterr);
    if (size > self->settings.part_bytes)
        return put_in_parts(&file, reterr);
    s3_exchange exchange = s3_exchange_of("PUT", key);
    exchange.in_fd = fd;
    exchange.in_size = size;
    exchange.in_sha256 = file.sha256;
    return put_whole(self, &exchange, is_new, reterr);
}

swin2sr_status s3_remove(s3_client *self, const char *key, swin2sr_error *reterr) {
    s3_exchange exchange = s3_exchange_of("DELETE", key);
    swin2sr_status status = run(self, &exchange, reterr);
    return status == SWIN2SR_INVALID && exchange.code == 404 ? SWIN2SR_OK : as_failure(status);
}
