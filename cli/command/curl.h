/* SPDX-License-Identifier: Apache-2.0
 * cli/command/curl.h - libcurl, loaded only by commands that use the network.
 * If it were linked, each start would load it and the 25 libraries it needs (20 ms), and `swin2sr` could not run on a
 * machine without them. */
#pragma once

#define CURL_DISABLE_TYPECHECK /* its macros need functions with the names of libcurl */
#include <curl/curl.h>

#include <swin2sr/status.h>

typedef struct curl_api {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    void (*easy_reset)(CURL *handle);
    CURLcode (*easy_perform)(CURL *handle);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    void (*easy_cleanup)(CURL *handle);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
} curl_api;

/* Load libcurl, which stays loaded until the program ends.
 * errors  _UNSUPPORTED (not installed, or too old); the detail names the package. */
swin2sr_status curl_api_load(curl_api *ret_api, swin2sr_error *reterr);
