/* SPDX-License-Identifier: Apache-2.0
 * config/devices.c - the devices that workers compute on.
 * In: the value of --device.  Out: names, or what is wrong with which entry. Whether a device exists is known to workers
 * only. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

/* The N of "vulkan" (0) and "vulkan:N".  false: another text. */
static bool parse_index(const char *text, size_t length, int *ret_index) {
    static const char word[] = "vulkan";
    const size_t name = sizeof word - 1;
    *ret_index = 0;
    if (length < name || strncmp(text, word, name) != 0)
        return false;
    if (length == name)
        return true;
    size_t digits = strspn(text + name + 1, "0123456789");
    *ret_index = atoi(text + name + 1);
    return text[name] == ':' && digits >= 1 && digits <= 2 && name + 1 + digits == length;
}

static swin2sr_status add(device_choice *self, const char *text, size_t length, swin2sr_error *reterr) {
    int index;
    char name[sizeof self->names[0]];
    if (!parse_index(text, length, &index))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "%.*s: must be cpu or auto, or a list of vulkan:N as of 'swin2sr device list'",
                                  (int)(length < 40 ? length : 40), text);
    if (self->count == LIMIT_DEVICES)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "more than %d devices", LIMIT_DEVICES);
    snprintf(name, sizeof name, "vulkan:%d", index);
    for (int32_t i = 0; i < self->count; i++)
        if (strcmp(self->names[i], name) == 0)
            return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s: is named twice", name);
    memcpy(self->names[self->count++], name, sizeof name);
    return SWIN2SR_OK;
}

swin2sr_status devices_parse(const char *text, device_choice *ret_choice, swin2sr_error *reterr) {
    device_choice found = {.is_auto = strcmp(text, "auto") == 0};
    swin2sr_status status = SWIN2SR_OK;
    bool is_list = !found.is_auto && strcmp(text, "cpu") != 0;
    for (size_t length; is_list && status == SWIN2SR_OK && (length = config_next_entry(&text)) > 0; text += length)
        status = add(&found, text, length, reterr);
    if (status == SWIN2SR_OK && is_list && found.count == 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "names no device");
    if (status == SWIN2SR_OK)
        *ret_choice = found;
    return status;
}
