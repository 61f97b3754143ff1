/* SPDX-License-Identifier: Apache-2.0
 * base/error.c - the detail text of a failure. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

swin2sr_status swin2sr__error_set(swin2sr_error *reterr, swin2sr_status status, const char *format, ...) {
    if (reterr) {
        va_list args;
        va_start(args, format);
        vsnprintf(reterr->text, sizeof reterr->text, format, args);
        va_end(args);
    }
    return status;
}
