/* SPDX-License-Identifier: Apache-2.0
 * cli/model/curl.h - libcurl, loaded when something is fetched and not before.
 * Linked, it and the 25 libraries that it brings along would be loaded at every start (20 ms), and `swin2sr` could not
 * run where they are missing. */
#ifndef SWIN2SR_CLI_MODEL_CURL_H
#define SWIN2SR_CLI_MODEL_CURL_H

#define CURL_DISABLE_TYPECHECK /* its macros need the functions' own names */
#include <curl/curl.h>

#include <swin2sr/status.h>

typedef struct curl_api {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *handle);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    void (*easy_cleanup)(CURL *handle);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
} curl_api;

/* Load it for the rest of the program's life.
 * errors  _UNSUPPORTED (not installed, or too old); the detail names the package. */
swin2sr_status curl_api_load(curl_api *ret_api, swin2sr_error *reterr);

#endif
