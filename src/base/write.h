/* SPDX-License-Identifier: Apache-2.0
 * base/write.h - write all bytes of a buffer to a file, and end text that was written to memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Write at a position, and continue after short and interrupted writes.
 * returns  The number of bytes written; if it is less than size, errno has the reason. */
size_t swin2sr__write_at(int fd, const void *bytes, size_t size, uint64_t at);

/* Close a stream of open_memstream whose text is at *text.
 * out      NULL: the stream could not be opened.
 * returns  The text, to be freed; NULL: there was no memory for all of it. */
char *swin2sr__text_end(FILE *out, char *const *text);
