/* SPDX-License-Identifier: Apache-2.0
 * base/precision.h - the names of the values of swin2sr_precision.
 * They are in src/base because the server checks them too, and it does not link the engine. */
#pragma once

#include <stddef.h>

/* "auto", "fp32", "bf16", "int8", "fp16" for 0 to 4; NULL beyond. */
const char *swin2sr__precision_name(size_t precision);

/* The precision with this name; -1: there is none. */
int swin2sr__precision_find(const char *text);
