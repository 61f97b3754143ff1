/* SPDX-License-Identifier: Apache-2.0
 * cli/command/output.c - outputs, written through a buffer to a new file, or in place. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "output.h"

static swin2sr_status io_error(const char *path, int error, swin2sr_error *reterr) {
    return swin2sr__error_set_path(reterr, SWIN2SR_IO, path, "%s", strerror(error));
}

/* Create an empty file of this name in a hidden folder beside it, and remove both. Some file systems refuse a name that
 * is too long, or a character that they lack, only when a file is created. */
static bool is_name_possible(const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char *folder;
    if (asprintf(&folder, "%.*s.swin2sr-XXXXXX", (int)(base - path), path) < 0)
        return true;
    int place = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int fd = place < 0 ? -1 : openat(place, base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error = errno;
    bool is_possible = place < 0 || fd >= 0 || error == ENOENT; /* output_sweep has removed the folder meanwhile */
    if (fd >= 0) {
        close(fd);
        unlinkat(place, base, 0);
    }
    if (place >= 0)
        close(place);
    rmdir(folder); /* also after a failure: on a full disk fusefat may have created it */
    free(folder);
    errno = error;
    return is_possible;
}

static swin2sr_status open_whole(output_file *output, bool may_replace, swin2sr_error *reterr) {
    swin2sr_status status =
        swin2sr__new_file_open(output->path, may_replace ? NULL : OUTPUT_EXISTS, &output->whole, reterr);
    if (status != SWIN2SR_OK)
        return status;
    int fd = fcntl(output->whole.fd, F_DUPFD_CLOEXEC, 0);
    output->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (output->file && (access(output->path, F_OK) == 0 || is_name_possible(output->path)))
        return SWIN2SR_OK;
    status = io_error(output->path, errno, reterr);
    output_done(output);
    return status;
}

swin2sr_status output_open(const char *path, bool may_replace, output_file *ret_output, swin2sr_error *reterr) {
    output_file output = OUTPUT_NONE;
    output.path = path;
    struct stat info;
    swin2sr_status status = SWIN2SR_OK;
    if (strcmp(path, "-") == 0) {
        output.file = stdout;
    } else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        output.file = fopen(path, "wbe");
        if (!output.file)
            return io_error(path, errno, reterr);
    } else {
        status = open_whole(&output, may_replace, reterr);
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

/* Write what is buffered, and set the time; not yet to the disk. */
static swin2sr_status write_out(output_file *output, swin2sr_error *reterr) {
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, output->modified};
    if (!output->error && fflush(output->file) != 0)
        output->error = errno;
    if (output->error)
        return io_error(output->path, output->error, reterr);
    if (output->whole.temporary && output->modified.tv_nsec != UTIME_OMIT && futimens(output->whole.fd, times) != 0)
        output->time_error = errno;
    return SWIN2SR_OK;
}

swin2sr_status output_flush(output_file *output, swin2sr_error *reterr) {
    swin2sr_status status = write_out(output, reterr);
    if (status != SWIN2SR_OK || !output->whole.temporary || swin2sr__new_file_flush(output->whole.fd) == 0)
        return status;
    output->error = errno;
    return io_error(output->path, output->error, reterr);
}

swin2sr_status output_commit(output_file *output, swin2sr_error *reterr) {
    swin2sr_status status = write_out(output, reterr);
    if (status != SWIN2SR_OK || !output->whole.temporary)
        return status;
    status = swin2sr__new_file_commit(&output->whole, reterr);
    if (status != SWIN2SR_OK)
        output->error = errno; /* of its last call, which has failed */
    return status;
}

void output_done(output_file *output) {
    if (output->file && output->file != stdout)
        fclose(output->file);
    swin2sr__new_file_done(&output->whole);
    *output = OUTPUT_NONE;
}

/* Remove a folder that is_name_possible has left, which has one empty file at most. */
static void remove_trial(int folder, const char *name) {
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct stat info;
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) && info.st_size == 0)
            unlinkat(fd, entry->d_name, 0);
    if (entries)
        closedir(entries);
    unlinkat(folder, name, AT_REMOVEDIR); /* fails if something else is in it */
}

void output_sweep(const char *folder) {
    static const size_t PREFIX = sizeof(".swin2sr-") - 1;
    swin2sr__new_file_sweep(folder);
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (strncmp(entry->d_name, ".swin2sr-", PREFIX) == 0 && strlen(entry->d_name) == PREFIX + 6)
            remove_trial(dirfd(entries), entry->d_name);
    if (entries)
        closedir(entries);
}

bool output_exists(const char *path) {
    struct stat info;
    return strcmp(path, "-") != 0 && lstat(path, &info) == 0;
}

swin2sr_status output_make_parents(const char *path, swin2sr_error *reterr) {
    const char *slash = strrchr(path, '/');
    char *folder = strndup(path, slash ? (size_t)(slash - path) : 0);
    if (!folder)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    swin2sr_status status = folder[0] ? output_make_folder(folder, reterr) : SWIN2SR_OK;
    free(folder);
    return status;
}

swin2sr_status output_make_folder(const char *path, swin2sr_error *reterr) {
    struct stat info;
    char *part = strdup(path);
    if (!part)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    for (char *slash = part + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(part, 0777); /* the last one shows whether all of them exist */
    }
    int made = mkdir(part, 0777), error = errno;
    free(part);
    if (made == 0 || (stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
        return SWIN2SR_OK;
    return io_error(path, error, reterr);
}
