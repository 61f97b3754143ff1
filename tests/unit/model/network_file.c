/* SPDX-License-Identifier: Apache-2.0
 * network_file.c - make safetensors files in memory (see network_file.h).
 * Buffers are sized for the tiny networks here and asserted, not grown. */
#include "network_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

#ifndef SWIN2SR_SOURCE_DIR
#define SWIN2SR_SOURCE_DIR "."
#endif

enum {
    HEADER_BYTES = 1 << 16,
    DATA_BYTES = 1 << 20
};

swin2sr__config network_config(swin2sr__head head, int32_t scale) {
    swin2sr__config config = {.head = head,
                              .scale = scale,
                              .channels = 3,
                              .dim = 4,
                              .heads = 2,
                              .window_px = 8,
                              .hidden = 8,
                              .groups = 2,
                              .depths = {2, 1},
                              .img_range = 1.0f};
    if (head != SWIN2SR__HEAD_NONE && head != SWIN2SR__HEAD_PIXELSHUFFLEDIRECT)
        config.features = 6;
    return config;
}

typedef struct builder {
    const network_change *change;
    char *header;
    unsigned char *data;
    size_t header_bytes, data_bytes;
} builder;

static bool is_same(const char *a, const char *b) {
    return a && strcmp(a, b) == 0;
}

static void add_number(builder *to, const char *dtype, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if (strcmp(dtype, "F16") == 0)
        bits = value == 0.0f ? 0 : ((bits >> 23 & 255) - 112) << 10 | (bits >> 13 & 1023); /* exact for i / 64 */
    if (strcmp(dtype, "BF16") == 0)
        bits >>= 16;
    size_t bytes = strcmp(dtype, "F32") == 0 || strcmp(dtype, "I32") == 0 ? 4 : 2;
    assert(to->data_bytes + bytes <= DATA_BYTES);
    memcpy(to->data + to->data_bytes, &bits, bytes);
    to->data_bytes += bytes;
}

static void add_header(builder *to, const char *name, const char *dtype, const int64_t *shape, int rank, size_t begin) {
    char sides[64] = "";
    for (int i = 0; i < rank; i++)
        sprintf(sides + strlen(sides), "%s%d", i ? "," : "", (int)shape[i]);
    to->header_bytes += (size_t)snprintf(to->header + to->header_bytes, HEADER_BYTES - to->header_bytes,
                                         "%s\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                                         to->header_bytes > 1 ? "," : "", to->change->prefix ? to->change->prefix : "",
                                         name, dtype, sides, begin, to->data_bytes);
    assert(to->header_bytes < HEADER_BYTES);
}

static swin2sr_status add_tensor(void *context, const char *official, const int64_t *shape, int rank) {
    builder *to = context;
    const network_change *change = to->change;
    const char *dtype = is_same(change->retype, official) ? "I32" : change->dtype ? change->dtype : "F32";
    char name[SWIN2SR__MAX_NAME_BYTES];
    int64_t sides[SWIN2SR__MAX_WEIGHT_RANK], count = 1;
    size_t begin = to->data_bytes;
    if (is_same(change->drop, official))
        return SWIN2SR_OK;
    for (int i = 0; i < rank; i++) {
        sides[i] = shape[i] + (i == 0 && is_same(change->reshape, official));
        count *= sides[i];
    }
    for (int64_t i = 0; i < count; i++)
        add_number(to, dtype, (float)(i % 64) / 64.0f);
    if (is_same(change->poison, official)) {
        size_t bytes = strcmp(dtype, "F32") == 0 ? 4 : 2;
        memcpy(to->data + to->data_bytes - bytes, &change->poison_bits, bytes);
    }
    snprintf(name, sizeof(name), "%s", is_same(change->rename, official) ? change->renamed : official);
    add_header(to, name, dtype, sides, rank, begin);
    return SWIN2SR_OK;
}

static void add_metadata(builder *to, const char *text) {
    char *at = to->header + to->header_bytes;
    at = stpcpy(at, "\"__metadata__\":{\"name\":\"tiny\",\"config\":\"");
    for (; *text; text++) {
        if (*text == '"')
            *at++ = '\\';
        *at++ = *text;
    }
    at = stpcpy(at, "\"}");
    to->header_bytes = (size_t)(at - to->header);
}

static void add_extra(builder *to, const network_change *change) {
    to->header_bytes += (size_t)sprintf(to->header + to->header_bytes, ",%s,\"data_offsets\":[%zu,%zu]}", change->extra,
                                        to->data_bytes, to->data_bytes + change->extra_bytes);
    to->data_bytes += change->extra_bytes;
}

static file_bytes join(const char *header, size_t length, uint64_t claimed, const unsigned char *data,
                       size_t data_bytes) {
    file_bytes file = {.size = 8 + length + data_bytes};
    file.data = calloc(1, file.size);
    assert(file.data);
    for (int i = 0; i < 8; i++)
        file.data[i] = (unsigned char)(claimed >> 8 * i);
    memcpy(file.data + 8, header, length);
    if (data)
        memcpy(file.data + 8 + length, data, data_bytes);
    return file;
}

file_bytes network_file(const swin2sr__config *config, const network_change *change) {
    static const network_change none;
    builder to = {.change = change ? change : &none, .header = calloc(1, HEADER_BYTES), .data = calloc(1, DATA_BYTES)};
    assert(to.header && to.data);
    to.header[to.header_bytes++] = '{';
    if (to.change->metadata)
        add_metadata(&to, to.change->metadata);
    swin2sr_status status = swin2sr__names_each(config, add_tensor, &to);
    assert(status == SWIN2SR_OK);
    (void)status;
    if (to.change->extra)
        add_extra(&to, to.change);
    to.header[to.header_bytes++] = '}';
    file_bytes file = join(to.header, to.header_bytes, to.header_bytes, to.data, to.data_bytes);
    free(to.header);
    free(to.data);
    return file;
}

file_bytes container_file(const char *header, int64_t length_lie, size_t data_bytes) {
    size_t length = strlen(header);
    return join(header, length, (uint64_t)((int64_t)length + length_lie), NULL, data_bytes);
}

static file_bytes read_file(const char *folder, const char *path) {
    file_bytes file = {0};
    char full[4096];
    snprintf(full, sizeof(full), "%s/%s", folder, path);
    FILE *in = fopen(full, "rb");
    if (!in)
        return file;
    fseek(in, 0, SEEK_END);
    file.size = (size_t)ftell(in);
    rewind(in);
    file.data = calloc(1, file.size + 1); /* a text ends with a zero */
    assert(file.data);
    if (fread(file.data, 1, file.size, in) != file.size)
        abort();
    fclose(in);
    return file;
}

file_bytes source_file(const char *path) {
    const char *folder = getenv("SWIN2SR_SOURCE_DIR");
    return read_file(folder ? folder : SWIN2SR_SOURCE_DIR, path);
}

file_bytes shared_file(const char *path) {
    const char *folder = getenv("SWIN2SR_SHARED");
    return read_file(folder ? folder : SWIN2SR_SOURCE_DIR "/../shared", path);
}
