/* SPDX-License-Identifier: Apache-2.0
 * queue/queue.h - hints to the servers of a cluster that a job waits (stage 3 of 9, dispatch).
 * A hint is the id of a job. It is stored by NATS JetStream, given to one server that wants one, and given to another
 * if that server neither settles it nor shows that it is at work. Hints may be lost, come twice and come late: the jobs
 * themselves are in the shared store. News of jobs go to all servers, and are not stored.
 * Functions are called on the loop's thread and never wait; so are the callbacks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"
#include <swin2sr/status.h>

#define QUEUE_CHANGED UINT32_MAX /* news: the state of the job has changed */

typedef struct queue queue;

typedef struct queue_events {
    void (*on_hint)(void *context, const char *id); /* a job may wait; queue_settle is due */
    void (*on_lost)(void *context, const char *id); /* the hint of queue_put could not be stored */
    void (*on_news)(void *context, const char *id, uint32_t millionths);
    void *context;
} queue_events;

/* Load libnats, and begin to connect, for as long as it takes.
 * servers   "nats://HOST:PORT,...", with the user's name and password in it if there are any. Borrowed.
 * name      Of this process, for the logs of the servers. Borrowed.
 * replicas  Of the stream, if it is made now.
 * wait_us   After which a hint that a server neither settles nor works on is given to another.
 * errors    _UNSUPPORTED (libnats is not installed, or not in this build), _INVALID (servers), _NOMEM. */
typedef struct queue_settings {
    const char *servers, *name;
    int32_t replicas;
    uint64_t wait_us;
    event_loop *loop;
    queue_events events;
} queue_settings;
SWIN2SR_MUST_CHECK swin2sr_status queue_open(const queue_settings *settings, queue **ret_queue, swin2sr_error *reterr);
void queue_close(queue *self); /* NULL is fine. Hints that are not settled go to others. */

/* true: hints can be put and taken now, as far as is known. */
bool queue_is_working(const queue *self);

/* Store a hint. Of those of one attempt, put within two minutes, one is stored. */
void queue_put(queue *self, const char *id, uint32_t attempt);

/* How many hints this server would take now, beside those that it has not settled. */
void queue_want(queue *self, size_t count);

/* This server is through with a hint. None of this id is fine.
 * is_over  false: another server may have it at once. */
void queue_settle(queue *self, const char *id, bool is_over);

/* Tell all servers, this one included, if there is room to. */
void queue_tell(queue *self, const char *id, uint32_t millionths);
