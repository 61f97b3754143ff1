/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/path_text.h - a path of any bytes as text that can stand in JSON, and back.
 * A per cent sign, control characters, and bytes of a path that is not UTF-8 become %XX; all else stays readable. */
#pragma once

/* returns  The caller's; NULL: out of memory. */
char *path_text_encode(const char *path);

/* returns  The caller's; NULL: out of memory, or not such a text. */
char *path_text_decode(const char *text);
