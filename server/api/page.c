/* SPDX-License-Identifier: Apache-2.0
 * api/page.c - GET / and GET /status in the language of the browser, and GET /openapi.json (stage 9 of 9, respond).
 * In: the networks that are served, the formats, the settings.  Out: HTML that works without script and loads only
 * the assets of this program (api/assets.c). */
#include "api/page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/context.h"
#include "api/options.h"
#include "api/routes.h"
#include "base/sha256.h"
#include "base/write.h"

/* Scripts, styles and pictures of this service, and blobs that its script makes. Nothing is evaluated, and no text
 * becomes HTML. */
#define POLICY                                                                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "   \
    "trusted-types 'none'"

/* ---- texts ---- */

static const char *word(const page_language *language, const char *group, const char *name) {
    char key[80];
    snprintf(key, sizeof key, "%s%s", group, name);
    for (const page_word *each = language->words; each->key; each++)
        if (strcmp(each->key, key) == 0)
            return each->text;
    return NULL;
}

/* Text between tags or in a quoted attribute. */
static void write_text(FILE *out, const char *text) {
    for (; text && *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

/* ---- what is filled in ---- */

static void write_facts(FILE *out, const api_context *service) {
    fprintf(out, "data-jobs=\"%d\" data-max-bytes=\"%llu\"", service->backlog != NULL,
            (unsigned long long)service->config->body_bytes_max);
}

static void write_accept(FILE *out) {
    const char *comma = "";
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        if (!format_get((format_id)id)->can_read)
            continue;
        fprintf(out, "%s%s", comma, format_get((format_id)id)->media_type);
        comma = ",";
    }
}

static void write_formats(FILE *out, const page_language *language) {
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        const format_info *format = format_get((format_id)id);
        const char *name = word(language, "format.name.", format->name);
        if (!format->can_write)
            continue;
        fprintf(out, "<option value=\"%s\"%s%s>", format->name, format->has_quality ? " data-quality=\"1\"" : "",
                id == FORMAT_PNG ? " selected" : "");
        write_text(out, name ? name : format->name);
        fputs("</option>\n", out);
    }
}

static bool is_only_for(const pool_set *networks, const char *task) {
    int count = 0;
    for (int i = 0; i < networks->network_count; i++) {
        const char *other = library_task_of(networks->networks[i].served->name);
        count += other && strcmp(other, task) == 0;
    }
    return count == 1;
}

/* By what it is for, and by its name where that is not enough. A name has letters, digits, '.', '_' and '-' only
 * (config/models.c). */
static void write_network(FILE *out, const page_language *language, const pool_set *networks, int i, bool is_chosen) {
    const char *name = networks->networks[i].served->name, *task = library_task_of(name);
    const char *words = task ? word(language, "task.", task) : NULL;
    fprintf(out, "<option value=\"%s\" data-task=\"%s\"%s>", name, task ? task : "", is_chosen ? " selected" : "");
    write_text(out, words);
    if (!words)
        fputs(name, out);
    else if (!is_only_for(networks, task))
        fprintf(out, " (%s)", name);
    fputs("</option>\n", out);
}

static void write_networks(FILE *out, const page_language *language, pool_set *networks) {
    network *undamaged;
    const char *task = library_task_of(pools_find_auto(networks, false, &undamaged)->served->name);
    task = undamaged ? LIBRARY_TASK_AUTO : task;
    if (networks->network_count < 2)
        return;
    fputs("<div class=\"field\">\n<label for=\"model\" data-word=\"network.label\">", out);
    write_text(out, word(language, "network.label", ""));
    fputs("</label>\n<select id=\"model\" name=\"model\" aria-describedby=\"model-hint\">\n", out);
    if (undamaged) {
        fputs("<option value=\"" LIBRARY_TASK_AUTO "\" data-task=\"" LIBRARY_TASK_AUTO "\" selected>", out);
        write_text(out, word(language, "task.", LIBRARY_TASK_AUTO));
        fputs("</option>\n", out);
    }
    for (int i = 0; i < networks->network_count; i++)
        write_network(out, language, networks, i, i == 0 && !undamaged);
    fputs("</select>\n<p id=\"model-hint\" class=\"hint\">", out);
    write_text(out, word(language, "network.hint.", task ? task : "other"));
    fputs("</p>\n</div>\n", out);
}

