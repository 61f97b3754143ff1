/* SPDX-License-Identifier: Apache-2.0
 * cli/command/input.c - read a whole file into memory. It is not mapped, because a mapped file that another program
 * shortens raises SIGBUS, and because pipes cannot be mapped. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "input.h"

#define FIRST_BYTES ((size_t)64 << 10)

static swin2sr_status grow(input_file *input, size_t *capacity, swin2sr_error *reterr) {
    if (input->size > INPUT_MAX_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE, "more than %zu MiB, the largest input that is read",
                                  INPUT_MAX_BYTES >> 20);
    size_t larger = *capacity * 2 <= INPUT_MAX_BYTES ? *capacity * 2 : INPUT_MAX_BYTES + 1;
    unsigned char *bytes = realloc(input->bytes, larger);
    if (!bytes)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    input->bytes = bytes;
    *capacity = larger;
    return SWIN2SR_OK;
}

static swin2sr_status read_all(int fd, size_t capacity, input_file *input, swin2sr_error *reterr) {
    input->bytes = malloc(capacity);
    if (!input->bytes)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    for (;;) {
        ssize_t n = read(fd, input->bytes + input->size, capacity - input->size);
        if (n < 0)
            return swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
        if (n == 0)
            return SWIN2SR_OK;
        input->size += (size_t)n;
        swin2sr_status status = input->size == capacity ? grow(input, &capacity, reterr) : SWIN2SR_OK;
        if (status != SWIN2SR_OK)
            return status;
    }
}

swin2sr_status input_read(const char *path, input_file *ret_input, swin2sr_error *reterr) {
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
    input_file input = {.modified.tv_nsec = UTIME_OMIT};
    size_t capacity = FIRST_BYTES;
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        input.modified = info.st_mtim;
        if ((uint64_t)info.st_size <= INPUT_MAX_BYTES && (size_t)info.st_size >= capacity)
            capacity = (size_t)info.st_size + 1; /* so that the end is seen without growing */
    }
    swin2sr_status status = read_all(fd, capacity, &input, reterr);
    if (!is_stdin)
        close(fd);
    if (status == SWIN2SR_OK)
        *ret_input = input;
    else
        input_done(&input);
    return status;
}

void input_done(input_file *input) {
    free(input->bytes);
    *input = (struct input_file){0};
}
