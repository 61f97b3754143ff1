/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/key.c - read the API key. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "key.h"

static swin2sr_status read_file(const char *path, char text[KEY_BYTES + 2], swin2sr_error *reterr) {
    FILE *file = fopen(path, "re");
    if (!file)
        return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%s", strerror(errno));
    size_t length = fread(text, 1, KEY_BYTES + 1, file);
    bool is_read = !ferror(file);
    int error = errno;
    fclose(file);
    text[length] = '\0';
    return is_read ? SWIN2SR_OK : swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%s", strerror(error));
}

swin2sr_status key_read(const char *file, char ret_key[KEY_BYTES], swin2sr_error *reterr) {
    char text[KEY_BYTES + 2] = "";
    const char *variable = getenv("SWIN2SR_KEY");
    ret_key[0] = '\0';
    if (!file && (!variable || !variable[0]))
        return SWIN2SR_OK;
    swin2sr_status status = SWIN2SR_OK;
    if (file)
        status = read_file(file, text, reterr);
    else
        snprintf(text, sizeof(text), "%s", variable);
    if (status != SWIN2SR_OK)
        return status;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    bool is_fit = length > 0 && length < KEY_BYTES;
    for (size_t i = 0; i < length; i++)
        is_fit &= isgraph((unsigned char)text[i]) != 0;
    if (!is_fit)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s: must have one key of 1 to %d characters without blanks",
                                  file ? file : "SWIN2SR_KEY", KEY_BYTES - 1);
    memcpy(ret_key, text, length + 1);
    return SWIN2SR_OK;
}
