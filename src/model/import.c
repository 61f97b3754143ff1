/* SPDX-License-Identifier: Apache-2.0
 * model/import.c - any supported weight file, written as one safetensors file that describes itself.
 * In: a checkpoint or a safetensors file that has been opened as a model.
 * Out: a new file, which appears only when it is complete, with official names, unchanged types, and config and origin
 * as metadata. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/new_file.h"
#include "base/write.h"
#include "model/names.h"
#include "model/source.h"
#include "model/weights.h"

#define HEADER_ALIGN 8

typedef struct writer {
    const swin2sr__weights *weights;
    json_t *header; /* NULL while the bytes are written */
    uint64_t at;    /* end of the tensors so far */
    const char *path;
    int fd;
    uint64_t written; /* bytes of the file */
    swin2sr_error *reterr;
} writer;

static swin2sr_status no_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the header of a safetensors file");
}

/* A JSON list of numbers; NULL: out of memory. */
static json_t *whole_numbers(const int64_t *numbers, int count) {
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++) {
        if (json_array_append_new(list, json_integer(numbers[i])) == 0)
            continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

/* The config that config.c reads back: the arguments of the reference's Swin2SR(). */
static char *config_text(const swin2sr__config *config) {
    double ratio = (double)config->hidden / config->dim;
    if ((int32_t)(config->dim * ratio) != config->hidden) /* readers truncate the product to a whole number */
        ratio = nextafter(ratio, HUGE_VAL);
    int64_t depths[SWIN2SR__MAX_GROUPS];
    for (int32_t g = 0; g < config->groups; g++)
        depths[g] = config->depths[g];
    json_t *json =
        json_pack("{si ss si so si si sf si sf sb}", "scale", config->scale, "head", swin2sr__head_name(config->head),
                  "dim", config->dim, "depths", whole_numbers(depths, config->groups), "heads", config->heads, "ws",
                  config->window_px, "ratio", ratio, "channels", config->channels, "img_range",
                  (double)config->img_range, "triple", config->is_triple);
    bool is_whole = !config->features || json_object_set_new(json, "feat", json_integer(config->features)) == 0;
    char *text = is_whole ? swin2sr__json_text(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

/* The option, else the value in the file, else nothing. */
static const char *choose(const char *option, const swin2sr__weights *weights, const char *key) {
    return option ? option : swin2sr__weights_metadata(weights, key);
}

static swin2sr_status set_metadata(writer *to, const swin2sr_import_options *options, const swin2sr_model_info *info) {
    char *config = config_text(swin2sr__weights_config(to->weights));
    const struct {
        const char *key, *value;
    } strings[] = {
        {"config", config},
        {"name", options->name ? options->name : info->name},
        {"source", choose(options->source, to->weights, "source")},
        {"sha256", info->sha256},
        {"license", choose(options->license, to->weights, "license")},
        {"format", "pt"},
    };
    swin2sr_status status = config ? SWIN2SR_OK : no_memory(to->reterr);
    json_t *metadata = json_object();
    for (size_t i = 0; status == SWIN2SR_OK && i < sizeof(strings) / sizeof(strings[0]); i++)
        if (strings[i].value && json_object_set_new(metadata, strings[i].key, json_string(strings[i].value)) != 0)
            status = swin2sr__error_set(to->reterr, SWIN2SR_INVALID, "the %s is not UTF-8", strings[i].key);
    if (json_object_set_new(to->header, "__metadata__", metadata) != 0 && status == SWIN2SR_OK)
        status = no_memory(to->reterr);
    free(config);
    return status;
}

static swin2sr_status write_all(writer *to, const void *data, size_t bytes) {
    if (swin2sr__write_at(to->fd, data, bytes, to->written) != bytes)
        return swin2sr__error_set_errno(to->reterr, to->path);
    to->written += bytes;
    return SWIN2SR_OK;
}

/* One line of the header. */
static swin2sr_status describe(writer *to, const char *official, const int64_t *shape, int rank, swin2sr__dtype dtype,
                               size_t bytes) {
    static const char *const dtypes[SWIN2SR__DTYPE_OTHER] = {"F32", "F16", "BF16"};
    json_t *tensor = json_pack("{ss so s[II]}", "dtype", dtypes[dtype], "shape", whole_numbers(shape, rank),
                               "data_offsets", (json_int_t)to->at, (json_int_t)(to->at + bytes));
    to->at += bytes;
    return json_object_set_new(to->header, official, tensor) == 0 ? SWIN2SR_OK : no_memory(to->reterr);
}

/* Describe a tensor, or write its bytes; tensors are in the order of the network. */
static swin2sr_status visit(void *context, const char *official, const int64_t *shape, int rank) {
    writer *to = context;
    const swin2sr__tensor *parts[3];
    int count;
    size_t bytes = 0;
    swin2sr_status status = swin2sr__weights_find(to->weights, official, shape, rank, parts, &count, to->reterr);
    for (int i = 0; status == SWIN2SR_OK && i < count; i++) {
        if (parts[i]->dtype != parts[0]->dtype)
            return swin2sr__error_set(to->reterr, SWIN2SR_MODEL, "tensors %.100s and %.100s differ in type",
                                      parts[0]->name, parts[i]->name);
        bytes += parts[i]->bytes;
        if (!to->header)
            status = write_all(to, parts[i]->data, parts[i]->bytes);
    }
    if (status == SWIN2SR_OK && to->header)
        status = describe(to, official, shape, rank, parts[0]->dtype, bytes);
    return status;
}

/* Write header and bytes. to->header is released. */
static swin2sr_status write_tensors(writer *to) {
    const swin2sr__config *config = swin2sr__weights_config(to->weights);
    unsigned char length_bytes[8];
    swin2sr_status status = swin2sr__names_each(config, visit, to);
    char *text = status == SWIN2SR_OK ? swin2sr__json_text(to->header, JSON_COMPACT) : NULL;
    if (status == SWIN2SR_OK && !text)
        status = no_memory(to->reterr);
    json_decref(to->header);
    to->header = NULL;
    if (status != SWIN2SR_OK)
        return status;
    size_t length = strlen(text), padding = (HEADER_ALIGN - length % HEADER_ALIGN) % HEADER_ALIGN;
    for (int i = 0; i < 8; i++)
        length_bytes[i] = (unsigned char)((length + padding) >> 8 * i);
    status = write_all(to, length_bytes, sizeof(length_bytes));
    if (status == SWIN2SR_OK)
        status = write_all(to, text, length);
    if (status == SWIN2SR_OK)
        status = write_all(to, "        ", padding);
    free(text);
    return status == SWIN2SR_OK ? swin2sr__names_each(config, visit, to) : status;
}

static swin2sr_status write_file(writer *to) {
    swin2sr__new_file file;
    swin2sr_status status = swin2sr__new_file_open(to->path, NULL, &file, to->reterr);
    if (status != SWIN2SR_OK)
        return status;
    to->fd = file.fd;
    status = write_tensors(to);
    if (status == SWIN2SR_OK)
        status = swin2sr__new_file_commit(&file, to->reterr);
    swin2sr__new_file_done(&file);
    return status;
}

swin2sr_status swin2sr__import_write(const swin2sr__source *source, const swin2sr_model_info *info, const char *to_path,
                                     const swin2sr_import_options *options, swin2sr_error *reterr) {
    swin2sr__weights *weights = NULL;
    swin2sr_status status =
        swin2sr__weights_open(source->data, source->size, source->config_json, NULL, &weights, reterr);
    if (status == SWIN2SR_OK) {
        writer to = {.weights = weights, .header = json_object(), .path = to_path, .reterr = reterr};
        status = set_metadata(&to, options, info);
        if (status == SWIN2SR_OK)
            status = write_file(&to);
        json_decref(to.header);
    }
    swin2sr__weights_close(weights);
    return status;
}
