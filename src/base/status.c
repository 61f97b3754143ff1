/* SPDX-License-Identifier: Apache-2.0
 * base/status.c - constants of the public headers: names of statuses, the version, the size of a pixel. */
#include <swin2sr/types.h>

const char *swin2sr_status_name(swin2sr_status status) {
    static const char *const names[] = {"ok",    "invalid", "no_memory", "too_large", "unsupported", "corrupt",
                                        "model", "io",      "busy",      "cancelled", "timeout",     "internal"};
    return status <= SWIN2SR_OK && status >= SWIN2SR_INTERNAL ? names[-status] : "unknown";
}

const char *swin2sr_version(void) {
    return SWIN2SR_VERSION;
}

size_t swin2sr_pixel_bytes(swin2sr_pixel pixel) {
    static const unsigned char bytes[SWIN2SR_PIXEL_COUNT] = {3, 1, 12, 4, 4, 4};
    return (unsigned)pixel < SWIN2SR_PIXEL_COUNT ? bytes[pixel] : 0;
}
