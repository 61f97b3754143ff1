/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/status.h - what functions return when they fail.
 * The one public header that every layer of the project may include. */
#ifndef SWIN2SR_STATUS_H
#define SWIN2SR_STATUS_H

#ifdef __cplusplus
#define SWIN2SR_BEGIN extern "C" {
#define SWIN2SR_END }
#else
#define SWIN2SR_BEGIN
#define SWIN2SR_END
#endif

#if defined(__GNUC__)
#define SWIN2SR_PUBLIC __attribute__((visibility("default")))
#define SWIN2SR_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SWIN2SR_PUBLIC
#define SWIN2SR_MUST_CHECK
#endif

SWIN2SR_BEGIN

typedef enum swin2sr_status {
    SWIN2SR_OK = 0,
    SWIN2SR_INVALID = -1,     /* an argument, an option or a setting is wrong */
    SWIN2SR_NOMEM = -2,       /* memory could not be allocated */
    SWIN2SR_TOO_LARGE = -3,   /* a size exceeds a limit, or the plan exceeds the memory budget */
    SWIN2SR_UNSUPPORTED = -4, /* valid, but this build cannot do it */
    SWIN2SR_CORRUPT = -5,     /* the input is damaged or truncated */
    SWIN2SR_MODEL = -6,       /* a weight file does not hold a network that the library runs */
    SWIN2SR_IO = -7,          /* reading or writing failed */
    SWIN2SR_BUSY = -8,        /* try again later */
    SWIN2SR_CANCELLED = -9,   /* the caller cancelled */
    SWIN2SR_TIMEOUT = -10,    /* a deadline passed */
    SWIN2SR_INTERNAL = -11,   /* a bug in the library */
} swin2sr_status;

/* Details of a failure: one English sentence without a full stop, always zero-terminated. */
typedef struct swin2sr_error {
    char text[256];
} swin2sr_error;

/* The stable lower-case word of a status: "ok", "invalid", "too_large", ...
 * status   Any value.
 * returns  A constant string, never NULL; "unknown" for a value that is not in the enum.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_status_name(swin2sr_status status);

/* The version of the library that the program runs with: "0.1.0".
 * returns  A constant string; never NULL.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_version(void);

SWIN2SR_END
#endif
