/* SPDX-License-Identifier: Apache-2.0
 * s3/credentials.c - keys from a file or from the environment.
 * In: "[default]" and lines of "name = value".  Out: keys, which are erased from memory after their use. */
#include "s3/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "config/limits.h"

#define BLANKS " \t\r"

static char *trimmed(char *text) {
    text += strspn(text, BLANKS);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* Copy a value that can be part of a header.  false: it cannot, or is too long. */
static bool copy(char *target, size_t size, const char *value) {
    size_t length = strlen(value);
    for (size_t i = 0; i < length; i++)
        if (value[i] <= ' ' || value[i] > '~')
            return false;
    if (length >= size)
        return false;
    memcpy(target, value, length + 1);
    return true;
}

static bool is_whole(const s3_keys *keys) {
    return keys->access[0] && keys->secret[0];
}

static bool take_line(char *line, s3_keys *keys) {
    char *value = line;
    const char *name = trimmed(strsep(&value, "="));
    if (!value)
        return true;
    value = trimmed(value);
    if (strcmp(name, "aws_access_key_id") == 0)
        return copy(keys->access, sizeof keys->access, value);
    if (strcmp(name, "aws_secret_access_key") == 0)
        return copy(keys->secret, sizeof keys->secret, value);
    return strcmp(name, "aws_session_token") != 0 || copy(keys->token, sizeof keys->token, value);
}

bool s3_keys_parse(char *text, s3_keys *ret_keys) {
    s3_keys keys = {.access = ""};
    bool is_read = true, is_valid = true, has_sections = strstr(text, "[default]");
    for (char *rest = text; rest && is_valid;) {
        char *line = trimmed(strsep(&rest, "\n"));
        if (line[0] == '[')
            is_read = !has_sections || strcmp(line, "[default]") == 0;
        else if (is_read && line[0] && !strchr("#;", line[0]))
            is_valid = take_line(line, &keys);
    }
    is_valid = is_valid && is_whole(&keys);
    if (is_valid)
        *ret_keys = keys;
    explicit_bzero(&keys, sizeof keys);
    return is_valid;
}

/* ---- the file ---- */

static bool is_same(const s3_credentials *self, const struct stat *now) {
    return now->st_ino == self->inode && now->st_size == self->bytes && now->st_mtim.tv_sec == self->modified.tv_sec &&
           now->st_mtim.tv_nsec == self->modified.tv_nsec && now->st_ctim.tv_sec == self->changed.tv_sec &&
           now->st_ctim.tv_nsec == self->changed.tv_nsec;
}

/* Read the file from its beginning.  errors _IO with errno set, _INVALID (it has no keys). */
static swin2sr_status read_keys(int fd, s3_keys *ret_keys) {
    char text[LIMIT_S3_CREDENTIALS_BYTES];
    size_t length = 0;
    ssize_t size = 0;
    while (length < sizeof text - 1 && (size = pread(fd, text + length, sizeof text - 1 - length, (off_t)length)) > 0)
        length += (size_t)size;
    text[length] = '\0';
    swin2sr_status status = size < 0                                             ? SWIN2SR_IO
                            : length < sizeof text - 1 && strlen(text) == length ? SWIN2SR_OK
                                                                                 : SWIN2SR_INVALID;
    if (status == SWIN2SR_OK && !s3_keys_parse(text, ret_keys))
        status = SWIN2SR_INVALID;
    explicit_bzero(text, sizeof text);
    return status;
}

/* Read the file if it is another one than before. The properties are those before it is read, so that a change in the
 * meantime shows.  errors as read_keys. */
static swin2sr_status refresh(s3_credentials *self) {
    struct stat info;
    int fd = open(self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return SWIN2SR_IO;
    swin2sr_status status = fstat(fd, &info) == 0 ? SWIN2SR_OK : SWIN2SR_IO;
    if (status == SWIN2SR_OK && !is_same(self, &info)) {
        status = read_keys(fd, &self->keys);
        self->inode = info.st_ino;
        self->bytes = info.st_size;
        self->modified = info.st_mtim;
        self->changed = info.st_ctim;
    }
    int error = errno;
    close(fd);
    errno = error;
    return status;
}

/* ---- the environment ---- */

static bool take_variable(const char *name, char *target, size_t size) {
    const char *value = getenv(name);
    return !value || copy(target, size, value);
}

static swin2sr_status read_environment(s3_keys *keys, swin2sr_error *reterr) {
    if (take_variable("AWS_ACCESS_KEY_ID", keys->access, sizeof keys->access) &&
        take_variable("AWS_SECRET_ACCESS_KEY", keys->secret, sizeof keys->secret) &&
        take_variable("AWS_SESSION_TOKEN", keys->token, sizeof keys->token) && is_whole(keys))
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                              "the store needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give a file "
                              "with --s3-credentials");
}

swin2sr_status s3_credentials_open(s3_credentials *self, const char *path, swin2sr_error *reterr) {
    *self = (s3_credentials){.path = path, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!path)
        return read_environment(&self->keys, reterr);
    swin2sr_status status = refresh(self);
    if (status == SWIN2SR_IO)
        return swin2sr__error_set_errno(reterr, path);
    if (status == SWIN2SR_INVALID)
        return swin2sr__error_set_path(reterr, status, path,
                                       "must be a text of at most %d bytes with the lines aws_access_key_id = KEY and "
                                       "aws_secret_access_key = SECRET",
                                       LIMIT_S3_CREDENTIALS_BYTES - 2);
    return status;
}

void s3_credentials_close(s3_credentials *self) {
    explicit_bzero(&self->keys, sizeof self->keys);
    pthread_mutex_destroy(&self->lock);
}

void s3_credentials_take(s3_credentials *self, s3_keys *ret_keys) {
    pthread_mutex_lock(&self->lock);
    if (self->path)
        (void)refresh(self);
    *ret_keys = self->keys;
    pthread_mutex_unlock(&self->lock);
}
