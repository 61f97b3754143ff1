/* SPDX-License-Identifier: Apache-2.0
 * loop/loop.h - the server's event loop: descriptors and deadlines, in one thread that waits nowhere else.
 * Watches and timers are embedded in the objects that they serve. A callback may add, set and remove any of them,
 * including its own, because one step delivers one event. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct loop_watch {
    int fd;
    void (*on_ready)(void *context, uint32_t events); /* EPOLL bits */
    void *context;
    bool is_added;
} loop_watch;

typedef struct loop_timer {
    uint64_t due_us; /* swin2sr__clock_us */
    void (*on_due)(void *context);
    void *context;
    bool is_set;
    struct loop_timer *previous, *next;
} loop_timer;

typedef struct event_loop {
    int epoll_fd;
    loop_timer *timers; /* unordered: there are as many as requests in flight and workers, some dozens */
} event_loop;

/* false: epoll_create1 failed. */
bool loop_init(event_loop *self);
void loop_done(event_loop *self);

/* false: the system refused; the watch is not added. */
bool loop_watch_add(event_loop *self, loop_watch *watch, uint32_t events);
void loop_watch_remove(event_loop *self, loop_watch *watch); /* before its descriptor is closed */

void loop_timer_set(event_loop *self, loop_timer *timer, uint64_t due_us); /* also if it is set */
void loop_timer_clear(event_loop *self, loop_timer *timer);                /* also if it is not set */

/* Wait for one event or deadline, at most max_wait_ms (-1: no limit), and call its callback. */
void loop_step(event_loop *self, int64_t max_wait_ms);
