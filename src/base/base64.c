/* SPDX-License-Identifier: Apache-2.0
 * base/base64.c - base64 with padding (RFC 4648 section 4).
 * In: bytes, or text that may be anything.  Out: text, or bytes. */
#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void swin2sr__base64_encode(const unsigned char *bytes, size_t size, char *ret_text) {
    for (size_t i = 0; i < size; i += 3) {
        size_t count = size - i < 3 ? size - i : 3;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < count ? bytes[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            *ret_text++ = j <= count ? alphabet[group >> (18 - 6 * j) & 63] : '=';
    }
    *ret_text = '\0';
}

/* The value of a character; -1: it has none. */
static int value_of(char character) {
    const char *at = character ? strchr(alphabet, character) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

size_t swin2sr__base64_decode(const char *text, size_t length, unsigned char *bytes, size_t room) {
    size_t count = 0, padding = 0;
    uint32_t group = 0;
    if (length % 4 != 0)
        return SIZE_MAX;
    for (size_t i = 0; i < length; i++) {
        bool is_padding = text[i] == '=' && i + 2 >= length;
        int value = is_padding ? 0 : value_of(text[i]);
        if (value < 0 || (padding > 0 && !is_padding))
            return SIZE_MAX;
        padding += is_padding;
        group = group << 6 | (uint32_t)value;
        for (int shift = 16; i % 4 == 3 && shift >= 0; shift -= 8, count++)
            if (count < room)
                bytes[count] = (unsigned char)(group >> shift);
    }
    return count - padding;
}
