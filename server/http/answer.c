/* SPDX-License-Identifier: Apache-2.0
 * http/answer.c - answers of routes, handed to the HTTP library (stage 9 of 9, respond).
 * In: text, JSON, a file or a problem.  Out: a queued response; a held request is resumed. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "http/exchange.h"
#include "http/range.h"

/* There is no memory for the answer. One that is written directly needs less; then the connection ends. */
static void give_up(http_exchange *self) {
    problem what = problem_of(PROBLEM_MEMORY, "there is no memory for the answer");
    what.retry_after_s = 1;
    self->is_closing = true;
    answer_directly(self, &what);
}

/* response: NULL: out of memory. */
static void answer(http_request *request, unsigned int code, const char *type, struct MHD_Response *response) {
    http_exchange *self = exchange_of(request);
    self->answer = response;
    self->code = code;
    if (!response)
        give_up(self);
    else if (type)
        http_answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    hang_up_release(self);
}

void http_answer_text(http_request *request, unsigned int code, const char *type, char *text) {
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response)
        free(text);
    answer(request, code, type, response);
}

static bool is_known(http_request *request, const char *tag) {
    return range_has_tag(http_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH), tag);
}

void http_answer_tagged(http_request *request, const char *type, char *text, const char *tag) {
    if (text && is_known(request, tag)) {
        free(text);
        http_answer_empty(request, HTTP_NOT_MODIFIED);
    } else {
        http_answer_text(request, HTTP_OK, type, text);
    }
    http_answer_header(request, MHD_HTTP_HEADER_ETAG, tag);
}

void http_answer_constant(http_request *request, const char *type, const char *bytes, size_t size, const char *tag) {
    if (is_known(request, tag))
        http_answer_empty(request, HTTP_NOT_MODIFIED);
    else
        answer(request, HTTP_OK, type, MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_PERSISTENT));
    http_answer_header(request, MHD_HTTP_HEADER_ETAG, tag);
}

/* ---- JSON ---- */

http_json *http_json_array(void) {
    return (http_json *)json_array();
}

http_json *http_json_object(const char *format, ...) {
    va_list values;
    va_start(values, format);
    json_t *object = json_vpack_ex(NULL, 0, format, values);
    va_end(values);
    return (http_json *)object;
}

http_json *http_json_problem(const problem *what, const char *request_id) {
    char *text = problem_to_json(what, request_id);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return (http_json *)object;
}

void http_json_add(http_json **array, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int failed = json_array_append_new((json_t *)*array, json_vpack_ex(NULL, 0, format, values));
    va_end(values);
    if (failed)
        json_decref((json_t *)*array);
    *array = failed ? NULL : *array;
}

char *http_json_text(http_json *value) {
    char *text = swin2sr__json_text((json_t *)value, JSON_COMPACT);
    json_decref((json_t *)value);
    return text;
}

void http_json_free(http_json *value) {
    json_decref((json_t *)value);
}

void http_answer_value(http_request *request, unsigned int code, http_json *value) {
    http_answer_text(request, code, "application/json", http_json_text(value));
}

void http_answer_json(http_request *request, unsigned int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    json_t *document = json_vpack_ex(NULL, 0, format, values);
    va_end(values);
    http_answer_value(request, code, (http_json *)document);
}

/* ---- files and streams ---- */

void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size) {
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response)
        close(fd);
    answer(request, code, type, response);
}

void http_answer_empty(http_request *request, unsigned int code) {
    answer(request, code, NULL, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

void http_answer_stream(http_request *request, unsigned int code, const char *type, http_pull pull) {
    answer(request, code, type, stream_response(exchange_of(request), pull));
}

static void answer_part(http_request *request, const char *type, int fd, uint64_t size, uint64_t first,
                        uint64_t count) {
    char range[80];
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(count, fd, first);
    if (!response)
        close(fd);
    answer(request, HTTP_PARTIAL, type, response);
    snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, first + count - 1, size);
    http_answer_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, range);
}

static void answer_outside(http_request *request, uint64_t size) {
    char range[40];
    problem what = problem_of(PROBLEM_RANGE, "the file has %" PRIu64 " bytes, and none of them is in the range", size);
    http_answer_problem(request, &what);
    snprintf(range, sizeof range, "bytes */%" PRIu64, size);
    http_answer_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, range);
}

void http_answer_ranged(http_request *request, const char *type, int fd, uint64_t size, const char *tag) {
    const char *if_range = http_request_header(request, MHD_HTTP_HEADER_IF_RANGE);
    const char *range = http_request_header(request, MHD_HTTP_HEADER_RANGE);
    uint64_t first = 0, count = size;
    range_kind kind = range_parse(if_range && strcmp(if_range, tag) != 0 ? NULL : range, size, &first, &count);
    bool has_it = is_known(request, tag);
    if (has_it || kind == RANGE_OUTSIDE)
        close(fd);
    if (has_it)
        http_answer_empty(request, HTTP_NOT_MODIFIED);
    else if (kind == RANGE_OUTSIDE)
        answer_outside(request, size);
    else if (kind == RANGE_PART)
        answer_part(request, type, fd, size, first, count);
    else
        http_answer_file(request, HTTP_OK, type, fd, size);
    http_answer_header(request, MHD_HTTP_HEADER_ETAG, tag);
    http_answer_header(request, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

void http_answer_problem(http_request *request, const problem *what) {
    const char *accept = http_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    bool is_page = accept && strstr(accept, "text/html");
    char *text =
        is_page ? problem_to_html(what, request->id, exchange_of(request)->depth) : problem_to_json(what, request->id);
    recent_add(&exchange_of(request)->server->settings.metrics->problems, what->kind, swin2sr__clock_us() / 1000000);
    http_answer_text(request, (unsigned int)problem_code(what),
                     is_page ? "text/html; charset=utf-8" : "application/problem+json", text);
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (what->retry_after_s > 0) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%u", (unsigned int)what->retry_after_s);
        http_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
}

void *http_request_state(http_request *request, size_t size) {
    request->state = calloc(1, size);
    if (!request->state)
        answer_refuse(exchange_of(request), PROBLEM_MEMORY, "no memory for one more request");
    return request->state;
}

void http_answer_header(http_request *request, const char *name, const char *value) {
    http_exchange *self = exchange_of(request);
    if (!self->answer || MHD_add_response_header(self->answer, name, value) == MHD_YES)
        return;
    MHD_destroy_response(self->answer); /* without this field, the client would misunderstand it */
    self->answer = NULL;
    give_up(self);
}

void answer_refuse(http_exchange *self, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    http_answer_problem(&self->request, &what);
}

enum MHD_Result answer_send(http_exchange *self) {
    if (!self->answer)
        return MHD_NO;
    const http_gate *gate = &self->server->settings.gate;
    http_answer_header(&self->request, "X-Request-Id", self->request.id);
    if (gate->on_answer)
        gate->on_answer(gate->context, &self->request);
    http_answer_header(&self->request, "X-Content-Type-Options", "nosniff");
    if (self->is_closing || self->is_last || self->server->is_draining)
        http_answer_header(&self->request, MHD_HTTP_HEADER_CONNECTION, "close");
    if (!self->answer)
        return MHD_NO;
    self->sent_us = swin2sr__clock_us();
    self->is_queued = true;
    return MHD_queue_response(self->connection, self->code, self->answer);
}
