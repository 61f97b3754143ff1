/* SPDX-License-Identifier: Apache-2.0
 * api/assets.c - GET /assets/{id}: scripts and styles of the page (stage 9 of 9, respond).
 * In: a name with the hash of its content.  Out: bytes that were compressed when the page was built, or 404. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/context.h"
#include "api/page.h"
#include "api/routes.h"

/* Whether a list like "gzip, br;q=0.5" takes this coding: it is named, and not with a weight of zero. */
static bool takes(const char *accept, const char *coding) {
    while (accept && *accept) {
        accept += strspn(accept, ", \t");
        size_t length = strcspn(accept, ","), name = strcspn(accept, ",; \t");
        if (name == strlen(coding) && strncasecmp(accept, coding, name) == 0) {
            const char *weight = memchr(accept, '=', length);
            return !weight || strspn(weight + 1, "0.") != (size_t)(accept + length - weight - 1);
        }
        accept += length;
    }
    return false;
}

page_form page_form_for(const char *accept) {
    if (takes(accept, "br"))
        return PAGE_BROTLI;
    return takes(accept, "gzip") ? PAGE_GZIP : PAGE_PLAIN;
}

static const page_asset *find(const char *name) {
    for (size_t i = 0; i < page_asset_count; i++)
        if (strcmp(page_assets[i].name, name) == 0)
            return &page_assets[i];
    return NULL;
}

void asset_on_begin(http_request *request) {
    static const char *const codings[PAGE_FORMS] = {NULL, "gzip", "br"};
    const page_asset *asset = find(request->part);
    if (!asset) {
        problem what = problem_of(PROBLEM_NOT_FOUND, "there is no such asset; reload the page, which names its own");
        http_answer_problem(request, &what);
        return;
    }
    char accept[LIMIT_ACCEPT_ENCODING_BYTES], tag[LIMIT_ETAG_BYTES + 8];
    http_request_list(request, "Accept-Encoding", accept, sizeof accept);
    page_form form = page_form_for(accept);
    snprintf(tag, sizeof tag, "\"%s%s%s\"", asset->tag, form == PAGE_PLAIN ? "" : "-",
             form == PAGE_PLAIN ? "" : codings[form]);
    http_answer_constant(request, asset->media_type, asset->forms[form].bytes, asset->forms[form].size, tag);
    if (form != PAGE_PLAIN)
        http_answer_header(request, "Content-Encoding", codings[form]);
    http_answer_header(request, "Vary", "Accept-Encoding");
    http_answer_header(request, "Cache-Control", "public, max-age=31536000, immutable");
}
