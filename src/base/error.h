/* SPDX-License-Identifier: Apache-2.0
 * base/error.h - write the detail of a failure to the caller's swin2sr_error, which may be NULL. */
#pragma once

#include <swin2sr/status.h>

/* Write a printf-style detail and return status, so that a failure takes one line:
 *     return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "row %d is cut short", y); */
swin2sr_status swin2sr__error_set(swin2sr_error *reterr, swin2sr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Write "PATH: detail". If that is too long, the beginning of the path is left out. UTF-8 characters are not split. */
swin2sr_status swin2sr__error_set_path(swin2sr_error *reterr, swin2sr_status status, const char *path,
                                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Write "PATH: the meaning of errno" and return SWIN2SR_IO. */
swin2sr_status swin2sr__error_set_errno(swin2sr_error *reterr, const char *path);
