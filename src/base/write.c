/* SPDX-License-Identifier: Apache-2.0
 * base/write.c - write all bytes of a buffer to a file. */
#include "base/write.h"

#include <errno.h>
#include <unistd.h>

size_t swin2sr__write_at(int fd, const void *bytes, size_t size, uint64_t at) {
    size_t done = 0;
    while (done < size) {
        ssize_t written = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(at + done));
        if (written == 0 || (written < 0 && errno != EINTR))
            break;
        done += written > 0 ? (size_t)written : 0;
    }
    return done;
}
