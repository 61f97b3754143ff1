/* SPDX-License-Identifier: Apache-2.0
 * api/page.c - GET /, the page (stage 9 of 9, respond).
 * In: nothing.  Out: web/index.html, which needs no script and fetches nothing. */
#include "api/page.h"

#include "api/routes.h"

void page_on_begin(http_request *request) {
    http_answer_constant(request, MHD_HTTP_OK, "text/html; charset=utf-8", page_html, page_html_bytes);
    http_answer_header(request, "Content-Security-Policy", page_policy);
    http_answer_header(request, "Referrer-Policy", "no-referrer");
    http_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
}
