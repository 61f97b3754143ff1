/* SPDX-License-Identifier: Apache-2.0
 * cli/model/download.c - one HTTP transfer with libcurl: resume, limits, progress, and errors that say what to do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/new_file.h"
#include "base/write.h"
#include "libcurl/libcurl.h"
#include "command/interrupt.h"
#include "command/progress.h"
#include "command/report.h"
#include "download.h"

#define MAX_FIELD 512 /* bytes of a header value, zero included */
#define MAX_URL 2048
#define MAX_PATH 4200
#define MAX_REDIRECTS 10
#define STALL_BYTES_PER_S 1024
#define LOCK_PAUSE_NS 100000000L

/* The file and the version to which the bytes of PART, or of an answer, belong. */
typedef struct version {
    char url[MAX_URL];
    char mark[MAX_FIELD]; /* strong ETag or Last-Modified; "": none, so it cannot be resumed */
    int64_t bytes;        /* of the whole file; -1: unknown */
} version;

typedef struct transfer {
    const curl_api *api;
    CURL *curl;
    download *wanted;
    version have;      /* the version of the bytes in PART */
    uint64_t offset;   /* the first byte that is requested */
    uint64_t position; /* bytes in PART */
    bool is_started;   /* the header of the answer has been checked */
    bool must_restart; /* the answer does not continue what PART holds */
    swin2sr_status status;
    swin2sr_error error; /* why a callback stopped the transfer */
    /* header fields of the last answer, not of redirects before it */
    char etag[MAX_FIELD], modified[MAX_FIELD], range[MAX_FIELD], type[MAX_FIELD];
    progress_line progress;
    char detail[CURL_ERROR_SIZE];
} transfer;

/* ---- PART and PART.from ---- */

/* The path of PART.from, or "" if it is too long. */
static const char *from_path(const download *self, char path[MAX_PATH]) {
    int length = snprintf(path, MAX_PATH, "%s" DOWNLOAD_FROM_ENDING, self->part_path);
    return length > 0 && length < MAX_PATH ? path : "";
}

/* Open PART.from for reading, or replace it by an empty file. A symbolic link of that name is not followed. */
static FILE *open_from(const download *self, bool is_new) {
    char path[MAX_PATH];
    if (is_new)
        unlink(from_path(self, path));
    int fd = open(from_path(self, path),
                  (is_new ? O_WRONLY | O_CREAT | O_EXCL : O_RDONLY | O_NONBLOCK) | O_NOFOLLOW | O_CLOEXEC, 0666);
    return fd < 0 ? NULL : fdopen(fd, is_new ? "w" : "r");
}

static bool read_line(FILE *file, char *line, size_t size) {
    if (!fgets(line, (int)size, file) || !strchr(line, '\n'))
        return false;
    *strchr(line, '\n') = '\0';
    return true;
}

/* The version of the bytes in PART, with an empty mark if that is not certain. */
static version read_version(const download *self) {
    char bytes[32];
    version found = {.bytes = -1};
    FILE *file = open_from(self, false);
    bool is_whole = file && read_line(file, found.url, sizeof(found.url)) &&
                    read_line(file, found.mark, sizeof(found.mark)) && read_line(file, bytes, sizeof(bytes));
    if (file)
        fclose(file);
    if (!is_whole || strcmp(found.url, self->url) != 0)
        return (version){.bytes = -1};
    found.bytes = strtoll(bytes, NULL, 10);
    return found;
}

static bool write_version(const download *self, const version *now) {
    FILE *file = open_from(self, true);
    if (!file)
        return false;
    bool is_ok = fprintf(file, "%s\n%s\n%lld\n", now->url, now->mark, (long long)now->bytes) > 0;
    return fclose(file) == 0 && is_ok;
}

