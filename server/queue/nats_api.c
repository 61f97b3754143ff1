/* SPDX-License-Identifier: Apache-2.0
 * queue/nats_api.c - load libnats and look up its functions. */
#include "queue/nats_api.h"

#include <dlfcn.h>
#include <stddef.h>

#include "base/error.h"

#define ROW(name) {#name, offsetof(nats_api, name)},

static const struct {
    const char *name;
    size_t offset;
} rows[] = {NATS_FUNCTIONS(ROW)};

swin2sr_status nats_api_load(nats_api *ret_api, swin2sr_error *reterr) {
    void *library = dlopen("libnats.so.3.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen("libnats.so", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                                  "--nats: libnats is not installed (Debian: apt install libnats3.4)");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *function = dlsym(library, rows[i].name);
        if (!function)
            return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "--nats: the installed libnats has no %s",
                                      rows[i].name);
        *(void **)((char *)ret_api + rows[i].offset) = function;
    }
    return SWIN2SR_OK;
}
