/* SPDX-License-Identifier: Apache-2.0
 * model/weights.c - a weight file as a Swin2SR network: its config, and its tensors by official name.
 * In: a file in memory, untrusted until open has succeeded.  Out: float tensors of exactly the shapes of the network.
 * open checks that the file has exactly the tensors of the network, with their shapes; read converts them to floats. */
#include "model/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/names.h"

#define DEFAULT_WINDOW_PX 8
#define JPEG_WINDOW_PX 7 /* the published network without a head has this window and works on 0..255 */

typedef struct entry {
    char name[SWIN2SR__MAX_NAME_BYTES]; /* official */
    const swin2sr__tensor *tensor;
    bool is_used;
} entry;

struct swin2sr__weights {
    swin2sr__tensors file;
    entry *entries; /* [file.tensor_count], by name */
    swin2sr__config config;
    uint64_t parameters;
};

static int compare_entries(const void *left, const void *right) {
    return strcmp(((const entry *)left)->name, ((const entry *)right)->name);
}

static int compare_name(const void *name, const void *element) {
    return strcmp(name, ((const entry *)element)->name);
}

static entry *find(const swin2sr__weights *weights, const char *name) {
    return bsearch(name, weights->entries, weights->file.tensor_count, sizeof(entry), compare_name);
}

/* The length of the wrapper's prefix that all names share. */
static size_t common_prefix(const swin2sr__tensors *file) {
    size_t skip = 0;
    for (;;) {
        const char *first = file->tensor_count ? file->tensors[0].name : "";
        size_t prefix = swin2sr__names_prefix(first + skip);
        for (size_t i = 0; i < file->tensor_count && prefix; i++)
            if (strncmp(file->tensors[i].name, first, skip + prefix) != 0)
                prefix = 0;
        if (!prefix)
            return skip;
        skip += prefix;
    }
}

static swin2sr_status index_names(swin2sr__weights *weights, swin2sr_error *reterr) {
    size_t count = weights->file.tensor_count, skip = common_prefix(&weights->file);
    weights->entries = calloc(count ? count : 1, sizeof(entry));
    if (!weights->entries)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for %zu names", count);
    for (size_t i = 0; i < count; i++) {
        weights->entries[i].tensor = &weights->file.tensors[i];
        swin2sr__names_official(weights->file.tensors[i].name + skip, weights->entries[i].name);
    }
    qsort(weights->entries, count, sizeof(entry), compare_entries);
    for (size_t i = 1; i < count; i++)
        if (strcmp(weights->entries[i - 1].name, weights->entries[i].name) == 0)
            return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensors %s and %s have the same official name",
                                      weights->entries[i - 1].tensor->name, weights->entries[i].tensor->name);
    return SWIN2SR_OK;
}

/* A side of a tensor, at most INT32_MAX; 0 if there is no such tensor or side. */
static int32_t side(const swin2sr__weights *weights, const char *name, int axis) {
    const entry *found = find(weights, name);
    if (!found || axis >= found->tensor->rank)
        return 0;
    return found->tensor->shape[axis] < INT32_MAX ? (int32_t)found->tensor->shape[axis] : INT32_MAX;
}

/* The square root of a perfect square; 0 for other numbers. */
static int32_t exact_root(int32_t square) {
    int32_t root = (int32_t)lround(sqrt(square));
    return (int64_t)root * root == square ? root : 0;
}

static void infer_groups(const swin2sr__weights *weights, swin2sr__config *config) {
    char name[SWIN2SR__MAX_NAME_BYTES];
    for (int g = 0; g < SWIN2SR__MAX_GROUPS; g++) {
        int b = 0;
        for (; b < SWIN2SR__MAX_DEPTH; b++) {
            snprintf(name, sizeof(name), "layers.%d.residual_group.blocks.%d.norm1.weight", g, b);
            if (!find(weights, name))
                break;
        }
        if (b == 0)
            break;
        config->depths[config->groups++] = b;
    }
}

/* The window, from one of two tables that some files have; 0 if there is neither. */
static int32_t infer_window(const swin2sr__weights *weights) {
#define ATTENTION "layers.0.residual_group.blocks.0.attn."
    if (find(weights, ATTENTION "relative_position_index"))
        return exact_root(side(weights, ATTENTION "relative_position_index", 0));
    return (side(weights, ATTENTION "relative_coords_table", 1) + 1) / 2;
}

static swin2sr__head infer_head(const swin2sr__weights *weights) {
    if (find(weights, "conv_bicubic.weight"))
        return SWIN2SR__HEAD_PIXELSHUFFLE_AUX;
    if (find(weights, "conv_up1.weight"))
        return SWIN2SR__HEAD_NEAREST_CONV;
    if (find(weights, "conv_before_upsample.0.weight"))
        return SWIN2SR__HEAD_PIXELSHUFFLE;
    return find(weights, "upsample.0.weight") ? SWIN2SR__HEAD_PIXELSHUFFLEDIRECT : SWIN2SR__HEAD_NONE;
}

