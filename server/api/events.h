/* SPDX-License-Identifier: Apache-2.0
 * api/events.h - GET /v1/jobs/{id}/events: a job's progress as server-sent events (stage 9 of 9, respond). */
#pragma once

#include "loop/loop.h"

typedef struct event_stream event_stream;

/* All open streams. One timer sends a comment to each that has been silent, so that proxies keep them open. */
typedef struct event_hub {
    event_stream *first;
    event_loop *loop; /* borrowed */
    loop_timer beat;
} event_hub;

void event_hub_init(event_hub *self, event_loop *loop);
void event_hub_done(event_hub *self); /* after http_stop; not initialised is fine */
