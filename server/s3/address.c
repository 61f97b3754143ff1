/* SPDX-License-Identifier: Apache-2.0
 * s3/address.c - the addresses of a store and of its objects.
 * In: settings and keys.  Out: Host header, path and URL, encoded once, so that what is signed is what is sent. */
#include "s3/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- settings ---- */

/* true: all characters are in `allowed`. */
static bool consists_of(const char *text, size_t size, const char *allowed) {
    return strspn(text, allowed) >= size;
}

static bool is_port(const char *text) {
    size_t length = strlen(text);
    return length >= 1 && length <= 5 && consists_of(text, length, DIGITS) && atoi(text) >= 1 && atoi(text) <= 65535;
}

/* HOST[:PORT], in which HOST is a name, an IPv4 address or [an IPv6 address]. */
static bool parse_host(const char *text, s3_place *place) {
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    size_t size = end ? (size_t)(end + 1 - text) : strcspn(text, ":");
    const char *allowed = end ? DIGITS "abcdefABCDEF:.[]" : DIGITS LOWER UPPER ".-";
    if (size == 0 || size >= sizeof place->host || !consists_of(text, size, allowed))
        return false;
    memcpy(place->host, text, size);
    place->host[size] = '\0';
    if (text[size] == '\0')
        return true;
    if (text[size] != ':' || !is_port(text + size + 1))
        return false;
    strcpy(place->port, text + size + 1);
    return true;
}

static bool parse_endpoint(const char *endpoint, s3_place *place) {
    place->is_tls = strncmp(endpoint, "https://", 8) == 0;
    if (!place->is_tls && strncmp(endpoint, "http://", 7) != 0)
        return false;
    return parse_host(endpoint + (place->is_tls ? 8 : 7), place);
}

/* The rules that all stores share. */
static bool is_bucket(const char *text) {
    size_t length = strlen(text);
    return length >= 3 && length <= 63 && consists_of(text, length, LOWER DIGITS ".-") && strspn(text, ".-") == 0 &&
           !strchr(".-", text[length - 1]) && !strstr(text, "..");
}

static bool take_prefix(const char *text, char ret_prefix[LIMIT_S3_PREFIX_BYTES]) {
    size_t length = strlen(text);
    if (length + 1 >= LIMIT_S3_PREFIX_BYTES || !consists_of(text, length, LOWER UPPER DIGITS "-_./") ||
        text[0] == '/' || text[0] == '.' || strstr(text, "//") || strstr(text, "/."))
        return false;
    bool needs_slash = length > 0 && text[length - 1] != '/';
    sprintf(ret_prefix, "%s%s", text, needs_slash ? "/" : "");
    return true;
}

swin2sr_status s3_place_parse(const char *endpoint, const char *bucket, const char *prefix, bool is_virtual,
                              s3_place *ret_place, swin2sr_error *reterr) {
    s3_place place = {.is_virtual = is_virtual};
    if (!parse_endpoint(endpoint, &place))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "'%.100s' is not the address of a store: must be http://HOST[:PORT] or "
                                  "https://HOST[:PORT], without a path",
                                  endpoint);
    if (!is_bucket(bucket))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "'%.100s' is not the name of a bucket: must be 3 to 63 lower-case letters, digits, "
                                  "'-' and '.'",
                                  bucket);
    if (!take_prefix(prefix, place.prefix))
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID,
            "'%.100s' cannot begin the names of objects: must be at most %d letters, digits, '-', "
            "'_' and '.', in parts separated by '/'",
            prefix, (int)LIMIT_S3_PREFIX_BYTES - 2);
    if (is_virtual && (place.host[0] == '[' || consists_of(place.host, strlen(place.host), DIGITS ".")))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "a bucket cannot be part of the address %s: use the name of the store, or addressing "
                                  "by path",
                                  place.host);
    if (is_virtual && place.is_tls && strchr(bucket, '.'))
        return swin2sr__error_set(
            reterr, SWIN2SR_INVALID,
            "the certificate of the store is not valid for %s.%s, because of the '.' in the name of "
            "the bucket: use addressing by path, or another bucket",
            bucket, place.host);
    strcpy(place.bucket, bucket);
    *ret_place = place;
    return SWIN2SR_OK;
}

/* ---- objects ---- */

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

/* Append text, each byte but the unreserved ones of RFC 3986 and those in `kept` as %XX.  false: it does not fit. */
static bool append_encoded(char *out, size_t size, const char *text, const char *kept) {
    size_t at = strlen(out);
    for (; *text; text++) {
        bool is_plain = is_unreserved(*text) || strchr(kept, *text);
        if (at + (is_plain ? 1 : 3) >= size)
            return false;
        at += (size_t)sprintf(out + at, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
    return true;
}

bool s3_query_append(char *query, size_t size, const char *text) {
    return append_encoded(query, size, text, "");
}

swin2sr_status s3_address_make(const s3_place *place, const char *key, const char *query, s3_address *ret_address) {
    const char *scheme_port = place->is_tls ? "443" : "80";
    bool has_port = place->port[0] && strcmp(place->port, scheme_port) != 0;
    snprintf(ret_address->host, sizeof ret_address->host, "%s%s%s%s%s", place->is_virtual ? place->bucket : "",
             place->is_virtual ? "." : "", place->host, has_port ? ":" : "", has_port ? place->port : "");
    snprintf(ret_address->path, sizeof ret_address->path, "/%s%s", place->is_virtual ? "" : place->bucket,
             !place->is_virtual && key ? "/" : "");
    if (key && (!append_encoded(ret_address->path, sizeof ret_address->path, place->prefix, "/") ||
                !append_encoded(ret_address->path, sizeof ret_address->path, key, "/")))
        return SWIN2SR_TOO_LARGE;
    int length = snprintf(ret_address->url, sizeof ret_address->url, "%s://%s%s%s%s", place->is_tls ? "https" : "http",
                          ret_address->host, ret_address->path, query[0] ? "?" : "", query);
    return length > 0 && (size_t)length < sizeof ret_address->url ? SWIN2SR_OK : SWIN2SR_TOO_LARGE;
}
