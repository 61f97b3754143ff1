/* SPDX-License-Identifier: Apache-2.0
 * admit/cors.h - pages of other sites that call the service from a browser (stage 2 of 9, admit).
 * In: requests with an Origin, and the setting --cors-origins.  Out: Access-Control header fields (Fetch standard).
 * Without the setting there are none, and browsers hide the answers from such pages. Cookies are never allowed. */
#pragma once

#include "http/http.h"

/* A browser's question before the request itself, with OPTIONS. It is answered here, whatever its path.
 * origins  Of the config; NULL: none.
 * returns  false: it is not such a question. */
bool cors_answer_preflight(const char *origins, http_request *request);

/* Add the fields to an answer, if its request has an Origin that may read it. */
void cors_add(const char *origins, http_request *request);
