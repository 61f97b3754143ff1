/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/status.h - how every call says that it failed.
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
    SWIN2SR_INVALID = -1,     /* an argument or option is wrong */
    SWIN2SR_NOMEM = -2,       /* the system gave no memory */
    SWIN2SR_TOO_LARGE = -3,   /* a size is over a limit, or the plan is over the memory budget */
    SWIN2SR_UNSUPPORTED = -4, /* understood, but not something this build can do */
    SWIN2SR_CORRUPT = -5,     /* the input is damaged or cut short */
    SWIN2SR_MODEL = -6,       /* a weight file does not hold a network we can run */
    SWIN2SR_IO = -7,          /* reading or writing failed */
    SWIN2SR_BUSY = -8,        /* try again later */
    SWIN2SR_CANCELLED = -9,   /* the caller asked to stop */
    SWIN2SR_TIMEOUT = -10,    /* a deadline passed */
    SWIN2SR_INTERNAL = -11,   /* a bug here */
} swin2sr_status;

/* The detail of a failure: one sentence, English, no trailing dot, always terminated. */
typedef struct swin2sr_error {
    char text[256];
} swin2sr_error;

/* The stable lower-case word of a status: "ok", "invalid", "too_large", ...
 * status   Any value; an unknown one gives "unknown".
 * returns  A constant string; never NULL.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_status_name(swin2sr_status status);

/* The version of the library that is running, "0.1.0".
 * returns  A constant string; never NULL.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_version(void);

SWIN2SR_END
#endif
