/* SPDX-License-Identifier: Apache-2.0
 * api/options.c - the options of POST /upscale (stage 1 of 9, request).
 * In: names and values from the client.  Out: checked options, or a problem. */
#include "api/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/limits.h"

void upscale_options_init(upscale_options *self) {
    *self = (upscale_options){.format = FORMAT_PNG, .quality = 95};
}

static bool wrong(problem *ret_problem, const char *name, const char *why) {
    *ret_problem = problem_of(PROBLEM_OPTION, "%s: %s", name, why);
    return false;
}

/* Digits only, 1..100. */
static bool parse_quality(const char *text, uint32_t *ret_quality) {
    uint32_t value = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
        return false;
    for (; *text; text++)
        value = value * 10 + (uint32_t)(*text - '0');
    *ret_quality = value;
    return value >= 1 && value <= 100;
}

static bool set_model(upscale_options *self, const char *value, problem *ret_problem) {
    if (self->model[0])
        return wrong(ret_problem, "model", "given more than once");
    if (self->task)
        return wrong(ret_problem, "model", "cannot be given together with task; give one of model and task");
    if (!value[0] || strlen(value) >= sizeof self->model)
        return wrong(ret_problem, "model", "no such model here; GET /v1/models lists them");
    strcpy(self->model, value);
    return true;
}

static bool set_task(upscale_options *self, const char *value, problem *ret_problem) {
    if (self->task)
        return wrong(ret_problem, "task", "given more than once");
    if (self->model[0])
        return wrong(ret_problem, "task", "cannot be given together with model; give one of task and model");
    self->task = library_task_find(value);
    return self->task || wrong(ret_problem, "task", "not one of photo, clean, compressed, jpeg, fast");
}

/* What an id is of, api/intake.c finds. */
static bool set_upload(upscale_options *self, const char *value, problem *ret_problem) {
    if (self->upload[0])
        return wrong(ret_problem, "upload", "given more than once");
    if (!value[0] || strlen(value) >= sizeof self->upload)
        return wrong(ret_problem, "upload", "no such upload; it is the last part of the Location that made it");
    strcpy(self->upload, value);
    return true;
}

static bool set_strict(upscale_options *self, const char *value, problem *ret_problem) {
    if (self->has_strict)
        return wrong(ret_problem, "strict", "given more than once");
    self->has_strict = true;
    self->is_strict = strcmp(value, "true") == 0;
    return self->is_strict || strcmp(value, "false") == 0 || wrong(ret_problem, "strict", "not one of true, false");
}

static bool set_deadline(upscale_options *self, const char *value, problem *ret_problem) {
    size_t length = strlen(value);
    if (self->deadline_ms)
        return wrong(ret_problem, "deadline_ms", "given more than once");
    if (length > 0 && length < 10 && strspn(value, "0123456789") == length)
        self->deadline_ms = strtoull(value, NULL, 10);
    return (self->deadline_ms > 0 && self->deadline_ms <= LIMIT_WAIT_MAX_S * 1000u) ||
           wrong(ret_problem, "deadline_ms", "not a whole number of milliseconds from 1 to 86400000");
}

bool upscale_options_set(upscale_options *self, const char *name, const char *value, problem *ret_problem) {
    if (strcmp(name, "format") == 0) {
        if (self->has_format)
            return wrong(ret_problem, name, "given more than once");
        format_id format = format_by_name(value);
        if (!format_get(format)->can_write)
            return wrong(ret_problem, name, "not one of png, jpeg");
        self->format = format;
        self->has_format = true;
    } else if (strcmp(name, "quality") == 0) {
        if (self->has_quality)
            return wrong(ret_problem, name, "given more than once");
        if (!parse_quality(value, &self->quality))
            return wrong(ret_problem, name, "not a whole number from 1 to 100");
        self->has_quality = true;
    } else if (strcmp(name, "model") == 0) {
        return set_model(self, value, ret_problem);
    } else if (strcmp(name, "task") == 0) {
        return set_task(self, value, ret_problem);
    } else if (strcmp(name, "upload") == 0) {
        return set_upload(self, value, ret_problem);
    } else if (strcmp(name, "strict") == 0) {
        return set_strict(self, value, ret_problem);
    } else if (strcmp(name, "deadline_ms") == 0) {
        return set_deadline(self, value, ret_problem);
    } else {
        *ret_problem = problem_of(
            PROBLEM_OPTION,
            "%.60s: no such option; there are format, quality, model, task, strict, upload, deadline_ms", name);
        return false;
    }
    return true;
}
