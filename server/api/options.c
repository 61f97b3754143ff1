/* SPDX-License-Identifier: Apache-2.0
 * api/options.c - the options of POST /upscale (stage 1 of 9, request).
 * In: names and values from the client.  Out: checked options, or a problem. */
#include "api/options.h"

#include <stdlib.h>
#include <string.h>

#include "config/limits.h"
#include "webhook/webhook.h"

void upscale_options_init(upscale_options *self) {
    *self = (upscale_options){.format = FORMAT_PNG, .quality = 95, .oversize = OVERSIZE_COUNT};
}

/* Digits only, at most digits_max of them, for a number in 1..high. */
static bool parse_number(const char *text, size_t digits_max, uint64_t high, uint64_t *ret_number) {
    size_t length = strlen(text);
    if (length > digits_max || strspn(text, "0123456789") != length)
        return false;
    *ret_number = strtoull(text, NULL, 10);
    return *ret_number >= 1 && *ret_number <= high;
}

/* Each setter returns NULL, or what is wrong with the value. */

static const char *set_format(upscale_options *self, const char *value) {
    self->format = format_by_name(value);
    self->is_format_given = true;
    return format_get(self->format)->can_write ? NULL : "not one of " FORMAT_WRITTEN_NAMES;
}

static const char *set_quality(upscale_options *self, const char *value) {
    uint64_t quality;
    if (!parse_number(value, 3, 100, &quality))
        return "not a whole number from 1 to 100";
    self->quality = (uint32_t)quality;
    return NULL;
}

static const char *set_compression(upscale_options *self, const char *value) {
    return format_compression_find(value, &self->compression) ? NULL : "not one of fast, default, best";
}

static void set_bit(upscale_options *self, uint32_t bit, bool is_set) {
    self->metadata = is_set ? self->metadata | bit : self->metadata & ~bit;
}

static const char *set_colour(upscale_options *self, const char *value) {
    int index = format_colour_find(value);
    set_bit(self, FORMAT_METADATA_SRGB, index == 1);
    return index >= 0 ? NULL : "not one of keep, srgb";
}

static const char *set_metadata(upscale_options *self, const char *value) {
    int index = format_metadata_find(value);
    set_bit(self, FORMAT_METADATA_STRIP, index == 1);
    return index >= 0 ? NULL : "not one of keep, strip";
}

static const char *set_provenance(upscale_options *self, const char *value) {
    bool is_wanted = strcmp(value, "true") == 0;
    set_bit(self, FORMAT_METADATA_PROVENANCE, is_wanted);
    return is_wanted || strcmp(value, "false") == 0 ? NULL : "not one of true, false";
}

static const char *set_batch(upscale_options *self, const char *value) {
    self->is_batch = strcmp(value, "true") == 0;
    return self->is_batch || strcmp(value, "false") == 0 ? NULL : "not one of true, false";
}

static const char *set_model(upscale_options *self, const char *value) {
    if (self->task)
        return "cannot be given together with task; give one of model and task";
    if (strcmp(value, LIBRARY_TASK_AUTO) == 0) {
        self->task = LIBRARY_TASK_AUTO;
        return NULL;
    }
    if (!value[0] || strlen(value) >= sizeof self->model)
        return "no such model here; GET /v1/models lists them";
    strcpy(self->model, value);
    return NULL;
}

static const char *set_task(upscale_options *self, const char *value) {
    if (self->model[0])
        return "cannot be given together with model; give one of task and model";
    self->task = library_task_find(value);
    return self->task ? NULL : "not one of auto, photo, clean, compressed, jpeg, fast";
}

static const char *set_strict(upscale_options *self, const char *value) {
    self->is_strict = strcmp(value, "true") == 0;
    return self->is_strict || strcmp(value, "false") == 0 ? NULL : "not one of true, false";
}

/* api/intake.c finds the upload. */
static const char *set_upload(upscale_options *self, const char *value) {
    if (!value[0] || strlen(value) >= sizeof self->upload)
        return "no such upload; it is the last part of the Location that made it";
    strcpy(self->upload, value);
    return NULL;
}

/* api/accept.c looks its host up. */
static const char *set_webhook(upscale_options *self, const char *value) {
    char host[LIMIT_WEBHOOK_BYTES];
    const char *fault = webhook_parse_url(value, host);
    if (!fault)
        strcpy(self->webhook, value);
    return fault;
}

static const char *set_oversize(upscale_options *self, const char *value) {
    static const char *const names[OVERSIZE_COUNT] = {"auto", "tile", "shrink", "reject"};
    int i = 0;
    while (i < OVERSIZE_COUNT && strcmp(names[i], value) != 0)
        i++;
    self->oversize = (oversize_choice)i;
    return i < OVERSIZE_COUNT ? NULL : "not one of " OVERSIZE_NAMES;
}

static const char *set_deadline(upscale_options *self, const char *value) {
    return parse_number(value, 9, LIMIT_WAIT_MAX_S * 1000u, &self->deadline_ms)
               ? NULL
               : "not a whole number of milliseconds from 1 to 86400000";
}

/* Row i stands for bit i of upscale_options.given. */
static const struct {
    const char *name;
    const char *(*set)(upscale_options *self, const char *value); /* NULL: an option of format/target.h */
} ROWS[] = {{"format", set_format},
            {"quality", set_quality},
            {"compression", set_compression},
            {"model", set_model},
            {"task", set_task},
            {"scale", NULL},
            {"width", NULL},
            {"height", NULL},
            {"fit", NULL},
            {"crop", NULL},
            {"strength", NULL},
            {"strict", set_strict},
            {"upload", set_upload},
            {"deadline_ms", set_deadline},
            {"oversize", set_oversize},
            {"colour", set_colour},
            {"metadata", set_metadata},
            {"provenance", set_provenance},
            {"batch_mode", set_batch},
            {"webhook", set_webhook}};
#define ROWS_COUNT (sizeof ROWS / sizeof ROWS[0])

/* ROWS_COUNT: there is no such option. */
static size_t find_row(const char *name) {
    size_t i = 0;
    while (i < ROWS_COUNT && strcmp(name, ROWS[i].name) != 0)
        i++;
    return i;
}

bool upscale_options_has(const char *name) {
    return find_row(name) < ROWS_COUNT;
}

bool upscale_options_set(upscale_options *self, const char *name, const char *value, problem *ret_problem) {
    size_t i = find_row(name);
    if (i == ROWS_COUNT) {
        *ret_problem = problem_of(
            PROBLEM_OPTION,
            "%.60s: no such option; there are format, quality, compression, model, task, scale, width, "
            "height, fit, crop, "
            "strength, colour, metadata, provenance, batch_mode, strict, upload, deadline_ms, oversize, webhook",
            name);
        return false;
    }
    const char *fault = self->given & 1u << i ? "given more than once"
                        : ROWS[i].set         ? ROWS[i].set(self, value)
                                              : format_target_take(&self->target, name, value);
    self->given |= 1u << i;
    if (fault)
        *ret_problem = problem_of(PROBLEM_OPTION, "%s: %s", name, fault);
    return !fault;
}