/* True if path still names the file behind fd: another program may have removed it before fd was locked. */
static bool is_current(int fd, const char *path) {
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* Polls, because a signal that arrives just before a blocking call would not interrupt it. */
static swin2sr_status lock_wait(const download *self, int fd, swin2sr_error *reterr) {
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (bool was_told = self->is_quiet; flock(fd, LOCK_EX | LOCK_NB) != 0; was_told = true) {
        if (errno == ENOSYS || errno == EOPNOTSUPP) /* no locks on this file system */
            break;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return swin2sr__error_set_path(reterr, SWIN2SR_IO, self->part_path, "cannot be locked: %s",
                                           strerror(errno));
        if (interrupt_signal())
            return swin2sr__error_set(reterr, SWIN2SR_CANCELLED, "interrupted");
        if (!was_told)
            report_note(NULL, "another swin2sr is fetching this model; waiting until it ends");
        nanosleep(&pause, NULL);
    }
    return SWIN2SR_OK;
}

swin2sr_status download_open(download *self, swin2sr_error *reterr) {
    for (;;) {
        int fd = open(self->part_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0)
            return swin2sr__error_set_errno(reterr, self->part_path);
        swin2sr_status status = lock_wait(self, fd, reterr);
        if (status == SWIN2SR_OK && is_current(fd, self->part_path)) {
            self->fd = fd;
            return SWIN2SR_OK;
        }
        close(fd);
        if (status != SWIN2SR_OK)
            return status;
    }
}

void download_discard(download *self) {
    char path[MAX_PATH];
    unlink(from_path(self, path));
    unlink(self->part_path);
}

void download_close(download *self) {
    struct stat facts;
    if (self->fd >= 0 && is_current(self->fd, self->part_path) && fstat(self->fd, &facts) == 0 && facts.st_size == 0)
        download_discard(self);
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

/* ---- the answer ---- */

/* Keep the value of one header field; one that is too long is ignored. */
static void take_header(const char *line, size_t length, const char *name, char value[MAX_FIELD]) {
    size_t at = strlen(name);
    if (length <= at || strncasecmp(line, name, at) != 0)
        return;
    while (at < length && (line[at] == ' ' || line[at] == '\t'))
        at++;
    while (length > at && strchr("\r\n \t", line[length - 1]))
        length--;
    if (length - at < MAX_FIELD && !memchr(line + at, '\0', length - at))
        snprintf(value, MAX_FIELD, "%.*s", (int)(length - at), line + at);
}

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    transfer *self = context;
    size_t length = size * count;
    if (length >= 5 && strncmp(line, "HTTP/", 5) == 0)
        self->etag[0] = self->modified[0] = self->range[0] = self->type[0] = '\0';
    take_header(line, length, "etag:", self->etag);
    take_header(line, length, "last-modified:", self->modified);
    take_header(line, length, "content-range:", self->range);
    take_header(line, length, "content-type:", self->type);
    return length;
}

static size_t stop(transfer *self, swin2sr_status status, const char *text) {
    self->status = swin2sr__error_set(&self->error, status, "%s", text);
    return 0;
}

static version answered_version(const transfer *self, int64_t bytes) {
    bool is_strong = self->etag[0] == '"';
    version now = {.bytes = bytes};
    snprintf(now.url, sizeof(now.url), "%s", self->wanted->url);
    snprintf(now.mark, sizeof(now.mark), "%s", is_strong ? self->etag : self->modified);
    return now;
}

/* True if an answer with code 206 begins exactly where PART ends and is of the same version. */
static bool continues(const transfer *self, const version *now) {
    unsigned long long from, last;
    if (sscanf(self->range, "bytes %llu-%llu/", &from, &last) != 2 || from != self->offset || last < from)
        return false;
    bool is_same_mark = !now->mark[0] || strcmp(now->mark, self->have.mark) == 0;
    return is_same_mark && now->bytes == self->have.bytes;
}

/* The length of the whole file according to the Content-Range field; -1: not stated. */
static int64_t total_of_range(const char *range) {
    const char *slash = strchr(range, '/');
    return slash && slash[1] >= '0' && slash[1] <= '9' ? strtoll(slash + 1, NULL, 10) : -1;
}

/* Check the header of the answer before the first byte of its body is kept. */
static bool start(transfer *self) {
    long code = 0;
    curl_off_t length = -1;
    self->is_started = true;
    self->api->easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &code);
    self->api->easy_getinfo(self->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (strncasecmp(self->type, "text/", 5) == 0)
        return stop(self, SWIN2SR_MODEL, "the server sent text, not a model; check the address");
    version now = answered_version(self, code == 206 ? total_of_range(self->range) : length);
    if (now.bytes >= 0 && (uint64_t)now.bytes > self->wanted->max_bytes)
        return stop(self, SWIN2SR_TOO_LARGE, "the file is larger than --max-mib allows");
    if (code == 206 && self->offset > 0 && continues(self, &now))
        return true;
    self->must_restart = code != 200;
    self->position = 0;
    self->have = now;
    if (self->must_restart)
        return false;
    if (ftruncate(self->wanted->fd, 0) != 0 || !write_version(self->wanted, &now))
        return stop(self, SWIN2SR_IO, strerror(errno));
    return true;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    transfer *self = context;
    size_t length = size * count;
    if (!self->is_started && !start(self))
        return 0;
    if (self->position + length > self->wanted->max_bytes)
        return stop(self, SWIN2SR_TOO_LARGE, "the file is larger than --max-mib allows");
    size_t written = swin2sr__write_at(self->wanted->fd, data, length, self->position);
    self->position += written;
    if (written < length)
        self->status = swin2sr__error_set_path(&self->error, SWIN2SR_IO, self->wanted->part_path,
                                               "%s; run the command again to resume", strerror(errno));
    return written;
}

static int on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
    transfer *self = context;
    if (self->have.bytes > 0 && self->is_started)
        progress_update(&self->progress, (double)self->position / (double)self->have.bytes);
    return interrupt_signal() != 0;
}

/* ---- one request ---- */

static void set_options(transfer *self, struct curl_slist *headers) {
    const curl_api *api = self->api;
    CURL *curl = self->curl;
    bool is_https = strncasecmp(self->wanted->url, "https:", 6) == 0;
    curl_prepare(
        api, curl, self->wanted->url, headers, self->detail,
        &(curl_taker){.on_header = on_header, .on_body = on_body, .on_progress = on_progress, .context = self});
    api->easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
    api->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    api->easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    api->easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    api->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)self->wanted->stall_s);
    api->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
    api->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)self->wanted->stall_s);
}

