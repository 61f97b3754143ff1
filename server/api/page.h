/* SPDX-License-Identifier: Apache-2.0
 * api/page.h - web/index.html, built into the program by web/embed.py in two parts, before and after the choice of
 * network. */
#pragma once

extern const char page_before_choice[], page_after_choice[];
extern const char page_policy[];  /* its Content-Security-Policy: only its own style; nothing is loaded */
extern const char page_openapi[]; /* web/openapi.json */
