/* SPDX-License-Identifier: Apache-2.0
 * cli/command/curl.h - libcurl, loaded only by commands that use the network.
 * If it were linked, each start would load it and the 25 libraries it needs (20 ms), and `swin2sr` could not run on a
 * machine without them. */
#pragma once

#define CURL_DISABLE_TYPECHECK /* its macros need functions with the names of libcurl */
#include <curl/curl.h>

#include <swin2sr/status.h>

/* The functions in use, without "curl_". */
#define CURL_FUNCTIONS(X) \
    X(global_init)        \
    X(easy_init)          \
    X(easy_setopt)        \
    X(easy_reset) X(easy_perform) X(easy_getinfo) X(easy_cleanup) X(easy_strerror) X(slist_append) X(slist_free_all)

#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
typedef struct curl_api {
    CURL_FUNCTIONS(CURL_MEMBER)
} curl_api;

/* Load libcurl, which stays loaded until the program ends.
 * errors  _UNSUPPORTED (not installed, or too old); the detail names the package. */
swin2sr_status curl_api_load(curl_api *ret_api, swin2sr_error *reterr);
