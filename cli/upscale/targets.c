/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/targets.c - read the options that say which part is enlarged, and to which size. */
#include "targets.h"

#include "command/report.h"

static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    {"scale", offsetof(target_texts, scale)},   {"width", offsetof(target_texts, width)},
    {"height", offsetof(target_texts, height)}, {"fit", offsetof(target_texts, fit)},
    {"crop", offsetof(target_texts, crop)},     {"strength", offsetof(target_texts, strength)},
};

const char *targets_name(size_t i) {
    return i < sizeof rows / sizeof rows[0] ? rows[i].name : NULL;
}

const char *targets_text(const target_texts *texts, size_t i) {
    return *(const char *const *)(const void *)((const char *)texts + rows[i].offset);
}

bool targets_take(const target_texts *texts, format_target *ret_target) {
    for (size_t i = 0; targets_name(i); i++) {
        const char *text = targets_text(texts, i);
        const char *fault = text ? format_target_take(ret_target, rows[i].name, text) : NULL;
        if (fault) {
            report_error(NULL, "--%s %s: %s", rows[i].name, text, fault);
            return false;
        }
    }
    return true;
}