static int32_t infer_scale(const swin2sr__weights *weights, const swin2sr__config *config) {
    int32_t shuffled = side(weights, "upsample.0.weight", 0);
    if (config->head == SWIN2SR__HEAD_NONE)
        return 1;
    if (config->head == SWIN2SR__HEAD_NEAREST_CONV)
        return 4;
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLEDIRECT)
        return config->channels ? exact_root(shuffled / config->channels) : 0;
    if (shuffled == 9 * (int64_t)config->features)
        return 3;
    if (find(weights, "upsample.4.weight"))
        return 8;
    return find(weights, "upsample.2.weight") ? 4 : 2;
}

/* The config by the tensors. A number that they do not show is 0 or out of bounds, and config_check refuses it. */
static void infer_config(const swin2sr__weights *weights, swin2sr__config *ret_config) {
    swin2sr__config config = {0};
    config.dim = side(weights, "conv_first.weight", 0);
    config.channels = side(weights, "conv_first.weight", 1);
    config.heads = side(weights, ATTENTION "logit_scale", 0);
    config.hidden = side(weights, "layers.0.residual_group.blocks.0.mlp.fc1.weight", 0);
    config.features = side(weights, "conv_before_upsample.0.weight", 0);
    config.is_triple = find(weights, "conv_after_body.0.weight") != NULL;
    config.window_px = infer_window(weights);
    config.head = infer_head(weights);
    config.scale = infer_scale(weights, &config);
    infer_groups(weights, &config);
    *ret_config = config;
#undef ATTENTION
}

/* The config from the metadata, else from the text beside the file, else from the tensors. */
static swin2sr_status find_config(swin2sr__weights *weights, const char *config_json, swin2sr_error *reterr) {
    swin2sr__config found;
    const char *text = swin2sr__tensors_metadata(&weights->file, "config");
    swin2sr_status status = SWIN2SR_OK;
    if (!find(weights, "conv_first.weight"))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "not a Swin2SR network: conv_first.weight is missing");
    infer_config(weights, &found);
    if (!text && !config_json) {
        weights->config = found;
        if (!found.window_px)
            weights->config.window_px = DEFAULT_WINDOW_PX;
        bool is_jpeg = found.head == SWIN2SR__HEAD_NONE && found.window_px == JPEG_WINDOW_PX;
        weights->config.img_range = is_jpeg ? 255.0f : 1.0f;
        return swin2sr__config_check(&weights->config, reterr);
    }
    status = swin2sr__config_parse(text ? text : config_json, &weights->config, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__config_check(&weights->config, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__config_match(&weights->config, &found, reterr);
    return status;
}

static swin2sr_status override_config(swin2sr__config *config, const swin2sr_model_options *options,
                                      swin2sr_error *reterr) {
    if (!options)
        return SWIN2SR_OK;
    if (options->window_px)
        config->window_px = options->window_px;
    if (options->img_range != 0.0f)
        config->img_range = options->img_range;
    return swin2sr__config_check(config, reterr) == SWIN2SR_OK ? SWIN2SR_OK : SWIN2SR_INVALID;
}

static swin2sr_status check_tensor(const swin2sr__tensor *tensor, const int64_t *shape, int rank,
                                   swin2sr_error *reterr) {
    char expected[64], found[128];
    bool is_same = tensor->rank == rank;
    for (int axis = 0; is_same && axis < rank; axis++)
        is_same = tensor->shape[axis] == shape[axis];
    if (!is_same) {
        swin2sr__shape_text(shape, rank, expected, sizeof(expected));
        swin2sr__shape_text(tensor->shape, tensor->rank, found, sizeof(found));
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %.100s: expected %s, found %s", tensor->name, expected,
                                  found);
    }
    if (tensor->dtype == SWIN2SR__DTYPE_OTHER)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %s is not F32, F16 or BF16", tensor->name);
    return SWIN2SR_OK;
}

