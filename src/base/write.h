/* SPDX-License-Identifier: Apache-2.0
 * base/write.h - all bytes of a buffer into a file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Write at a position, and go on after short and interrupted writes.
 * returns  How many bytes were written; errno says why if that is less than size. */
size_t swin2sr__write_at(int fd, const void *bytes, size_t size, uint64_t at);
