/* SPDX-License-Identifier: Apache-2.0
 * base/printable.h - untrusted text, made safe for terminals and JSON. */
#pragma once

#include <stddef.h>

/* Copy as much of a text as fits. Control characters, which a terminal would obey, become question marks. UTF-8
 * characters are not split.
 * size  Of ret_text, with the terminating zero; at least 1. */
void swin2sr__printable_copy(const char *text, size_t length, char *ret_text, size_t size);
