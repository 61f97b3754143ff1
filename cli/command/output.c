/* SPDX-License-Identifier: Apache-2.0
 * cli/command/output.c - write to a temporary name, flush to the disk, rename. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "output.h"

static swin2sr_status io_error(const char *path, int error, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%s: %s", path, strerror(error));
}

static swin2sr_status exists_error(const char *path, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%s exists already; --force replaces it", path);
}

/* DIR/.swin2sr-XXXXXX, made unique by mkostemp. */
static char *temporary_pattern(const char *path) {
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path + 1) : 0;
    char *name;
    return asprintf(&name, "%.*s.swin2sr-XXXXXX", folder, path) < 0 ? NULL : name;
}

/* What open(path, O_CREAT, 0666) would have given; mkostemp gives 0600. */
static int set_usual_mode(int fd) {
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask);
}

static swin2sr_status open_temporary(output_file *output, swin2sr_error *reterr) {
    char *name = temporary_pattern(output->path);
    if (!name)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0 && set_usual_mode(fd) == 0)
        output->file = fdopen(fd, "wb");
    if (output->file) {
        output->temporary = name;
        return SWIN2SR_OK;
    }
    swin2sr_status status = io_error(output->path, errno, reterr);
    if (fd >= 0) {
        close(fd);
        unlink(name);
    }
    free(name);
    return status;
}

swin2sr_status output_open(const char *path, bool may_replace, output_file *ret_output, swin2sr_error *reterr) {
    output_file output = {.path = path, .may_replace = may_replace};
    struct stat info;
    swin2sr_status status = SWIN2SR_OK;
    if (strcmp(path, "-") == 0) {
        output.file = stdout;
    } else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        output.file = fopen(path, "wbe");
        if (!output.file)
            return io_error(path, errno, reterr);
    } else if (!may_replace && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return exists_error(path, reterr);
    } else {
        status = open_temporary(&output, reterr);
    }
    if (status == SWIN2SR_OK)
        *ret_output = output;
    return status;
}

bool output_sink(void *context, const void *bytes, size_t size) {
    output_file *output = context;
    if (fwrite(bytes, 1, size, output->file) == size)
        return true;
    output->error = errno;
    return false;
}

/* Without may_replace a file that appeared meanwhile is kept (where the file system can promise it). */
static int rename_into_place(const output_file *output) {
    if (output->may_replace)
        return rename(output->temporary, output->path);
    int result = renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->path, RENAME_NOREPLACE);
    return result != 0 && errno == EINVAL ? rename(output->temporary, output->path) : result;
}

swin2sr_status output_commit(output_file *output, swin2sr_error *reterr) {
    if (fflush(output->file) != 0)
        return io_error(output->path, errno, reterr);
    if (!output->temporary)
        return SWIN2SR_OK;
    if (fsync(fileno(output->file)) != 0)
        return io_error(output->path, errno, reterr);
    if (rename_into_place(output) != 0)
        return errno == EEXIST ? exists_error(output->path, reterr) : io_error(output->path, errno, reterr);
    free(output->temporary);
    output->temporary = NULL;
    return SWIN2SR_OK;
}

void output_done(output_file *output) {
    if (output->file && output->file != stdout)
        fclose(output->file);
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    *output = (struct output_file){0};
}
