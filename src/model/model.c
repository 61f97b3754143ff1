/* SPDX-License-Identifier: Apache-2.0
 * model/model.c - open a weight file as an immutable, shared model.
 * In: a file or bytes.  Out: a reference-counted swin2sr_model. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "model/network.h"
#include "model/source.h"
#include <swin2sr/model.h>

struct swin2sr_model {
    atomic_uint references;
    swin2sr_model_info info;
    swin2sr__network network;
    char name[SWIN2SR__MAX_MODEL_NAME];
    char license[SWIN2SR__MAX_MODEL_NAME];
};

/* The precision that will run. AUTO is a fixed choice, so that two workers give the same bits. */
static swin2sr_status resolve_precision(swin2sr_precision asked, swin2sr_precision *ret_precision,
                                        swin2sr_error *reterr) {
    if (asked < 0 || asked >= SWIN2SR_PRECISION_COUNT)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "unknown precision %d", (int)asked);
    *ret_precision = swin2sr__kernels_get(asked)->precision;
    return SWIN2SR_OK;
}

static void fill_info(swin2sr_model *model, const swin2sr__weights *weights, const char *name) {
    const swin2sr__config *config = &model->network.config;
    const char *own_name = swin2sr__weights_metadata(weights, "name");
    const char *license = swin2sr__weights_metadata(weights, "license");
    license = license ? license : "";
    const char *shown_name = own_name ? own_name : name ? name : "unnamed";
    swin2sr__printable_copy(shown_name, strlen(shown_name), model->name, sizeof model->name);
    swin2sr__printable_copy(license, strlen(license), model->license, sizeof model->license);
    model->info.name = model->name;
    model->info.license = model->license;
    model->info.head = swin2sr__head_name(config->head);
    model->info.kernels = model->network.kernels->name;
    model->info.scale = config->scale;
    model->info.channels = config->channels;
    model->info.window_px = config->window_px;
    model->info.embed_dim = config->dim;
    model->info.groups = config->groups;
    for (int32_t i = 0; i < config->groups; i++)
        model->info.blocks += config->depths[i];
    model->info.heads = config->heads;
    model->info.img_range = config->img_range;
    model->info.has_aux = config->head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX;
    model->info.parameters = swin2sr__weights_parameters(weights);
    model->info.weights_bytes = model->network.memory.size;
}

/* The C kernels of a precision. */
static const swin2sr__kernels *plain_kernels(swin2sr_precision precision) {
    static const swin2sr__kernels *const tables[SWIN2SR_PRECISION_COUNT] = {
        &swin2sr__kernels_c, &swin2sr__kernels_c, &swin2sr__kernels_c_bf16, &swin2sr__kernels_c_int8};
    return tables[precision];
}

static swin2sr_status open_bytes(const void *data, size_t size, const char *name, const char *config_json,
                                 const swin2sr_model_options *options, swin2sr_model **ret_model,
                                 swin2sr_error *reterr) {
    swin2sr_precision precision = SWIN2SR_PRECISION_FP32;
    swin2sr__weights *weights = NULL;
    swin2sr_model *model = NULL;
    swin2sr_status status =
        resolve_precision(options ? options->precision : SWIN2SR_PRECISION_AUTO, &precision, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr__weights_open(data, size, config_json, options, &weights, reterr);
    if (status != SWIN2SR_OK)
        return status;
    model = calloc(1, sizeof *model);
    if (!model) {
        status = swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a model");
        goto fail;
    }
    const swin2sr__kernels *kernels =
        options && options->is_plain ? plain_kernels(precision) : swin2sr__kernels_get(precision);
    status = swin2sr__network_init(weights, kernels, &model->network, reterr);
    if (status != SWIN2SR_OK)
        goto fail;
    atomic_init(&model->references, 1);
    model->info.precision = precision;
    fill_info(model, weights, name);
    swin2sr__sha256_hex(data, size, model->info.sha256);
    swin2sr__weights_close(weights);
    *ret_model = model;
    return SWIN2SR_OK;
fail:
    swin2sr__weights_close(weights);
    free(model);
    return status;
}

swin2sr_status swin2sr__model_open_source(const swin2sr__source *source, const swin2sr_model_options *options,
                                          swin2sr_model **ret_model, swin2sr_error *reterr) {
    return open_bytes(source->data, source->size, source->name[0] ? source->name : NULL, source->config_json, options,
                      ret_model, reterr);
}

swin2sr_status swin2sr_model_open_fd(int fd, int config_fd, const char *path, const swin2sr_model_options *options,
                                     swin2sr_model **ret_model, swin2sr_error *reterr) {
    swin2sr__source source;
    swin2sr_status status = swin2sr__source_open_fd(fd, config_fd, path, &source, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr__model_open_source(&source, options, ret_model, reterr);
    swin2sr__source_close(&source);
    return status;
}

swin2sr_status swin2sr_model_open(const char *path, const swin2sr_model_options *options, swin2sr_model **ret_model,
                                  swin2sr_error *reterr) {
    swin2sr__source source;
    swin2sr_status status = swin2sr__source_open(path, &source, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr__model_open_source(&source, options, ret_model, reterr);
    swin2sr__source_close(&source);
    return status;
}

swin2sr_status swin2sr_model_open_memory(const void *data, size_t size, const char *name,
                                         const swin2sr_model_options *options, swin2sr_model **ret_model,
                                         swin2sr_error *reterr) {
    return open_bytes(data, size, name, NULL, options, ret_model, reterr);
}

swin2sr_model *swin2sr_model_ref(swin2sr_model *model) {
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void swin2sr_model_unref(swin2sr_model *model) {
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    swin2sr__network_done(&model->network);
    free(model);
}

const swin2sr_model_info *swin2sr_model_get_info(const swin2sr_model *model) {
    return &model->info;
}

const swin2sr__network *swin2sr__model_network(const swin2sr_model *model) {
    return &model->network;
}
