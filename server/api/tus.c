/* SPDX-License-Identifier: Apache-2.0
 * api/tus.c - values of the header fields of tus 1.0.0 (stage 1 of 9, request).
 * In: text from a client.  Out: numbers, digests, or what is wrong. No allocation. */
#include "api/tus.h"

#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/sha1.h"
#include "base/sha256.h"
#include "config/limits.h"

bool tus_parse_number(const char *text, uint64_t *ret_value) {
    uint64_t value = 0;
    size_t length = strlen(text);
    if (length == 0 || strspn(text, "0123456789") != length)
        return false;
    for (; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

/* ---- Upload-Metadata ---- */

static const char *skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}

static bool is_key(const char *key, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    return length > 0;
}

/* Does an earlier pair, between begin and this one, have this key? */
static bool is_repeated(const char *begin, const char *key, size_t length) {
    for (const char *at = skip_blanks(begin); at < key; at = skip_blanks(at + strcspn(at, ",") + 1))
        if (strncmp(at, key, length) == 0 && strchr(" ,", at[length]))
            return true;
    return false;
}

const char *tus_metadata_fault(const char *text) {
    const char *at = skip_blanks(text);
    if (strlen(text) >= LIMIT_UPLOAD_METADATA_BYTES)
        return "it is too long";
    for (int count = 1; *at; count++) {
        size_t pair = strcspn(at, ","), key = strcspn(at, " ,"), begin = key + (at[key] == ' ');
        if (!is_key(at, key))
            return "a key is empty or has other than visible ASCII characters";
        if (swin2sr__base64_decode(at + begin, pair - begin, NULL, 0) == SIZE_MAX)
            return "a value is not base64";
        if (is_repeated(text, at, key))
            return "a key is given twice";
        if (count > LIMIT_UPLOAD_METADATA_COUNT)
            return "it has too many keys";
        bool is_last = !at[pair];
        at = skip_blanks(at + pair + !is_last);
        if (!is_last && !*at)
            return "it ends with a comma";
    }
    return NULL;
}

/* ---- Upload-Checksum ---- */

bool tus_parse_checksum(const char *text, tus_checksum *ret_checksum) {
    static const struct {
        const char *name;
        swin2sr__digest (*begin)(void);
    } algorithms[] = {{"sha1 ", swin2sr__sha1_begin}, {"sha256 ", swin2sr__sha256_begin}};
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        size_t length = strlen(algorithms[i].name);
        if (strncmp(text, algorithms[i].name, length) != 0)
            continue;
        *ret_checksum = (tus_checksum){.digest = algorithms[i].begin()};
        return swin2sr__base64_decode(text + length, strlen(text + length), ret_checksum->expected,
                                      sizeof ret_checksum->expected) == ret_checksum->digest.digest_bytes;
    }
    return false;
}

bool tus_checksum_fits(tus_checksum *self) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    swin2sr__digest_end(&self->digest, bytes);
    return memcmp(bytes, self->expected, self->digest.digest_bytes) == 0;
}

/* ---- Upload-Expires ---- */

/* The program stays in the C locale, so the names of days and months are English. */
void tus_write_date(int64_t moment_s, char ret_text[TUS_DATE_BYTES]) {
    time_t moment = (time_t)moment_s;
    struct tm utc = {0};
    gmtime_r(&moment, &utc);
    if (strftime(ret_text, TUS_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        ret_text[0] = '\0'; /* a year of more than four digits */
}
