/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/link.c - one request through libcurl, and requests that are repeated. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "command/interrupt.h"
#include "link.h"

#define CONNECT_S 20
#define STALL_S 30       /* so long without a byte, and the connection counts as broken */
#define SLEEP_US 100000u /* a signal ends a sleep within this time */
#define URL_BYTES (ADDRESS_BYTES + 1024)

typedef struct transfer {
    remote_link *link;
    const link_request *request;
    remote_answer *answer;
    bool is_too_long; /* the text of the answer */
    char detail[CURL_ERROR_SIZE];
} transfer;

static bool is_interrupted(const remote_link *self) {
    return interrupt_signal() && !self->is_ending;
}

/* ---- callbacks of libcurl ---- */

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    const transfer *self = context;
    answer_take_line(self->answer, line, size * count);
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    transfer *self = context;
    self->link->api.easy_getinfo(self->link->curl, CURLINFO_RESPONSE_CODE, &self->answer->code);
    bool is_result = self->request->writer && (self->answer->code == 200 || self->answer->code == 206);
    if (is_result)
        return result_take(self->request->writer, self->answer, bytes, size * count) ? size * count : 0;
    self->is_too_long = !answer_take_text(self->answer, bytes, size * count);
    return self->is_too_long ? 0 : size * count;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
    transfer *self = context;
    const link_request *request = self->request;
    uint64_t done = request->done_bytes + (uint64_t)(request->writer ? down : up);
    if (request->total_bytes)
        progress_update(&self->link->progress,
                        done < request->total_bytes ? (double)done / (double)request->total_bytes : 1);
    return is_interrupted(self->link);
}

/* ---- one request ---- */

static void set_method(const remote_link *self, const link_request *request) {
    const curl_api *api = &self->api;
    bool is_post = strcmp(request->method, "POST") == 0 || strcmp(request->method, "PATCH") == 0;
    if (is_post) {
        api->easy_setopt(self->curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        api->easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_bytes);
    } else if (strcmp(request->method, "HEAD") == 0) {
        api->easy_setopt(self->curl, CURLOPT_NOBODY, 1L);
    }
    api->easy_setopt(self->curl, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Redirects are not followed, and the checks of certificates are libcurl's defaults, which are on. */
static void set_options(transfer *self, const char *url, struct curl_slist *headers) {
    const curl_api *api = &self->link->api;
    CURL *curl = self->link->curl;
    long stall_s = self->request->waits_for_work ? self->link->timeout_s : STALL_S;
    api->easy_reset(curl);
    curl_prepare(
        api, curl, url, headers, self->detail,
        &(curl_taker){.on_header = on_header, .on_body = on_body, .on_progress = on_progress, .context = self});
    api->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    api->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    api->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall_s);
    if (!self->request->body && !self->request->writer) /* a small answer that comes slower than that is none */
        api->easy_setopt(curl, CURLOPT_TIMEOUT, (long)self->link->timeout_s);
    api->easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    set_method(self->link, self->request);
}

static bool add_header(const curl_api *api, struct curl_slist **headers, const char *line) {
    struct curl_slist *longer = api->slist_append(*headers, line);
    *headers = longer ? longer : *headers;
    return longer != NULL;
}

/* The caller's lines and the key. false: out of memory. */
static bool make_headers(const remote_link *self, const link_request *request, struct curl_slist **ret_headers) {
    char line[512];
    *ret_headers = NULL;
    for (size_t i = 0; i < LINK_HEADERS && request->headers[i]; i++)
        if (!add_header(&self->api, ret_headers, request->headers[i]))
            return false;
    if (!request->body && !add_header(&self->api, ret_headers, "Content-Type:")) /* libcurl would say it is a form */
        return false;
    if (!self->key)
        return true;
    snprintf(line, sizeof(line), "Authorization: Bearer %s", self->key);
    return add_header(&self->api, ret_headers, line);
}

static bool is_final(CURLcode code) {
    return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CIPHER ||
           code == CURLE_COULDNT_RESOLVE_PROXY;
}

/* Why there is no whole answer. */
static swin2sr_status explain(const transfer *self, CURLcode code, swin2sr_error *reterr) {
    const remote_link *link = self->link;
    const result_writer *writer = self->request->writer;
    const char *detail = self->detail[0] ? self->detail : link->api.easy_strerror(code);
    if (is_interrupted(link))
        return swin2sr__error_set(reterr, SWIN2SR_CANCELLED, "interrupted");
    if (code == CURLE_OUT_OF_MEMORY)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    if (self->is_too_long)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%.60s: an answer has more than %d bytes", link->address.host,
                                  ANSWER_TEXT_BYTES);
    if (writer && writer->status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, writer->status, "%s", writer->error.text);
    swin2sr_status status = is_final(code) || !link->was_reached ? SWIN2SR_IO : SWIN2SR_BUSY;
    return swin2sr__error_set(reterr, status, "%.60s: %.160s", link->address.host, detail);
}

