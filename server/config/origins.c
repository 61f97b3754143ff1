/* SPDX-License-Identifier: Apache-2.0
 * config/origins.c - origins that may call the service: check the list, and find one in it. */
#include "config/config.h"

#include "base/error.h"

bool origins_are_all(const char *text) {
    return strcmp(text, "*") == 0;
}

/* "https://a.example:8443": RFC 6454 section 6.2. */
static bool is_origin(const char *text, size_t length) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    size_t scheme = strspn(text, letters);
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return false;
    const char *host = text + scheme + 3;
    size_t host_bytes = *host == '[' ? strcspn(host, "]") + 1 : strspn(host, letters);
    size_t used = scheme + 3 + host_bytes;
    if (host_bytes == 0 || used > length)
        return false;
    if (used < length && text[used] == ':') {
        size_t digits = strspn(text + used + 1, "0123456789");
        used += 1 + digits;
        return digits > 0 && digits <= 5 && used == length;
    }
    return used == length;
}

swin2sr_status origins_check(const char *text, swin2sr_error *reterr) {
    if (origins_are_all(text))
        return SWIN2SR_OK;
    for (size_t length; (length = config_next_entry(&text)) > 0; text += length)
        if (!is_origin(text, length))
            return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                      "%.*s: must be SCHEME://HOST or SCHEME://HOST:PORT in lower case, or * alone",
                                      (int)length, text);
    return SWIN2SR_OK;
}

bool origins_have(const char *text, const char *origin) {
    size_t wanted = strlen(origin);
    for (size_t length; (length = config_next_entry(&text)) > 0; text += length)
        if (length == wanted && strncmp(text, origin, length) == 0)
            return true;
    return false;
}
