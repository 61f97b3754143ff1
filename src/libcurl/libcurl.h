/* SPDX-License-Identifier: Apache-2.0
 * libcurl/libcurl.h - libcurl, loaded only by what uses the network.
 * If it were linked, each start would load it and the 25 libraries it needs (20 ms), and no program could run on a
 * machine without them. */
#pragma once

#define CURL_DISABLE_TYPECHECK /* its macros need functions with the names of libcurl */
#include <curl/curl.h>

#include <swin2sr/status.h>

/* clang-format off */
/* The functions in use, without "curl_". */
#define CURL_FUNCTIONS(X) \
    X(global_init) X(easy_init) X(easy_setopt) X(easy_reset) X(easy_perform) X(easy_getinfo) X(easy_cleanup) \
    X(easy_strerror) X(slist_append) X(slist_free_all) X(multi_init) X(multi_add_handle) X(multi_perform) \
    X(multi_poll) X(multi_info_read) X(multi_remove_handle) X(multi_cleanup)
/* clang-format on */

#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
typedef struct curl_api {
    CURL_FUNCTIONS(CURL_MEMBER)
} curl_api;

/* Who takes what a request brings; the functions are those of libcurl's options. */
typedef struct curl_taker {
    size_t (*on_header)(char *data, size_t size, size_t count, void *context);
    size_t (*on_body)(char *data, size_t size, size_t count, void *context);
    int (*on_progress)(void *context, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out);
    void *context;
} curl_taker;

/* Set what every request of this program has in common: HTTP and HTTPS alone, certificates as SSL_CERT_FILE says.
 * headers  May be NULL. Borrowed, as are the others, until the handle is cleaned up or reset.
 * detail   [CURL_ERROR_SIZE] */
void curl_prepare(const curl_api *api, CURL *curl, const char *url, struct curl_slist *headers, char *detail,
                  const curl_taker *taker);

/* Load libcurl, which stays loaded until the program ends.
 * errors  _UNSUPPORTED (not installed, or too old); the detail names the package. */
swin2sr_status curl_api_load(curl_api *ret_api, swin2sr_error *reterr);
