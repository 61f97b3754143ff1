/* SPDX-License-Identifier: Apache-2.0
 * http/stream.c - answers that are produced while they are sent (stage 9 of 9, respond).
 * In: a route's function that writes what is available.  Out: a chunked answer.
 * A stream with nothing to send is parked: the library suspends its connection, and the loop watches the socket for a
 * hang-up, until the route wakes it. A waiting stream thus takes no steps of the loop and no buffer. */
#include "base/clock.h"
#include "http/exchange.h"

#define STREAM_BLOCK_BYTES 1024 /* the largest piece that a route writes in one call */

static ssize_t on_read(void *context, uint64_t position, char *buffer, size_t size) {
    http_exchange *self = context;
    if (self->is_gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    ssize_t written = self->server->is_draining ? -1 : self->pull(&self->request, buffer, size);
    self->sent_us = swin2sr__clock_us(); /* the time limit of the client starts again */
    if (written < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return written > 0 || hang_up_park(self) ? written : MHD_CONTENT_READER_END_WITH_ERROR;
}

struct MHD_Response *stream_response(http_exchange *self, http_pull pull) {
    self->pull = pull;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, on_read, self, NULL);
}

void http_stream_wake(http_request *request) {
    hang_up_release(exchange_of(request));
}
