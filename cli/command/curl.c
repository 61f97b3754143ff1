/* SPDX-License-Identifier: Apache-2.0
 * cli/command/curl.c - load libcurl and look up its functions. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "curl.h"

static const struct {
    const char *name;
    size_t offset;
} FUNCTIONS[] = {
    {"curl_global_init", offsetof(curl_api, global_init)},
    {"curl_easy_init", offsetof(curl_api, easy_init)},
    {"curl_easy_setopt", offsetof(curl_api, easy_setopt)},
    {"curl_easy_reset", offsetof(curl_api, easy_reset)},
    {"curl_easy_perform", offsetof(curl_api, easy_perform)},
    {"curl_easy_getinfo", offsetof(curl_api, easy_getinfo)},
    {"curl_easy_cleanup", offsetof(curl_api, easy_cleanup)},
    {"curl_easy_strerror", offsetof(curl_api, easy_strerror)},
    {"curl_slist_append", offsetof(curl_api, slist_append)},
    {"curl_slist_free_all", offsetof(curl_api, slist_free_all)},
};

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