/* The tensor of this name, or the three that make up a qkv weight, each with a third of the rows. */
static swin2sr_status resolve(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                              entry *ret_parts[3], int *ret_count, swin2sr_error *reterr) {
    static const char qkv_end[] = "qkv.weight";
    char part_name[SWIN2SR__MAX_NAME_BYTES];
    size_t length = strlen(name), end_length = strlen(qkv_end);
    ret_parts[0] = find(weights, name);
    *ret_count = 1;
    if (ret_parts[0])
        return check_tensor(ret_parts[0]->tensor, shape, rank, reterr);
    if (rank != 2 || length < end_length || strcmp(name + length - end_length, qkv_end) != 0)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %s is missing", name);
    for (*ret_count = 0; *ret_count < 3; ++*ret_count) {
        int64_t part_shape[2] = {shape[0] / 3, shape[1]};
        snprintf(part_name, sizeof(part_name), "%.*s%c.weight", (int)(length - end_length), name, "qkv"[*ret_count]);
        entry *part = find(weights, part_name);
        if (!part)
            return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %s is missing", *ret_count ? part_name : name);
        swin2sr_status status = check_tensor(part->tensor, part_shape, rank, reterr);
        if (status != SWIN2SR_OK)
            return status;
        ret_parts[*ret_count] = part;
    }
    return SWIN2SR_OK;
}

typedef struct claimant {
    swin2sr__weights *weights;
    swin2sr_error *reterr;
} claimant;

static swin2sr_status claim(void *context, const char *name, const int64_t *shape, int rank) {
    claimant *by = context;
    entry *parts[3];
    int count;
    swin2sr_status status = resolve(by->weights, name, shape, rank, parts, &count, by->reterr);
    for (int i = 0; status == SWIN2SR_OK && i < count; i++) {
        parts[i]->is_used = true;
        by->weights->parameters += parts[i]->tensor->count;
    }
    return status;
}

/* Check that every tensor of the network is in the file and every tensor of the file is in the network: an unknown
 * tensor would mean a network that computes something else. */
static swin2sr_status check_tensors(swin2sr__weights *weights, swin2sr_error *reterr) {
    claimant by = {.weights = weights, .reterr = reterr};
    swin2sr_status status = swin2sr__names_each(&weights->config, claim, &by);
    for (size_t i = 0; status == SWIN2SR_OK && i < weights->file.tensor_count; i++)
        if (!weights->entries[i].is_used && !swin2sr__names_is_buffer(weights->entries[i].name))
            return swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %s is not part of a Swin2SR network of this shape",
                                      weights->entries[i].tensor->name);
    return status;
}

swin2sr_status swin2sr__weights_open(const void *data, size_t size, const char *config_json,
                                     const swin2sr_model_options *options, swin2sr__weights **ret_weights,
                                     swin2sr_error *reterr) {
    swin2sr__weights *weights = calloc(1, sizeof(*weights));
    if (!weights)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory to open a weight file");
    swin2sr_status status = swin2sr__checkpoint_is_one(data, size)
                                ? swin2sr__checkpoint_init(data, size, &weights->file, reterr)
                                : swin2sr__safetensors_init(data, size, &weights->file, reterr);
    if (status == SWIN2SR_OK)
        status = index_names(weights, reterr);
    if (status == SWIN2SR_OK)
        status = find_config(weights, config_json, reterr);
    if (status == SWIN2SR_OK)
        status = check_tensors(weights, reterr);
    if (status == SWIN2SR_OK)
        status = override_config(&weights->config, options, reterr);
    if (status == SWIN2SR_OK)
        *ret_weights = weights;
    else
        swin2sr__weights_close(weights);
    return status;
}

const swin2sr__config *swin2sr__weights_config(const swin2sr__weights *weights) {
    return &weights->config;
}

const char *swin2sr__weights_metadata(const swin2sr__weights *weights, const char *key) {
    return swin2sr__tensors_metadata(&weights->file, key);
}

uint64_t swin2sr__weights_parameters(const swin2sr__weights *weights) {
    return weights->parameters;
}

swin2sr_status swin2sr__weights_find(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     const swin2sr__tensor *ret_parts[3], int *ret_count, swin2sr_error *reterr) {
    entry *parts[3];
    swin2sr_status status = resolve(weights, name, shape, rank, parts, ret_count, reterr);
    for (int i = 0; status == SWIN2SR_OK && i < *ret_count; i++)
        ret_parts[i] = parts[i]->tensor;
    return status;
}

swin2sr_status swin2sr__weights_read(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     float *dst, swin2sr_error *reterr) {
    entry *parts[3];
    int count;
    swin2sr_status status = resolve(weights, name, shape, rank, parts, &count, reterr);
    for (int i = 0; status == SWIN2SR_OK && i < count; i++) {
        if (!swin2sr__tensor_to_float(parts[i]->tensor, dst))
            status = swin2sr__error_set(reterr, SWIN2SR_MODEL, "tensor %s holds a value that is not finite",
                                        parts[i]->tensor->name);
        dst += parts[i]->tensor->count;
    }
    return status;
}

void swin2sr__weights_close(swin2sr__weights *weights) {
    if (!weights)
        return;
    free(weights->entries);
    swin2sr__tensors_done(&weights->file);
    free(weights);
}
