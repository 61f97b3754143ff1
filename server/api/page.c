/* SPDX-License-Identifier: Apache-2.0
 * api/page.c - GET / and GET /openapi.json, which are built into the program (stage 9 of 9, respond).
 * In: the networks that are served.  Out: web/index.html, which has no script and loads nothing else, with a choice of
 * network if there are several. */
#include "api/page.h"

#include <stdio.h>
#include <string.h>

#include "api/context.h"
#include "api/routes.h"
#include "base/write.h"

/* What the network for a task is made for, in both languages of the page. */
static const char *words_of(const char *task) {
    static const char *const words[][2] = {{"photo", "photos with noise or blur · 有噪点或模糊的照片"},
                                           {"clean", "sharp, undamaged pictures · 清晰无损的图片"},
                                           {"compressed", "strongly compressed pictures · 压缩严重的图片"},
                                           {"jpeg", "JPEG damage away, same size · 去除 JPEG 痕迹，尺寸不变"},
                                           {"fast", "quick · 快速"}};
    for (size_t i = 0; task && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], task) == 0)
            return words[i][1];
    }
    return NULL;
}

/* A name has letters, digits, '.', '_' and '-' only (config/models.c). */
static void write_network(FILE *out, const char *name, bool is_default) {
    const char *words = words_of(library_task_of(name));
    fprintf(out, "<option value=\"%s\"%s>", name, is_default ? " selected" : "");
    fprintf(out, words ? "%s (%s)</option>\n" : "%s%s</option>\n", words ? words : "", name);
}

static void write_choice(FILE *out, const pool_set *networks) {
    fprintf(out, "<div class=\"field\">\n<label for=\"model\">Network <span class=\"soft\" lang=\"zh-CN\">模型</span>"
                 "</label>\n<select id=\"model\" name=\"model\">\n");
    for (int i = 0; i < networks->network_count; i++)
        write_network(out, networks->networks[i].served->name, i == 0);
    fprintf(out, "</select>\n</div>\n");
}

/* The whole page; NULL: out of memory. */
static char *page_text(const pool_set *networks) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fputs(page_before_choice, out);
    if (networks->network_count > 1)
        write_choice(out, networks);
    fputs(page_after_choice, out);
    return swin2sr__text_end(out, &text);
}

void page_on_begin(http_request *request) {
    http_answer_text(request, HTTP_OK, "text/html; charset=utf-8",
                     page_text(((const api_context *)request->app)->pools));
    http_answer_header(request, "Content-Security-Policy", page_policy);
    http_answer_header(request, "Referrer-Policy", "no-referrer");
    http_answer_header(request, "Cache-Control", "no-cache");
}

void openapi_on_begin(http_request *request) {
    http_answer_text(request, HTTP_OK, "application/json", strdup(page_openapi));
    http_answer_header(request, "Cache-Control", "no-cache");
}

/* Browsers ask for an icon with every page. There is none; the answer is cached for a day. */
void icon_on_begin(http_request *request) {
    http_answer_empty(request, HTTP_NO_CONTENT);
    http_answer_header(request, "Cache-Control", "public, max-age=86400");
}
