/* SPDX-License-Identifier: Apache-2.0
 * base/write.h - write all bytes of a buffer to a file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Write at a position, and continue after short and interrupted writes.
 * returns  The number of bytes written; if it is less than size, errno has the reason. */
size_t swin2sr__write_at(int fd, const void *bytes, size_t size, uint64_t at);
