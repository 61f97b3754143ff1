/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_tus.c - any text as the header fields of resumable uploads: Upload-Length, Upload-Metadata, Upload-Checksum.
 * Checks that an accepted number is the one written, that accepted metadata is bounded printable text whose parts are
 * accepted by themselves, and that the checksum of the input, written as a client writes it, is accepted and fits
 * exactly that input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/tus.h"
#include "base/sha1.h"
#include "base/sha256.h"
#include "config/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static void try_number(const char *text) {
    uint64_t value;
    char again[24];
    if (!tus_parse_number(text, &value))
        return;
    check(value <= INT64_MAX);
    snprintf(again, sizeof again, "%llu", (unsigned long long)value);
    const char *digits = text + strspn(text, "0");
    check(strcmp(again, *digits ? digits : "0") == 0);
}

static void try_metadata(const char *text) {
    if (tus_metadata_fault(text))
        return;
    size_t length = strlen(text);
    check(length < LIMIT_UPLOAD_METADATA_BYTES);
    for (size_t i = 0; i < length; i++)
        check(text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
    for (const char *at = text; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        char pair[LIMIT_UPLOAD_METADATA_BYTES];
        size_t bytes = strcspn(at, ",");
        memcpy(pair, at, bytes);
        pair[bytes] = '\0';
        check(tus_metadata_fault(pair) == NULL);
    }
}

static void write_base64(const unsigned char *bytes, size_t size, char *text) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < size ? (uint32_t)bytes[i + 2] : 0;
        for (size_t j = 0; j < 4; j++)
            *text++ = i + j > size ? '=' : alphabet[group >> (18 - 6 * j) & 63];
    }
    *text = '\0';
}

static void try_checksum_of(const char *name, swin2sr__digest digest, const uint8_t *data, size_t size) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    char text[64];
    tus_checksum self, other;
    swin2sr__digest_add(&digest, data, size);
    swin2sr__digest_end(&digest, bytes);
    strcpy(text, name);
    write_base64(bytes, digest.digest_bytes, text + strlen(text));
    check(tus_parse_checksum(text, &self));
    other = self;
    swin2sr__digest_add(&self.digest, data, size / 2);
    swin2sr__digest_add(&self.digest, data + size / 2, size - size / 2);
    check(tus_checksum_fits(&self));
    swin2sr__digest_add(&other.digest, "x", 1);
    swin2sr__digest_add(&other.digest, data, size);
    check(!tus_checksum_fits(&other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    tus_checksum checksum;
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    try_number(text);
    try_metadata(text);
    if (tus_parse_checksum(text, &checksum))
        check(checksum.digest.digest_bytes == (strncmp(text, "sha1 ", 5) == 0 ? 20 : 32));
    free(text);
    if (size > 0) {
        try_checksum_of("sha1 ", swin2sr__sha1_begin(), data, size);
        try_checksum_of("sha256 ", swin2sr__sha256_begin(), data, size);
    }
    return 0;
}
