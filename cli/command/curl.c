/* SPDX-License-Identifier: Apache-2.0
 * cli/command/curl.c - load libcurl and look up its functions. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "curl.h"

#define ROW(name) {"curl_" #name, offsetof(curl_api, name)},

static const struct {
    const char *name;
    size_t offset;
} FUNCTIONS[] = {CURL_FUNCTIONS(ROW)};

swin2sr_status curl_api_load(curl_api *ret_api, swin2sr_error *reterr) {
    curl_api api = {0};
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                                  "libcurl is not installed, which this command needs (Debian: apt install libcurl4)");
    for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++) {
        void *function = dlsym(library, FUNCTIONS[i].name);
        if (!function)
            return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "the installed libcurl is too old: it has no %s",
                                      FUNCTIONS[i].name);
        memcpy((char *)&api + FUNCTIONS[i].offset, &function,
               sizeof(function)); /* by POSIX, both pointers have one representation */
    }
    if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "libcurl failed to initialise");
    *ret_api = api;
    return SWIN2SR_OK;
}
