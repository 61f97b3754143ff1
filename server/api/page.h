/* SPDX-License-Identifier: Apache-2.0
 * api/page.h - web/index.html, built into the program by web/embed.py: up to its place for a choice of network, and
 * from there on. */
#ifndef SWIN2SR_SERVER_PAGE_H
#define SWIN2SR_SERVER_PAGE_H

extern const char page_before_choice[], page_after_choice[];
extern const char page_policy[]; /* its Content-Security-Policy: nothing from outside, only this style */

#endif
