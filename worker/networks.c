/* SPDX-License-Identifier: Apache-2.0
 * networks.c - the networks of a worker (before stage 4 of 9).
 * In: names, or the descriptor of a weight file.  Out: models that passed their self-test, and their READY messages.
 * Networks of the same shape cost the same, so only the first of them is measured. */
#include "worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/precision.h"

static swin2sr_status open_one(const networks_options *from, uint32_t index, swin2sr_precision precision, bool is_plain,
                               swin2sr_model **ret_model, swin2sr_error *reterr) {
    swin2sr_model_options options = {.precision = precision,
                                     .is_plain = is_plain,
                                     .device = is_plain ? NULL : from->device,
                                     .device_cache_fd = from->cache_fd};
    if (from->weights_fd >= 0)
        return swin2sr_model_open_fd(from->weights_fd, from->config_fd, NULL, &options, ret_model, reterr);
    const char *name = from->name_count ? from->names[index] : swin2sr_model_built_in_name(0);
    return swin2sr_model_open_built_in(name, &options, ret_model, reterr);
}

static swin2sr_status test(networks *self, const networks_options *from, uint32_t index, swin2sr_error *reterr) {
    swin2sr_model *model = self->models[index], *plain;
    ipc_ready *facts = &self->facts[index];
    const golden *expected = self_test_find_golden(model);
    ipc_text_set(facts->check, sizeof facts->check, expected ? "golden" : "plain");
    if (expected)
        return self_test_golden(model, expected, from->threads, reterr);
    swin2sr_status status = open_one(from, index, swin2sr_model_get_info(model)->precision, true, &plain, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = self_test_plain(model, plain, from->threads, reterr);
    swin2sr_model_unref(plain);
    return status;
}

static bool costs_the_same(const swin2sr_model_info *a, const swin2sr_model_info *b) {
    return a->precision == b->precision && a->scale == b->scale && a->channels == b->channels &&
           a->window_px == b->window_px && a->embed_dim == b->embed_dim && a->groups == b->groups &&
           a->blocks == b->blocks && a->heads == b->heads && a->has_aux == b->has_aux && strcmp(a->head, b->head) == 0;
}

static swin2sr_status measure(networks *self, const networks_options *from, uint32_t index, swin2sr_error *reterr) {
    ipc_ready *facts = &self->facts[index];
    for (uint32_t i = 0; i < index; i++)
        if (costs_the_same(swin2sr_model_get_info(self->models[i]), swin2sr_model_get_info(self->models[index]))) {
            facts->us_per_megapixel = self->facts[i].us_per_megapixel;
            facts->base_bytes = self->facts[i].base_bytes;
            facts->column_bytes = self->facts[i].column_bytes;
            return SWIN2SR_OK;
        }
    return self_test_measure(self->models[index], from->threads, facts, reterr);
}

static void describe(const swin2sr_model *model, uint32_t index, ipc_ready *facts) {
    const swin2sr_model_info *info = swin2sr_model_get_info(model);
    ipc_text_set(facts->sha256, sizeof facts->sha256, info->sha256);
    ipc_text_set(facts->license, sizeof facts->license, info->license);
    ipc_text_set(facts->kernels, sizeof facts->kernels, info->kernels);
    ipc_text_set(facts->kernels_note, sizeof facts->kernels_note, info->kernels_note);
    ipc_text_set(facts->precision, sizeof facts->precision, swin2sr__precision_name(info->precision));
    ipc_text_set(facts->device, sizeof facts->device, info->device);
    ipc_text_set(facts->driver, sizeof facts->driver, info->device_driver);
    facts->network = index;
    facts->scale = (uint32_t)info->scale;
    facts->parameters = info->parameters;
}

/* The resident set in bytes; 0: unknown. */
static uint64_t resident_bytes(void) {
    unsigned long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Load, test and measure one network. On failure, its name, if it has one, is put before the detail. */
static swin2sr_status add(networks *self, const networks_options *options, const char *name, swin2sr_error *reterr) {
    uint32_t index = self->count;
    swin2sr_error error = {""};
    swin2sr_status status = open_one(options, index, options->precision, false, &self->models[index], &error);
    if (status == SWIN2SR_OK) {
        self->count++;
        status = test(self, options, index, &error);
    }
    if (status == SWIN2SR_OK)
        status = measure(self, options, index, &error);
    if (status == SWIN2SR_OK)
        describe(self->models[index], index, &self->facts[index]);
    else
        snprintf(reterr->text, sizeof reterr->text, "%s%s%.180s", name, *name ? ": " : "", error.text);
    return status;
}

swin2sr_status networks_open(networks *self, const networks_options *options, swin2sr_error *reterr) {
    uint32_t count = options->name_count ? options->name_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        swin2sr_status status = add(self, options, options->name_count ? options->names[i] : "", reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
    uint64_t memory_bytes = resident_bytes();
    for (uint32_t i = 0; i < count; i++)
        self->facts[i].memory_bytes = memory_bytes;
    return SWIN2SR_OK;
}

bool networks_is_lost(const networks *self) {
    for (uint32_t i = 0; i < self->count; i++)
        if (swin2sr_model_is_lost(self->models[i]))
            return true;
    return false;
}

void networks_done(networks *self) {
    while (self->count > 0)
        swin2sr_model_unref(self->models[--self->count]);
}
