/* SPDX-License-Identifier: Apache-2.0
 * http/problem.c - problem documents (RFC 9457).
 * In: a kind, a detail and numbers.  Out: JSON or HTML text. */
#include "http/problem.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/write.h"
#include "config/limits.h"

typedef struct problem_row {
    int code;
    const char *word, *title;
    const char *chinese; /* the title for pages; NULL: browsers do not meet it */
} problem_row;

static const problem_row rows[PROBLEM_COUNT] = {
    [PROBLEM_MALFORMED] = {400, "malformed", "The request is malformed"},
    [PROBLEM_MISSING_FILE] = {400, "missing_file", "There is no image in the request", "请求中没有图片"},
    [PROBLEM_KEY_MISSING] = {401, "key_missing", "An API key is needed", "需要 API 密钥"},
    [PROBLEM_KEY_UNKNOWN] = {401, "key_unknown", "The API key is wrong", "API 密钥无效"},
    [PROBLEM_KEY_REVOKED] = {403, "key_revoked", "The API key is revoked", "API 密钥已被吊销"},
    [PROBLEM_NOT_ADMIN] = {403, "not_admin", "This is for operators of the service", "此内容仅供服务管理者查看"},
    [PROBLEM_NOT_FOUND] = {404, "not_found", "There is nothing at this address", "此地址没有内容"},
    [PROBLEM_METHOD] = {405, "method_not_allowed", "This address does not take this method", "此地址不接受该方法"},
    [PROBLEM_TOO_SLOW] = {408, "too_slow", "The request came too slowly", "上传过慢"},
    [PROBLEM_CONFLICT] = {409, "conflict", "The request does not fit the present state"},
    [PROBLEM_PROTOCOL_VERSION] = {412, "protocol_version", "This version of the protocol is not supported"},
    [PROBLEM_GONE] = {410, "gone", "What was at this address has been removed", "此地址的内容已被删除"},
    [PROBLEM_BODY_TOO_LARGE] = {413, "body_too_large", "The request is too large", "文件过大"},
    [PROBLEM_IMAGE_TOO_LARGE] = {413, "image_too_large", "The image is too large", "图片过大"},
    [PROBLEM_CONTENT_TYPE] = {415, "content_type", "The content type is not one this address takes",
                              "不接受此内容类型"},
    [PROBLEM_UNSUPPORTED] = {415, "unsupported_image", "This is not an image that the service reads",
                             "此服务无法读取该图片"},
    [PROBLEM_RANGE] = {416, "range", "The range is outside of the file"},
    [PROBLEM_CORRUPT] = {422, "corrupt_image", "The image is damaged or cut short", "图片损坏或不完整"},
    [PROBLEM_OPTION] = {422, "bad_option", "An option is unknown or has a wrong value", "设置有误"},
    [PROBLEM_IMPOSSIBLE] = {422, "impossible", "This cannot be done with this image", "无法对此图片进行该处理"},
    [PROBLEM_LOCKED] = {423, "locked", "Another request is being finished"},
    [PROBLEM_KEY_REUSED] = {422, "idempotency_key_reused", "The Idempotency-Key belongs to another request"},
    [PROBLEM_QUEUE_FULL] = {429, "queue_full", "Too many images are waiting", "排队的图片太多"},
    [PROBLEM_RATE] = {429, "rate_limited", "Too many requests in a short time", "短时间内请求过多"},
    [PROBLEM_CONCURRENCY] = {429, "too_many_at_once", "Too many requests at the same time", "同时处理的请求过多"},
    [PROBLEM_TOO_MANY_UPLOADS] = {429, "too_many_uploads", "Too many uploads are kept"},
    [PROBLEM_HEADER_TOO_LARGE] = {431, "header_too_large", "The header of the request is too large"},
    [PROBLEM_CHECKSUM] = {460, "checksum_mismatch", "The bytes do not have the checksum that was sent with them"},
    [PROBLEM_INTERNAL] = {500, "internal", "The service failed", "服务出错"},
    [PROBLEM_NOT_ENABLED] = {501, "not_enabled", "This part of the service is switched off"},
    [PROBLEM_STARTING] = {503, "starting", "The service is starting", "服务正在启动"},
    [PROBLEM_DRAINING] = {503, "draining", "The service is shutting down", "服务正在关闭"},
    [PROBLEM_MEMORY] = {503, "memory", "The service is short of memory", "服务器内存不足"},
    [PROBLEM_BUSY] = {503, "busy", "The service is busy", "服务繁忙"},
    [PROBLEM_DEADLINE] = {504, "deadline", "The image took too long", "处理超时"},
    [PROBLEM_STORAGE] = {507, "storage", "The service is out of storage", "服务器空间不足"},
};

