/* SPDX-License-Identifier: Apache-2.0
 * log/log.h - events as JSON lines on stdout, one object per line.
 * If the reader stops reading, lines are dropped and counted, and the server goes on. Lines contain no image content,
 * file names or query strings. The JSON writer escapes text from clients. */
#pragma once

#include <stdint.h>

/* In the order of --log-level. */
typedef enum log_level {
    LOG_LEVEL_DEBUG = 0,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_COUNT
} log_level;

typedef struct server_log {
    int fd;
    log_level least;                        /* events below this level are not written */
    uint64_t event_counts[LOG_LEVEL_COUNT]; /* by level, written or not */
    uint64_t dropped_count;                 /* lines that were dropped */
} server_log;

/* "debug", "info", ... */
const char *log_level_name(log_level level);

/* Write {"time", "level", "event", ...} with the fields of a json_pack format such as "s:s, s:i": pairs of a name and a
 * value, where s is text, s? text or null, s* text that is left out if NULL, i int, I long long, b a boolean. */
void log_event(server_log *log, log_level level, const char *event, const char *format, ...);
