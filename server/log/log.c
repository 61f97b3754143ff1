/* SPDX-License-Identifier: Apache-2.0
 * log/log.c - JSON lines on a descriptor.
 * In: an event and its fields.  Out: one line, written in one call, or counted as dropped.
 * A pipe that polls as writable takes PIPE_BUF bytes without blocking, and no line is longer. */
#include "log/log.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "config/limits.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* RFC 3339, UTC, milliseconds. */
static void time_text(char *text, size_t size) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, size - used, ".%03ldZ", now.tv_nsec / 1000000);
}

static bool write_line(int fd, const char *line, size_t size) {
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return false;
    ssize_t written;
    do
        written = write(fd, line, size);
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)size;
}

static json_t *fields_of(const char *format, va_list values) {
    char pack[LIMIT_LOG_FORMAT_BYTES];
    json_error_t error;
    int length = snprintf(pack, sizeof pack, "{%s}", format);
    return length < (int)sizeof pack ? json_vpack_ex(&error, 0, pack, values) : NULL;
}

const char *log_level_name(log_level level) {
    return level_names[level];
}

void log_event(server_log *log, log_level level, const char *event, const char *format, ...) {
    log->event_counts[level]++;
    if (level < log->least)
        return;
    va_list values;
    va_start(values, format);
    json_t *fields = fields_of(format, values);
    va_end(values);
    char now[40], line[LIMIT_LOG_LINE_BYTES];
    time_text(now, sizeof now);
    json_t *object = json_pack("{s:s, s:s, s:s}", "time", now, "level", level_names[level], "event", event);
    if (object && fields)
        json_object_update_missing(object, fields);
    size_t size =
        object ? json_dumpb(object, line, sizeof line - 1, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6))
               : 0;
    if (size > 0 && size < sizeof line) {
        line[size++] = '\n';
        if (!write_line(log->fd, line, size))
            log->dropped_count++;
    } else {
        log->dropped_count++;
    }
    json_decref(object);
    json_decref(fields);
}
