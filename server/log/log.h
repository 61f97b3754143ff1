/* SPDX-License-Identifier: Apache-2.0
 * log/log.h - what happens, as JSON lines: one object a line, on stdout.
 * A reader that stopped reading never stops the server: such lines are dropped and counted. No image content, no
 * file names, no query strings; text from outside is escaped by the JSON writer. */
#ifndef SWIN2SR_SERVER_LOG_H
#define SWIN2SR_SERVER_LOG_H

#include <stdint.h>

typedef struct server_log {
    int fd;
    uint64_t dropped_count; /* lines that found no room */
} server_log;

typedef enum log_level {
    LOG_LEVEL_INFO = 0,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
} log_level;

/* Write {"time", "level", "event", ...} with the fields of the format, such as "s:s, s:i": pairs of a name and a value,
 * which is s text (s++ three pieces of one), s? text or null, s* text or left out where NULL, i int, I long long, b int as true or false. */
void log_event(server_log *log, log_level level, const char *event, const char *format, ...);

#endif
