/* SPDX-License-Identifier: Apache-2.0
 * http/direct.c - a refusal that is written to the socket without the HTTP library (stage 9 of 9, respond).
 * In: a problem.  Out: a whole answer, after which the connection ends.
 * For requests that the library cannot answer: those whose header has used up the memory of their connection, and those
 * whose body arrives too slowly, because the library sends answers only before or after a body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/write.h"
#include "http/exchange.h"

/* Text, to be freed; NULL: out of memory. */
static char *whole_answer(const http_exchange *self, const problem *what) {
    char *body = problem_to_json(what, self->request.id), *text = NULL, date[40];
    size_t size = 0;
    FILE *out = body ? open_memstream(&text, &size) : NULL;
    if (!out) {
        free(body);
        return NULL;
    }
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    fprintf(out,
            "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            "Content-Length: %zu\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: %s\r\n"
            "\r\n%s",
            problem_code(what), MHD_get_reason_phrase_for((unsigned int)problem_code(what)), date, strlen(body),
            self->request.id, strcmp(self->request.method, "HEAD") == 0 ? "" : body);
    free(body);
    return swin2sr__text_end(out, &text);
}

void answer_directly(http_exchange *self, const problem *what) {
    char *text = whole_answer(self, what);
    size_t size = text ? strlen(text) : 0;
    if (size > 0 && send(self->owner->fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
        self->direct_code = (unsigned int)problem_code(what);
    free(text);
}
