/* SPDX-License-Identifier: Apache-2.0
 * loop/loop.c - epoll and a list of deadlines.
 * In: watches, timers.  Out: their callbacks, on the one thread.
 * epoll_wait returns one event at a time, so no event is delivered to a watch that an earlier callback has removed.
 * This costs little, because the HTTP library keeps its many sockets behind a single descriptor. */
#include "loop/loop.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

bool loop_init(event_loop *self) {
    self->timers = NULL;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return self->epoll_fd >= 0;
}

void loop_done(event_loop *self) {
    close(self->epoll_fd);
}

bool loop_watch_add(event_loop *self, loop_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->is_added = epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
    return watch->is_added;
}

void loop_watch_remove(event_loop *self, loop_watch *watch) {
    if (watch->is_added)
        epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->is_added = false;
}

void loop_timer_set(event_loop *self, loop_timer *timer, uint64_t due_us) {
    loop_timer_clear(self, timer);
    timer->due_us = due_us;
    timer->previous = NULL;
    timer->next = self->timers;
    if (self->timers)
        self->timers->previous = timer;
    self->timers = timer;
    timer->is_set = true;
}

void loop_timer_clear(event_loop *self, loop_timer *timer) {
    if (!timer->is_set)
        return;
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        self->timers = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    timer->is_set = false;
}

static loop_timer *first_due(const event_loop *self) {
    loop_timer *first = self->timers;
    for (loop_timer *timer = self->timers; timer; timer = timer->next)
        if (timer->due_us < first->due_us)
            first = timer;
    return first;
}

static int wait_ms(const event_loop *self, int64_t max_wait_ms) {
    const int64_t longest = 60000;
    int64_t wait = max_wait_ms < 0 || max_wait_ms > longest ? longest : max_wait_ms;
    const loop_timer *first = first_due(self);
    if (first) {
        uint64_t now = swin2sr__clock_us();
        int64_t until = first->due_us > now ? (int64_t)((first->due_us - now + 999) / 1000) : 0;
        if (until < wait)
            wait = until;
    }
    return (int)wait;
}

void loop_step(event_loop *self, int64_t max_wait_ms) {
    struct epoll_event event;
    if (epoll_wait(self->epoll_fd, &event, 1, wait_ms(self, max_wait_ms)) == 1) {
        loop_watch *watch = event.data.ptr;
        watch->on_ready(watch->context, event.events);
    }
    uint64_t now = swin2sr__clock_us();
    for (loop_timer *timer = first_due(self); timer && timer->due_us <= now; timer = first_due(self)) {
        loop_timer_clear(self, timer);
        timer->on_due(timer->context);
    }
}
