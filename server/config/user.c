/* SPDX-License-Identifier: Apache-2.0
 * config/user.c - the value of --user. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"

/* Read a decimal number in 1..LIMIT_ID_MAX that ends at the character end, and move *text past that. */
static bool read_id(const char **text, char end, uint32_t *ret_id) {
    char *rest;
    errno = 0;
    unsigned long long value = strspn(*text, "0123456789") ? strtoull(*text, &rest, 10) : 0;
    if (value < 1 || value > LIMIT_ID_MAX || errno || *rest != end)
        return false;
    *text = rest + 1;
    *ret_id = (uint32_t)value;
    return true;
}

swin2sr_status user_parse(const char *text, server_user *ret_user, swin2sr_error *reterr) {
    server_user user;
    if (!read_id(&text, ':', &user.uid) || !read_id(&text, '\0', &user.gid))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be UID:GID, two numbers in 1..%u", LIMIT_ID_MAX);
    *ret_user = user;
    return SWIN2SR_OK;
}
