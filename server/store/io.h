/* SPDX-License-Identifier: Apache-2.0
 * store/io.h - one thread for calls that wait for the disk (fsync, rename), so that the event loop never does.
 * Tasks run one after the other, in the order in which they were submitted. Each task is embedded in the object that
 * it serves and must not move or be freed before its `done` is called. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "loop/loop.h"

typedef struct io_task io_task;
struct io_task {
    void (*work)(io_task *self); /* on the I/O thread; touches only what the loop leaves alone until `done` */
    void (*done)(io_task *self); /* on the loop's thread; may free the task or submit it again; NULL: nothing to do */
    io_task *next;
};

typedef struct io_thread {
    event_loop *loop; /* borrowed */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the next four */
    pthread_cond_t wake;
    io_task *first, *last; /* to do */
    io_task *done_first, *done_last;
    bool is_ending;
    loop_watch finished; /* an eventfd */
    size_t count;        /* submitted, and `done` not yet called; the loop's thread only */
    bool is_running;
} io_thread;

/* Start the thread. false, with errno set: the system gave no thread or no descriptor. self is not moved afterwards. */
bool io_start(io_thread *self, event_loop *loop);

/* Hand a task to the thread. If it was never started, the work is done and `done` is called before this returns. */
void io_submit(io_thread *self, io_task *task);

/* Finish every task that was submitted, and end the thread. A thread that was never started is fine. */
void io_stop(io_thread *self);

/* Is this errno of open or dup one that may pass: no free descriptor, or no memory now? */
bool io_is_short(int error);
