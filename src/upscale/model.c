/* SPDX-License-Identifier: Apache-2.0
 * upscale/model.c - open a weight file as an immutable, shared model.
 * In: a file, bytes, or a built-in network.  Out: a reference-counted swin2sr_model. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/built_in.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "model/source.h"
#include "upscale/plan.h"

struct swin2sr_model {
    atomic_uint references;
    swin2sr_model_info info;
    swin2sr__packed *packed;
    char name[SWIN2SR__MAX_MODEL_NAME];
    char license[SWIN2SR__MAX_MODEL_NAME];
};

static void fill_info(swin2sr_model *model, const swin2sr__weights *weights, const char *name) {
    const swin2sr__config *config = &model->packed->network.config;
    const char *own_name = swin2sr__weights_metadata(weights, "name");
    const char *license = swin2sr__weights_metadata(weights, "license");
    license = license ? license : "";
    const char *shown_name = own_name ? own_name : name ? name : "unnamed";
    swin2sr__printable_copy(shown_name, strlen(shown_name), model->name, sizeof model->name);
    swin2sr__printable_copy(license, strlen(license), model->license, sizeof model->license);
    model->info.name = model->name;
    model->info.license = model->license;
    model->info.head = swin2sr__head_name(config->head);
    model->info.kernels = model->packed->kernels;
    model->info.kernels_note = model->packed->kernels_note;
    model->info.device = model->packed->device_name;
    model->info.device_note = model->packed->device_note;
    model->info.device_driver = model->packed->device_driver;
    model->info.precision = model->packed->precision;
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
    model->info.weights_bytes = model->packed->bytes;
}

static swin2sr_status open_bytes(const void *data, size_t size, const char *name, const char *config_json,
                                 const swin2sr_model_options *options, swin2sr_model **ret_model,
                                 swin2sr_error *reterr) {
    swin2sr__weights *weights = NULL;
    swin2sr_model *model = NULL;
    for (size_t i = 0; options && i < sizeof options->reserved / sizeof options->reserved[0]; i++) {
        if (options->reserved[i])
            return swin2sr__error_set(reterr, SWIN2SR_INVALID, "reserved[%zu] of the model's options must be 0", i);
    }
    swin2sr_status status = swin2sr__weights_open(data, size, config_json, options, &weights, reterr);
    if (status != SWIN2SR_OK)
        return status;
    model = calloc(1, sizeof *model);
    if (!model) {
        status = swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a model");
        goto fail;
    }
    swin2sr__network network = swin2sr__network_of(swin2sr__weights_config(weights));
    status = swin2sr__engine_pack(&network, weights, options, &model->packed, reterr);
    if (status != SWIN2SR_OK)
        goto fail;
    atomic_init(&model->references, 1);
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

static swin2sr_status open_source(const swin2sr__source *source, const swin2sr_model_options *options,
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
    status = open_source(&source, options, ret_model, reterr);
    swin2sr__source_close(&source);
    return status;
}

swin2sr_status swin2sr_model_open(const char *path, const swin2sr_model_options *options, swin2sr_model **ret_model,
                                  swin2sr_error *reterr) {
    swin2sr__source source;
    swin2sr_status status = swin2sr__source_open(path, &source, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = open_source(&source, options, ret_model, reterr);
    swin2sr__source_close(&source);
    return status;
}

swin2sr_status swin2sr_model_open_memory(const void *data, size_t size, const char *name,
                                         const swin2sr_model_options *options, swin2sr_model **ret_model,
                                         swin2sr_error *reterr) {
    return open_bytes(data, size, name, NULL, options, ret_model, reterr);
}

swin2sr_status swin2sr_model_open_built_in(const char *name, const swin2sr_model_options *options,
                                           swin2sr_model **ret_model, swin2sr_error *reterr) {
    size_t size;
    const void *data = name ? swin2sr_model_built_in_bytes(name, &size) : NULL;
    if (!data)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "%.64s: no network inside this program has that name",
                                  name ? name : "NULL");
    return swin2sr_model_open_memory(data, size, name, options, ret_model, reterr);
}

swin2sr_status swin2sr_model_open_default(const swin2sr_model_options *options, swin2sr_model **ret_model,
                                          swin2sr_error *reterr) {
    return swin2sr_model_open_built_in(SWIN2SR__BUILT_IN_DEFAULT, options, ret_model, reterr);
}

swin2sr_model *swin2sr_model_ref(swin2sr_model *model) {
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void swin2sr_model_unref(swin2sr_model *model) {
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    model->packed->device->unpack(model->packed);
    free(model);
}

const swin2sr_model_info *swin2sr_model_get_info(const swin2sr_model *model) {
    return &model->info;
}

bool swin2sr_model_is_lost(const swin2sr_model *model) {
    return model->packed->is_lost;
}

const swin2sr__packed *swin2sr__model_packed(const swin2sr_model *model) {
    return model->packed;
}

swin2sr_status swin2sr_model_import(const char *path, const char *to_path, const swin2sr_import_options *options,
                                    swin2sr_error *reterr) {
    static const swin2sr_import_options defaults;
    swin2sr_model *model = NULL;
    swin2sr__source source;
    if (options && options->name && strlen(options->name) >= SWIN2SR__MAX_MODEL_NAME)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the name has more than %d bytes",
                                  SWIN2SR__MAX_MODEL_NAME - 1);
    swin2sr_status status = swin2sr__source_open(path, &source, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = open_source(&source, NULL, &model, reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__import_write(&source, &model->info, to_path, options ? options : &defaults, reterr);
    swin2sr_model_unref(model);
    swin2sr__source_close(&source);
    return status;
}
