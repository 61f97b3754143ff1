/* SPDX-License-Identifier: Apache-2.0
 * base/precision.h - the words that users write for swin2sr_precision, in its order.
 * Here, so that the server, which links no engine, checks them by the list that the worker uses. */
#pragma once

#include <stddef.h>

/* "auto", "fp32", "bf16", "int8" for 0 to 3; NULL beyond. */
const char *swin2sr__precision_name(size_t precision);

/* The precision of a word; -1: there is none. */
int swin2sr__precision_find(const char *text);