swin2sr_status link_once(remote_link *self, const link_request *request, remote_answer *ret_answer,
                         swin2sr_error *reterr) {
    char url[URL_BYTES];
    struct curl_slist *headers;
    transfer now = {.link = self, .request = request, .answer = ret_answer};
    memset(ret_answer, 0, offsetof(remote_answer, text));
    if (request->writer) {
        request->writer->is_begun = false;
        request->writer->status = SWIN2SR_OK;
    }
    if (!make_headers(self, request, &headers)) {
        self->api.slist_free_all(headers);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    }
    snprintf(url, sizeof(url), "%s%s", self->address.base, request->path);
    set_options(&now, url, headers);
    CURLcode code = self->api.easy_perform(self->curl);
    self->api.easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &ret_answer->code);
    self->api.slist_free_all(headers);
    if (code != CURLE_OK)
        return explain(&now, code, reterr);
    self->was_reached = true;
    return SWIN2SR_OK;
}

/* ---- again ---- */

void link_progress(remote_link *self) {
    retry_progress(&self->retry, swin2sr__clock_us());
}

swin2sr_status link_sleep(const remote_link *self, uint64_t us, swin2sr_error *reterr) {
    for (uint64_t end_us = swin2sr__clock_us() + us, now_us; (now_us = swin2sr__clock_us()) < end_us;) {
        uint64_t left_us = end_us - now_us < SLEEP_US ? end_us - now_us : SLEEP_US;
        nanosleep(&(struct timespec){.tv_nsec = (long)left_us * 1000}, NULL);
        if (is_interrupted(self))
            return swin2sr__error_set(reterr, SWIN2SR_CANCELLED, "interrupted");
    }
    return SWIN2SR_OK;
}

swin2sr_status link_pause(remote_link *self, uint32_t retry_after_s, const char *reason, swin2sr_error *reterr) {
    uint8_t random = 0;
    uint64_t pause_us;
    if (getrandom(&random, 1, GRND_NONBLOCK) != 1)
        random = 0;
    if (retry_pause(&self->retry, swin2sr__clock_us(), (uint64_t)self->timeout_s * 1000000, retry_after_s, random,
                    &pause_us))
        return link_sleep(self, pause_us, reterr);
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.180s; given up (--timeout %d)", reason, self->timeout_s);
}

swin2sr_status link_call(remote_link *self, const link_request *request, remote_answer *ret_answer,
                         swin2sr_error *reterr) {
    for (;;) {
        swin2sr_error failure = {0};
        swin2sr_status status = link_once(self, request, ret_answer, &failure);
        if (status == SWIN2SR_OK && !answer_is_transient(ret_answer)) {
            if (!request->is_question)
                link_progress(self);
            return SWIN2SR_OK;
        }
        if (status != SWIN2SR_OK && status != SWIN2SR_BUSY)
            return swin2sr__error_set(reterr, status, "%s", failure.text);
        if (status == SWIN2SR_OK)
            answer_fail(ret_answer, self->address.host, &failure);
        status = link_pause(self, answer_retry_after_s(ret_answer), failure.text, reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
}

swin2sr_status link_open(remote_link *self, swin2sr_error *reterr) {
    swin2sr_status status = curl_api_load(&self->api, reterr);
    if (status == SWIN2SR_OK && !(self->curl = self->api.easy_init()))
        status = swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    link_progress(self);
    return status;
}

void link_close(remote_link *self) {
    if (self->curl)
        self->api.easy_cleanup(self->curl);
    self->curl = NULL;
}
