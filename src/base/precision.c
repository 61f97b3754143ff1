/* SPDX-License-Identifier: Apache-2.0
 * base/precision.c - the names of the precisions. */
#include "base/precision.h"

#include <string.h>

const char *swin2sr__precision_name(size_t precision) {
    static const char *const NAMES[] = {"auto", "fp32", "bf16", "int8", "fp16"};
    return precision < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[precision] : NULL;
}

int swin2sr__precision_find(const char *text) {
    for (size_t i = 0; swin2sr__precision_name(i); i++)
        if (strcmp(swin2sr__precision_name(i), text) == 0)
            return (int)i;
    return -1;
}