static void write_kept(FILE *out, const page_language *language, const api_context *service) {
    if (!service->backlog) {
        write_text(out, word(language, "kept.not", ""));
        return;
    }
    const char *text = word(language, "kept.hours", ""), *hole = strstr(text, "{hours}");
    fprintf(out, "%.*s%d%s", (int)(hole - text), text, (int)service->config->result_hours, hole + strlen("{hours}"));
}

static void write_hole(FILE *out, page_hole hole, const page_language *language, const api_context *service) {
    switch (hole) {
    case PAGE_FACTS:
        write_facts(out, service);
        break;
    case PAGE_ACCEPT:
        write_accept(out);
        break;
    case PAGE_NETWORKS:
        write_networks(out, language, service->pools);
        break;
    case PAGE_FORMATS:
        write_formats(out, language);
        break;
    case PAGE_KEPT:
        write_kept(out, language, service);
        break;
    case PAGE_NONE:
    case PAGE_END:
        break;
    }
}

/* The whole page; NULL: out of memory. */
static char *page_text(const page_part *part, const page_language *language, const api_context *service) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (bool is_more = true; is_more; part++) {
        if (!part->option || upscale_options_has(part->option)) {
            fputs(part->text, out);
            write_hole(out, part->hole, language, service);
        }
        is_more = part->hole != PAGE_END;
    }
    return swin2sr__text_end(out, &text);
}

/* ---- language ---- */

static const page_language *language_named(const char *text, size_t length) {
    for (int i = 0; i < PAGE_LANGUAGES; i++) {
        size_t own = strlen(page_languages[i].name);
        if (length >= own && strncasecmp(text, page_languages[i].name, own) == 0 && (length == own || text[own] == '-'))
            return &page_languages[i];
    }
    return NULL;
}

/* The weight of an entry like "zh-CN;q=0.8", in thousandths; at most 1 counts. */
static int weight_of(const char *entry, size_t length) {
    const char *at = memchr(entry, ';', length);
    while (at && at < entry + length && !isdigit((unsigned char)*at))
        at++;
    if (!at || at >= entry + length)
        return 1000;
    double weight = strtod(at, NULL);
    return weight < 1 ? (int)(weight * 1000) : 1000;
}

const page_language *page_language_for(const char *accept) {
    const page_language *best = &page_languages[0];
    int best_weight = 0;
    while (accept && *accept) {
        accept += strspn(accept, ", \t");
        size_t length = strcspn(accept, ",");
        const page_language *each = language_named(accept, strcspn(accept, ",; \t"));
        int weight = weight_of(accept, length);
        if (each && weight > best_weight) {
            best = each;
            best_weight = weight;
        }
        accept += length;
    }
    return best;
}

static bool take_language(void *context, const char *name, const char *value) {
    const page_language **language = context;
    if (strcmp(name, "lang") == 0)
        *language = language_named(value, strlen(value));
    return true;
}

/* ---- answers ---- */

static void answer_page(http_request *request, bool is_status) {
    const api_context *service = request->app;
    const page_language *language = NULL;
    http_request_query(request, take_language, &language);
    if (!language)
        language = page_language_for(http_request_header(request, "Accept-Language"));
    char *text = page_text(is_status ? language->status : language->index, language, service), tag[67] = "\"\"";
    if (text)
        swin2sr__sha256_hex(text, strlen(text), tag + 1);
    strcpy(tag + 33, "\"");
    http_answer_tagged(request, "text/html; charset=utf-8", text, tag);
    http_answer_header(request, "Content-Language", language->tag);
    http_answer_header(request, "Vary", "Accept-Language");
    http_answer_header(request, "Content-Security-Policy", POLICY);
    http_answer_header(request, "Referrer-Policy", "no-referrer");
    http_answer_header(request, "Cache-Control", "no-cache");
}

void page_on_begin(http_request *request) {
    answer_page(request, false);
}

/* Shows what GET /v1/status answers; it says nothing itself. */
void status_page_on_begin(http_request *request) {
    answer_page(request, true);
}

void openapi_on_begin(http_request *request) {
    http_answer_text(request, HTTP_OK, "application/json", strdup(page_openapi));
    http_answer_header(request, "Cache-Control", "no-cache");
}

/* Browsers ask for an icon with every page that names none. The answer is cached for a day. */
void icon_on_begin(http_request *request) {
    http_answer_empty(request, HTTP_NO_CONTENT);
    http_answer_header(request, "Cache-Control", "public, max-age=86400");
}