problem problem_of(problem_kind kind, const char *format, ...) {
    problem self = {.kind = kind};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self.detail, sizeof self.detail, format, arguments);
    va_end(arguments);
    for (char *at = self.detail; *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
    return self;
}

int problem_code(const problem *self) {
    return rows[self->kind].code;
}

/* "a, b" as ["a", "b"]; NULL: out of memory. */
static json_t *list_of(const char *words) {
    json_t *list = json_array();
    bool is_whole = list;
    for (size_t length; *words; words += length + strspn(words + length, ", ")) {
        length = strcspn(words, ",");
        is_whole &= json_array_append_new(list, json_stringn(words, length)) == 0;
    }
    if (is_whole)
        return list;
    json_decref(list);
    return NULL;
}

int problem_kind_code(problem_kind kind) {
    return rows[kind].code;
}

const char *problem_kind_word(problem_kind kind) {
    return rows[kind].word;
}

_Static_assert(PROBLEM_COUNT <= LIMIT_PROBLEM_KINDS, "the metrics have room for every kind");

char *problem_to_json(const problem *self, const char *request_id) {
    const problem_row *row = &rows[self->kind];
    json_t *document = json_pack("{s:s+, s:s, s:i, s:s, s:s+, s:s, s:s}", "type", "urn:swin2sr:problem:", row->word,
                                 "title", row->title, "status", row->code, "detail", self->detail, "instance",
                                 "urn:swin2sr:request:", request_id, "code", row->word, "request_id", request_id);
    if (!document)
        return NULL;
    if (self->limit > 0) {
        json_object_set_new(document, "limit", json_integer((json_int_t)self->limit));
        json_object_set_new(document, "actual", json_integer((json_int_t)self->actual));
    }
    if (self->retry_after_s > 0)
        json_object_set_new(document, "retry_after", json_integer(self->retry_after_s));
    bool is_whole = !self->tried[0] || json_object_set_new(document, "tried", list_of(self->tried)) == 0;
    char *text = is_whole ? swin2sr__json_text(document, JSON_INDENT(2)) : NULL;
    json_decref(document);
    return text;
}

/* Text is printable ASCII; '<', '>', '&' and quotes are written as references. */
static void write_escaped(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"' || *text == '\'')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

#define STYLE                                                                                       \
    "body{max-width:40rem;margin:4rem auto;padding:0 1.5rem;font:1.05rem/1.5 system-ui,sans-serif}" \
    "h1{font-size:1.9rem;line-height:1.2}small{opacity:.7}"

/* A link to the first page, unless the path is very deep. */
static void write_way_back(FILE *out, int depth) {
    if (depth > 8)
        return;
    fputs("<p><a href=\"./", out);
    for (int folder = 1; folder < depth; folder++)
        fputs("../", out);
    fputs("\">Back <span lang=\"zh-CN\">返回</span></a></p>", out);
}

char *problem_to_html(const problem *self, const char *request_id, int depth) {
    const problem_row *row = &rows[self->kind];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">"
            "<style>" STYLE "</style><title>%s</title></head>\n<body><h1>%s</h1><p>",
            row->title, row->title);
    problem shown = *self;
    shown.detail[0] = (char)toupper((unsigned char)shown.detail[0]); /* a sentence */
    write_escaped(out, shown.detail);
    fprintf(out, ".</p>\n");
    if (row->chinese)
        fprintf(out, "<p lang=\"zh-CN\">%s。</p>\n", row->chinese);
    if (self->limit > 0)
        fprintf(out,
                "<p>Limit <span lang=\"zh-CN\">上限</span>: %" PRIu64
                "; here <span lang=\"zh-CN\">实际</span>: %" PRIu64 ".</p>\n",
                self->limit, self->actual);
    if (self->retry_after_s > 0)
        fprintf(out, "<p>Try again in <span lang=\"zh-CN\">请稍后重试</span>: %" PRIu32 " s.</p>\n",
                self->retry_after_s);
    write_way_back(out, depth);
    fprintf(out, "<p><small>HTTP %d %s, request ", row->code, row->word);
    write_escaped(out, request_id);
    fprintf(out, "</small></p></body></html>\n");
    return swin2sr__text_end(out, &text);
}
