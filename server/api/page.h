/* SPDX-License-Identifier: Apache-2.0
 * api/page.h - the bytes of web/index.html, built into the program by web/embed.py. */
#ifndef SWIN2SR_SERVER_PAGE_H
#define SWIN2SR_SERVER_PAGE_H

#include <stddef.h>

extern const unsigned char page_html[];
extern const size_t page_html_bytes;
extern const char page_policy[]; /* its Content-Security-Policy: nothing from outside, only this style */

#endif
