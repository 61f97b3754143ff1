/* SPDX-License-Identifier: Apache-2.0
 * s3/sign.c - AWS Signature Version 4: the names of the steps are those of Amazon's description.
 * In: a request.  Out: its signature. */
#include "s3/sign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hmac.h"
#include "base/sha256.h"

#define DIGEST_BYTES SWIN2SR__HMAC_BYTES
#define SERVICE "s3"
#define DATE_BYTES 8 /* of a time, "20130524" */
#define SECRET_MAX_BYTES 256

static void add_text(swin2sr__digest *digest, const char *text) {
    swin2sr__digest_add(digest, text, strlen(text));
}

/* One step of the derivation of a key; the result may take the place of the key. */
static void derive(const void *key, size_t key_size, const char *text, size_t size,
                   unsigned char ret_bytes[DIGEST_BYTES]) {
    swin2sr__hmac step = swin2sr__hmac_begin(key, key_size);
    swin2sr__digest_add(&step.inner, text, size);
    swin2sr__hmac_end(&step, ret_bytes);
}

/* The key of one day, region and service. */
static void signing_key(const s3_signing *request, unsigned char ret_key[DIGEST_BYTES]) {
    char secret[4 + SECRET_MAX_BYTES + 1];
    int length = snprintf(secret, sizeof secret, "AWS4%s", request->secret_key);
    derive(secret, (size_t)length, request->time, DATE_BYTES, ret_key);
    derive(ret_key, DIGEST_BYTES, request->region, strlen(request->region), ret_key);
    derive(ret_key, DIGEST_BYTES, SERVICE, strlen(SERVICE), ret_key);
    derive(ret_key, DIGEST_BYTES, "aws4_request", strlen("aws4_request"), ret_key);
    explicit_bzero(secret, sizeof secret);
}

static void add_signed_names(swin2sr__digest *digest, const s3_signing *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0)
            add_text(digest, ";");
        add_text(digest, request->headers[i].name);
    }
}

/* Runs of spaces count as one, and those around a value do not count. */
static void add_value(swin2sr__digest *digest, const char *value) {
    bool has_text = false;
    for (const char *word = value; *(word += strspn(word, " "));) {
        size_t length = strcspn(word, " ");
        if (has_text)
            add_text(digest, " ");
        swin2sr__digest_add(digest, word, length);
        has_text = true;
        word += length;
    }
}

static void hash_canonical_request(const s3_signing *request, char ret_hex[2 * DIGEST_BYTES + 1]) {
    unsigned char bytes[DIGEST_BYTES];
    swin2sr__digest digest = swin2sr__sha256_begin();
    const char *const lines[] = {request->method, request->path, request->query};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        add_text(&digest, lines[i]);
        add_text(&digest, "\n");
    }
    for (size_t i = 0; i < request->header_count; i++) {
        add_text(&digest, request->headers[i].name);
        add_text(&digest, ":");
        add_value(&digest, request->headers[i].value);
        add_text(&digest, "\n");
    }
    add_text(&digest, "\n");
    add_signed_names(&digest, request);
    add_text(&digest, "\n");
    add_text(&digest, request->payload_sha256);
    swin2sr__digest_end(&digest, bytes);
    swin2sr__hex(bytes, sizeof bytes, ret_hex);
}

void s3_write_time(int64_t unix_s, char ret_time[S3_TIME_BYTES]) {
    time_t seconds = (time_t)unix_s;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || strftime(ret_time, S3_TIME_BYTES, "%Y%m%dT%H%M%SZ", &parts) == 0)
        strcpy(ret_time, "19700101T000000Z");
}

/* Append text at *length.  false: it does not fit. */
static bool append(char *value, size_t *length, const char *text) {
    size_t size = strlen(text);
    if (size >= S3_AUTHORIZATION_BYTES - *length)
        return false;
    memcpy(value + *length, text, size + 1);
    *length += size;
    return true;
}

swin2sr_status s3_sign(const s3_signing *request, char ret_value[S3_AUTHORIZATION_BYTES]) {
    char hash[2 * DIGEST_BYTES + 1], scope[128], value[S3_AUTHORIZATION_BYTES];
    unsigned char key[DIGEST_BYTES], signature[DIGEST_BYTES];
    int scope_length =
        snprintf(scope, sizeof scope, "%.*s/%s/" SERVICE "/aws4_request", DATE_BYTES, request->time, request->region);
    int length =
        snprintf(value, sizeof value, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", request->access_key, scope);
    if (strlen(request->secret_key) > SECRET_MAX_BYTES || (size_t)scope_length >= sizeof scope ||
        (size_t)length >= sizeof value)
        return SWIN2SR_TOO_LARGE;
    size_t at = (size_t)length;
    bool fits = true;
    for (size_t i = 0; i < request->header_count && fits; i++)
        fits = (i == 0 || append(value, &at, ";")) && append(value, &at, request->headers[i].name);
    hash_canonical_request(request, hash);
    signing_key(request, key);
    swin2sr__hmac text = swin2sr__hmac_begin(key, sizeof key);
    const char *const lines[] = {"AWS4-HMAC-SHA256\n", request->time, "\n", scope, "\n", hash};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        add_text(&text.inner, lines[i]);
    swin2sr__hmac_end(&text, signature);
    explicit_bzero(key, sizeof key);
    swin2sr__hex(signature, sizeof signature, hash);
    if (!fits || !append(value, &at, ",Signature=") || !append(value, &at, hash))
        return SWIN2SR_TOO_LARGE;
    memcpy(ret_value, value, at + 1);
    return SWIN2SR_OK;
}
