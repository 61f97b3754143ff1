/* SPDX-License-Identifier: Apache-2.0
 * config/origins.h - the setting --cors-origins: which other sites' pages may call the service from a browser.
 * In: "https://a.example, http://localhost:5173", or "*".  Out: whether an Origin is one of them. Pure. */
#pragma once

#include <stdbool.h>

#include <swin2sr/status.h>

/* Is each entry SCHEME://HOST or SCHEME://HOST:PORT, in lower case as browsers send it, or the only one "*"?
 * errors  _INVALID, with the entry. */
swin2sr_status origins_check(const char *text, swin2sr_error *reterr);

bool origins_are_all(const char *text); /* "*" */

/* text: checked. origin: from a client. */
bool origins_have(const char *text, const char *origin);
