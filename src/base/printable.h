/* SPDX-License-Identifier: Apache-2.0
 * base/printable.h - text from outside, as it may be shown on a terminal and written to JSON. */
#pragma once

#include <stddef.h>

/* Copy so much of a text as fits: control characters, of which a terminal would take orders, become question marks, and
 * UTF-8 is cut between characters.
 * size  Of ret_text, with the terminating zero; at least 1. */
void swin2sr__printable_copy(const char *text, size_t length, char *ret_text, size_t size);
