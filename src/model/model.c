/* SPDX-License-Identifier: Apache-2.0
 * model/model.c - open a weight file as an immutable, shared model.
 * In: a file, bytes, or the embedded network.  Out: a reference-counted swin2sr_model. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sha256.h"
#include "model/network.h"
#include <swin2sr/model.h>

#define MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MAX_MODEL_BYTES ((size_t)4 << 30)
#define MAX_NAME 128

struct swin2sr_model {
    atomic_uint references;
    swin2sr_model_info info;
    swin2sr__network network;
    char name[MAX_NAME];
    char license[MAX_NAME];
};

/* The precision that will run, or _UNSUPPORTED. AUTO is a fixed choice, so that two workers give the same bits. */
static swin2sr_status resolve_precision(swin2sr_precision asked, swin2sr_precision *ret_precision,
                                        swin2sr_error *reterr) {
    if (asked < 0 || asked >= SWIN2SR_PRECISION_COUNT)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "unknown precision %d", (int)asked);
    if (!swin2sr__kernels_get(asked))
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "this version runs fp32 and bf16 only");
    *ret_precision = swin2sr__kernels_get(asked)->precision;
    return SWIN2SR_OK;
}

static void fill_info(swin2sr_model *model, const swin2sr__weights *weights, const char *name) {
    const swin2sr__config *config = &model->network.config;
    const char *own_name = swin2sr__weights_metadata(weights, "name");
    const char *license = swin2sr__weights_metadata(weights, "license");
    snprintf(model->name, sizeof model->name, "%s", own_name ? own_name : name ? name : "unnamed");
    snprintf(model->license, sizeof model->license, "%s", license ? license : "");
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

/* The C kernels of a precision; those of fp32 where it has none of its own. */
static const swin2sr__kernels *plain_kernels(swin2sr_precision precision) {
    const swin2sr__kernels *own =
        precision == SWIN2SR_PRECISION_BF16 ? swin2sr__kernels_named("c_bf16") : swin2sr__kernels_named("c");
    return own ? own : swin2sr__kernels_named("c");
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

/* The config.json beside path, -1 where there is none. */
static int open_sibling_config(const char *path) {
    const char *slash = strrchr(path, '/');
    char *sibling = NULL;
    if (asprintf(&sibling, "%.*sconfig.json", slash ? (int)(slash + 1 - path) : 0, path) < 0)
        return -1;
    int fd = open(sibling, O_RDONLY | O_CLOEXEC);
    free(sibling);
    return fd;
}

/* The text of a config.json, or NULL. The caller frees it. */
static char *read_config(int fd) {
    char *text = fd < 0 ? NULL : malloc(MAX_CONFIG_BYTES + 1);
    size_t length = 0;
    for (ssize_t got = 1; text && got > 0 && length<MAX_CONFIG_BYTES; length += got> 0 ? (size_t)got : 0)
        got = pread(fd, text + length, MAX_CONFIG_BYTES - length, (off_t)length);
    if (text)
        text[length] = 0;
    return text;
}

/* "x/model.safetensors" -> "x" when the file has the usual empty name, else the file's stem. */
static void name_of_path(const char *path, char name[MAX_NAME]) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (slash && strcmp(base, "model.safetensors") == 0) {
        const char *folder = slash;
        while (folder > path && folder[-1] != '/')
            folder--;
        if (folder < slash && *folder != '.') {
            snprintf(name, MAX_NAME, "%.*s", (int)(slash - folder), folder);
            return;
        }
    }
    const char *dot = strrchr(base, '.');
    snprintf(name, MAX_NAME, "%.*s", (int)(dot && dot > base ? dot - base : (ptrdiff_t)strlen(base)), base);
}

swin2sr_status swin2sr_model_open_fd(int fd, int config_fd, const char *path, const swin2sr_model_options *options,
                                     swin2sr_model **ret_model, swin2sr_error *reterr) {
    struct stat facts;
    char name[MAX_NAME] = "";
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size <= 0 ||
        (uint64_t)facts.st_size > MAX_MODEL_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                  "not a weight file: it is no regular file, empty or too large");
    size_t size = (size_t)facts.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "cannot map the weight file: %m");
    char *config_json = read_config(config_fd);
    if (path)
        name_of_path(path, name);
    swin2sr_status status = open_bytes(data, size, path ? name : NULL, config_json, options, ret_model, reterr);
    free(config_json);
    munmap(data, size);
    return status;
}

swin2sr_status swin2sr_model_open(const char *path, const swin2sr_model_options *options, swin2sr_model **ret_model,
                                  swin2sr_error *reterr) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "cannot open the weight file: %m");
    int config_fd = open_sibling_config(path);
    swin2sr_status status = swin2sr_model_open_fd(fd, config_fd, path, options, ret_model, reterr);
    if (config_fd >= 0)
        close(config_fd);
    close(fd);
    return status;
}

swin2sr_status swin2sr_model_open_memory(const void *data, size_t size, const char *name,
                                         const swin2sr_model_options *options, swin2sr_model **ret_model,
                                         swin2sr_error *reterr) {
    return open_bytes(data, size, name, NULL, options, ret_model, reterr);
}

swin2sr_status swin2sr_model_open_default(const swin2sr_model_options *options, swin2sr_model **ret_model,
                                          swin2sr_error *reterr) {
    size_t size;
    const void *data = swin2sr_model_default_bytes(&size);
    return open_bytes(data, size, NULL, NULL, options, ret_model, reterr);
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