/* Request the file from self->offset on. */
static swin2sr_status request(transfer *self, CURLcode *ret_code, swin2sr_error *reterr) {
    char range[32], condition[MAX_FIELD + 16];
    struct curl_slist *headers = NULL;
    self->curl = self->api->easy_init();
    snprintf(condition, sizeof(condition), "If-Range: %s", self->have.mark);
    if (self->offset > 0)
        headers = self->api->slist_append(NULL, condition);
    if (!self->curl || (self->offset > 0 && !headers)) {
        self->api->easy_cleanup(self->curl);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    }
    set_options(self, headers);
    snprintf(range, sizeof(range), "%llu-", (unsigned long long)self->offset);
    if (self->offset > 0)
        self->api->easy_setopt(self->curl, CURLOPT_RANGE, range);
    progress_init(&self->progress, !self->wanted->is_quiet, 1, 1, 0);
    *ret_code = self->api->easy_perform(self->curl);
    progress_done(&self->progress);
    self->api->slist_free_all(headers);
    return SWIN2SR_OK;
}

/* ---- what went wrong ---- */

static swin2sr_status http_error(long code, swin2sr_error *reterr) {
    const char *hint = code == 404 || code == 410   ? "there is no such file; check the address"
                       : code == 401 || code == 403 ? "this file is not public"
                       : code == 407                ? "the proxy needs a user and a password"
                       : code == 429 || code >= 500 ? "the server is overloaded or broken; try again later"
                                                    : "the answer is not a file";
    return swin2sr__error_set(reterr, SWIN2SR_IO, "the server answered %ld: %s", code, hint);
}

static const char *hint_of(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return "check the address, the connection, and whether a proxy is needed (https_proxy)";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "the proxy's address comes from https_proxy, http_proxy or all_proxy";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return "install ca-certificates, or name other authorities in SSL_CERT_FILE";
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "only http and https are allowed, and no redirect from https to http";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2_STREAM:
        return "run the command again to resume";
    default:
        return "run the command again to retry";
    }
}

static swin2sr_status explain(const transfer *self, CURLcode code, swin2sr_error *reterr) {
    long http = 0;
    if (interrupt_signal())
        return swin2sr__error_set(reterr, SWIN2SR_CANCELLED, "interrupted; run the command again to resume");
    if (self->status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, self->status, "%s", self->error.text);
    self->api->easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &http);
    if (code == CURLE_HTTP_RETURNED_ERROR && http == 0) { /* the proxy refused the tunnel */
        self->api->easy_getinfo(self->curl, CURLINFO_HTTP_CONNECTCODE, &http);
        return swin2sr__error_set(reterr, SWIN2SR_IO, "the proxy answered %ld; check https_proxy", http);
    }
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return http_error(http, reterr);
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "more than %d redirects", MAX_REDIRECTS);
    if (code == CURLE_OK)
        return self->position > 0 ? SWIN2SR_OK : http_error(http, reterr);
    const char *detail = self->detail[0] ? self->detail : self->api->easy_strerror(code);
    return swin2sr__error_set(reterr, SWIN2SR_IO, "%.120s; %s", detail, hint_of(code));
}

/* One request. A 416, or an answer that does not continue PART, sets must_restart: request the whole file then. */
static swin2sr_status attempt(transfer *self, swin2sr_error *reterr) {
    CURLcode code = CURLE_OK;
    long http = 0;
    self->position = self->offset;
    self->is_started = self->must_restart = false;
    swin2sr_status status = request(self, &code, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->api->easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &http);
    self->must_restart |= http == 416;
    if (self->must_restart && self->offset == 0)
        status = http_error(http, reterr);
    else if (!self->must_restart)
        status = explain(self, code, reterr);
    self->api->easy_cleanup(self->curl);
    return status;
}

swin2sr_status download_fetch(download *self, swin2sr_error *reterr) {
    curl_api api;
    struct stat facts;
    swin2sr_status status = curl_api_load(&api, reterr);
    if (status != SWIN2SR_OK)
        return status;
    transfer now = {.api = &api, .wanted = self, .have = read_version(self)};
    if (strlen(self->url) >= MAX_URL || fstat(self->fd, &facts) != 0)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "the address has more than %d bytes, or the disk fails",
                                  MAX_URL - 1);
    now.offset = now.have.mark[0] ? (uint64_t)facts.st_size : 0;
    status = attempt(&now, reterr);
    if (status == SWIN2SR_OK && now.must_restart) {
        now.offset = 0;
        status = attempt(&now, reterr);
    }
    if (status != SWIN2SR_OK)
        return status;
    if (now.have.bytes >= 0 && now.position != (uint64_t)now.have.bytes)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "the file ended early; run the command again to resume");
    if (swin2sr__new_file_flush(self->fd) != 0)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "%s", strerror(errno));
    return SWIN2SR_OK;
}
