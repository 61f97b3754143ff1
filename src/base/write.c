/* SPDX-License-Identifier: Apache-2.0
 * base/write.c - write all bytes of a buffer to a file, and end text that was written to memory. */
#include "base/write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
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

char *swin2sr__text_end(FILE *out, char *const *text) {
    if (!out)
        return NULL;
    bool has_failed = ferror(out); /* fclose does not report what was lost before */
    if (fclose(out) == 0 && !has_failed)
        return *text;
    free(*text);
    return NULL;
}
