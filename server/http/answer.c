/* SPDX-License-Identifier: Apache-2.0
 * http/answer.c - answers of routes, handed to the HTTP library (stage 9 of 9, respond).
 * In: text, JSON, a file or a problem.  Out: a queued response; a held request is resumed. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/exchange.h"

void answer_release(http_exchange *self) {
    if (!self->is_held)
        return;
    loop_watch_remove(self->server->settings.loop, &self->hang_up);
    self->is_held = false;
    MHD_resume_connection(self->connection);
}

static void answer(http_request *request, unsigned int code, const char *type, struct MHD_Response *response) {
    http_exchange *self = exchange_of(request);
    self->answer = response; /* NULL: out of memory; the connection is closed without an answer */
    self->code = code;
    self->is_closing |= !response;
    if (response && type)
        http_answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    answer_release(self);
}

void http_answer_text(http_request *request, unsigned int code, const char *type, char *text) {
    size_t size = text ? strlen(text) : 0;
    answer(request, code, type, text ? MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE) : NULL);
}

void http_answer_json(http_request *request, unsigned int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    json_t *document = json_vpack_ex(NULL, 0, format, values);
    va_end(values);
    http_answer_text(request, code, "application/json", document ? json_dumps(document, JSON_COMPACT) : NULL);
    json_decref(document);
}

http_list *http_list_new(void) {
    return (http_list *)json_array();
}

void http_list_add(http_list *list, const char *format, ...) {
    va_list values;
    va_start(values, format);
    json_array_append_new((json_t *)list, json_vpack_ex(NULL, 0, format, values));
    va_end(values);
}

void http_list_free(http_list *list) {
    json_decref((json_t *)list);
}

void http_answer_file(http_request *request, unsigned int code, const char *type, int fd, uint64_t size) {
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response)
        close(fd);
    answer(request, code, type, response);
}

void http_answer_problem(http_request *request, const problem *what) {
    const char *accept = http_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    bool is_page = accept && strstr(accept, "text/html");
    char *text =
        is_page ? problem_to_html(what, request->id, exchange_of(request)->depth) : problem_to_json(what, request->id);
    http_answer_text(request, (unsigned int)problem_code(what),
                     is_page ? "text/html; charset=utf-8" : "application/problem+json", text);
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (what->retry_after_s > 0) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%u", (unsigned int)what->retry_after_s);
        http_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
}

void http_answer_header(http_request *request, const char *name, const char *value) {
    http_exchange *self = exchange_of(request);
    if (self->answer)
        MHD_add_response_header(self->answer, name, value);
}

void answer_refuse(http_exchange *self, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    http_answer_problem(&self->request, &what);
}

enum MHD_Result answer_send(http_exchange *self) {
    if (!self->answer)
        return MHD_NO;
    http_answer_header(&self->request, "X-Request-Id", self->request.id);
    http_answer_header(&self->request, "X-Content-Type-Options", "nosniff");
    if (self->is_closing || self->is_last || self->server->is_draining)
        http_answer_header(&self->request, MHD_HTTP_HEADER_CONNECTION, "close");
    self->sent_us = swin2sr__clock_us();
    self->is_queued = true;
    return MHD_queue_response(self->connection, self->code, self->answer);
}
