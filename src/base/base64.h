/* SPDX-License-Identifier: Apache-2.0
 * base/base64.h - base64 with padding (RFC 4648 section 4), in both directions. No allocation. */
#pragma once

#include <stddef.h>

/* Bytes of the text of `size` bytes, terminator included. */
#define SWIN2SR__BASE64_BYTES(size) (((size) + 2) / 3 * 4 + 1)

/* ret_text  [SWIN2SR__BASE64_BYTES(size)] */
void swin2sr__base64_encode(const unsigned char *bytes, size_t size, char *ret_text);

/* bytes    Receives the first `room` of the decoded bytes; NULL with room 0.
 * returns  How many bytes were decoded; SIZE_MAX: the text is not base64. */
size_t swin2sr__base64_decode(const char *text, size_t length, unsigned char *bytes, size_t room);
