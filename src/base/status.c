/* SPDX-License-Identifier: Apache-2.0
 * base/status.c - names of the statuses, and the library's version. */
#include <swin2sr/status.h>

const char *swin2sr_status_name(swin2sr_status status) {
    switch (status) {
    case SWIN2SR_OK:
        return "ok";
    case SWIN2SR_INVALID:
        return "invalid";
    case SWIN2SR_NOMEM:
        return "no_memory";
    case SWIN2SR_TOO_LARGE:
        return "too_large";
    case SWIN2SR_UNSUPPORTED:
        return "unsupported";
    case SWIN2SR_CORRUPT:
        return "corrupt";
    case SWIN2SR_MODEL:
        return "model";
    case SWIN2SR_IO:
        return "io";
    case SWIN2SR_BUSY:
        return "busy";
    case SWIN2SR_CANCELLED:
        return "cancelled";
    case SWIN2SR_TIMEOUT:
        return "timeout";
    case SWIN2SR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

const char *swin2sr_version(void) {
    return SWIN2SR_VERSION;
}
