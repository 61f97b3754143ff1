/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/answer.c - fields of a header, problem documents, and which refusals pass. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "base/error.h"

#define DAY_S 86400u
#define MAX_DETAIL 180 /* bytes of a problem's detail that are shown */

/* ---- header ---- */

static const struct {
    const char *name;
    size_t offset;
} FIELDS[] = {
    {"location:", offsetof(remote_answer, location)},           {"etag:", offsetof(remote_answer, etag)},
    {"content-range:", offsetof(remote_answer, range)},         {"x-swin2sr-notes:", offsetof(remote_answer, notes)},
    {"upload-offset:", offsetof(remote_answer, upload_offset)}, {"tus-max-size:", offsetof(remote_answer, upload_max)},
    {"retry-after:", offsetof(remote_answer, retry_after)},     {"x-swin2sr-model:", offsetof(remote_answer, model)},
    {"x-swin2sr-choice:", offsetof(remote_answer, choice)},
};

static void take_field(char *value, const char *text, size_t length) {
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && strchr("\r\n \t", text[length - 1]))
        length--;
    if (length < ANSWER_FIELD_BYTES && !memchr(text, '\0', length))
        snprintf(value, ANSWER_FIELD_BYTES, "%.*s", (int)length, text);
}

void answer_take_line(remote_answer *self, const char *line, size_t length) {
    bool is_status = length >= 5 && strncmp(line, "HTTP/", 5) == 0;
    for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
        char *value = (char *)self + FIELDS[i].offset;
        size_t name_length = strlen(FIELDS[i].name);
        if (is_status)
            value[0] = '\0';
        else if (length > name_length && strncasecmp(line, FIELDS[i].name, name_length) == 0)
            take_field(value, line + name_length, length - name_length);
    }
}

bool answer_take_text(remote_answer *self, const void *bytes, size_t size) {
    if (size > sizeof(self->text) - self->text_bytes)
        return false;
    memcpy(self->text + self->text_bytes, bytes, size);
    self->text_bytes += size;
    return true;
}

bool answer_parse_number(const char *text, uint64_t max, uint64_t *ret_value) {
    uint64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 19 || text[digits]) /* 19 digits fit 64 bits */
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (value > max)
        return false;
    *ret_value = value;
    return true;
}

bool answer_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last) {
    unsigned long long first, last;
    if (sscanf(text, "bytes %19llu-%19llu/", &first, &last) != 2 || last < first)
        return false;
    *ret_first = first;
    *ret_last = last;
    return true;
}

uint32_t answer_retry_after_s(const remote_answer *self) {
    uint64_t seconds;
    return answer_parse_number(self->retry_after, DAY_S, &seconds) ? (uint32_t)seconds : 0;
}

/* ---- problems ---- */

static json_t *problem_of(const remote_answer *self) {
    json_t *problem = json_loadb(self->text, self->text_bytes, 0, NULL);
    if (json_is_object(problem))
        return problem;
    json_decref(problem);
    return NULL;
}

/* A text of the problem document; NULL: there is none. */
static const char *text_of(const json_t *problem, const char *name) {
    const char *text = json_string_value(json_object_get(problem, name));
    return text && text[0] ? text : NULL;
}

bool answer_has_code(const remote_answer *self, const char *code) {
    json_t *problem = problem_of(self);
    const char *text = text_of(problem, "code");
    bool is_it = text && strcmp(text, code) == 0;
    json_decref(problem);
    return is_it;
}

bool answer_is_transient(const remote_answer *self) {
    switch (self->code) {
    case 408:
    case 423:
    case 425:
    case 429:
    case 502:
    case 503:
        return true;
    case 409:
        return answer_retry_after_s(self) > 0;
    case 504: /* a proxy's; the service's own is a problem document */
        return !answer_has_code(self, "deadline");
    default:
        return false;
    }
}

swin2sr_status answer_status_of(long code) {
    return code == 400 || code == 413 || code == 415 || code == 422 ? SWIN2SR_INVALID : SWIN2SR_IO;
}

swin2sr_status answer_fail(const remote_answer *self, const char *host, swin2sr_error *reterr) {
    json_t *problem = problem_of(self);
    const char *detail = text_of(problem, "detail");
    swin2sr_status status = answer_status_of(self->code);
    if (detail)
        swin2sr__error_set(reterr, status, "%.60s answers %ld: %.*s", host, self->code, MAX_DETAIL, detail);
    else if (self->code == 401 || self->code == 403)
        swin2sr__error_set(reterr, status, "%.60s answers %ld: it wants a key (--key-file), or another one", host,
                           self->code);
    else if (self->code >= 300 && self->code < 400)
        swin2sr__error_set(reterr, status, "%.60s answers %ld and names another address; give that to --server", host,
                           self->code);
    else
        swin2sr__error_set(reterr, status, "%.60s answers %ld; is a Swin2SR service at this address?", host,
                           self->code);
    json_decref(problem);
    return status;
}
