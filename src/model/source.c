/* SPDX-License-Identifier: Apache-2.0
 * model/source.c - read a weight file, and the config.json beside it.
 * The bytes are read into memory and not mapped, because a mapped file that is truncated kills the process.
 * Files are opened without blocking, so that a pipe or a device in their place is detected and refused. */
#include "model/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/printable.h"

#define MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MAX_MODEL_BYTES ((size_t)4 << 30)

/* The size of a regular file of 1 to max bytes; 0 for anything else. */
static size_t regular_size(int fd, size_t max) {
    struct stat facts;
    bool is_fit = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0;
    return is_fit && (uint64_t)facts.st_size <= max ? (size_t)facts.st_size : 0;
}

/* Open the config.json in the folder of path; -1: there is none. */
static int open_sibling_config(const char *path) {
    const char *slash = strrchr(path, '/');
    char *sibling = NULL;
    if (asprintf(&sibling, "%.*sconfig.json", slash ? (int)(slash + 1 - path) : 0, path) < 0)
        return -1;
    int fd = open(sibling, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(sibling);
    return fd;
}

/* Read the first size bytes of a file. what names it in errors: "the weight file". */
static swin2sr_status read_bytes(int fd, void *data, size_t size, const char *what, swin2sr_error *reterr) {
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(fd, (char *)data + at, size - at, (off_t)at);
        if (got < 0 && errno != EINTR)
            return swin2sr__error_set(reterr, SWIN2SR_IO, "cannot read %s: %m", what);
        if (got == 0)
            return swin2sr__error_set(reterr, SWIN2SR_IO, "%s was cut short while it was read: %zu of %zu bytes", what,
                                      at, size);
        at += got > 0 ? (size_t)got : 0;
    }
    return SWIN2SR_OK;
}

static swin2sr_status read_config(int fd, char **ret_text, swin2sr_error *reterr) {
    size_t size = regular_size(fd, MAX_CONFIG_BYTES);
    if (!size)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                  "the config.json beside the weights is no regular file of 1 byte to 1 MiB");
    char *text = calloc(size + 1, 1);
    if (!text)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the config.json");
    swin2sr_status status = read_bytes(fd, text, size, "the config.json", reterr);
    if (status == SWIN2SR_OK)
        *ret_text = text;
    else
        free(text);
    return status;
}

/* The file name without its ending, or the name of the folder if the file name says nothing (x/model.safetensors). */
static void name_of_path(const char *path, char name[SWIN2SR__MAX_MODEL_NAME]) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (slash && (strcmp(base, "model.safetensors") == 0 || strcmp(base, "pytorch_model.bin") == 0)) {
        const char *folder = slash;
        while (folder > path && folder[-1] != '/')
            folder--;
        if (folder < slash && *folder != '.') {
            swin2sr__printable_copy(folder, (size_t)(slash - folder), name, SWIN2SR__MAX_MODEL_NAME);
            return;
        }
    }
    const char *dot = strrchr(base, '.');
    swin2sr__printable_copy(base, dot && dot > base ? (size_t)(dot - base) : strlen(base), name,
                            SWIN2SR__MAX_MODEL_NAME);
}

swin2sr_status swin2sr__source_open_fd(int fd, int config_fd, const char *path, swin2sr__source *ret_source,
                                       swin2sr_error *reterr) {
    swin2sr__source source = {.size = regular_size(fd, MAX_MODEL_BYTES)};
    if (!source.size)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                  "not a weight file: it is no regular file, empty or too large");
    source.data = swin2sr__memory_alloc(source.size);
    swin2sr_status status = source.data ? read_bytes(fd, source.data, source.size, "the weight file", reterr)
                                        : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the weight file");
    if (status == SWIN2SR_OK && config_fd >= 0)
        status = read_config(config_fd, &source.config_json, reterr);
    if (status != SWIN2SR_OK) {
        swin2sr__source_close(&source);
        return status;
    }
    if (path)
        name_of_path(path, source.name);
    *ret_source = source;
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__source_open(const char *path, swin2sr__source *ret_source, swin2sr_error *reterr) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "cannot open the weight file: %m");
    int config_fd = open_sibling_config(path);
    swin2sr_status status = swin2sr__source_open_fd(fd, config_fd, path, ret_source, reterr);
    if (config_fd >= 0)
        close(config_fd);
    close(fd);
    return status;
}

void swin2sr__source_close(swin2sr__source *source) {
    free(source->config_json);
    swin2sr__memory_free(source->data, source->size);
    *source = (swin2sr__source){0};
}
