/* SPDX-License-Identifier: Apache-2.0
 * libcurl/libcurl.c - load libcurl, look up its functions, and set what all requests have in common. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "libcurl/libcurl.h"

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
                                  "libcurl is not installed, which this needs (Debian: apt install libcurl4)");
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

void curl_prepare(const curl_api *api, CURL *curl, const char *url, struct curl_slist *headers, char *detail,
                  const curl_taker *taker) {
    api->easy_setopt(curl, CURLOPT_URL, url);
    api->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    api->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    api->easy_setopt(curl, CURLOPT_USERAGENT, "swin2sr/" SWIN2SR_VERSION);
    api->easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    api->easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    api->easy_setopt(curl, CURLOPT_HEADERFUNCTION, taker->on_header);
    api->easy_setopt(curl, CURLOPT_HEADERDATA, taker->context);
    api->easy_setopt(curl, CURLOPT_WRITEFUNCTION, taker->on_body);
    api->easy_setopt(curl, CURLOPT_WRITEDATA, taker->context);
    api->easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    api->easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, taker->on_progress);
    api->easy_setopt(curl, CURLOPT_XFERINFODATA, taker->context);
    if (getenv("SSL_CERT_FILE")) /* which libcurl does not read */
        api->easy_setopt(curl, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
}
