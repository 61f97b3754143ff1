/* SPDX-License-Identifier: Apache-2.0
 * store/io.c - one thread for calls that wait for the disk.
 * In: tasks from the loop.  Out: their completion, on the loop, by an eventfd.
 * The mutex is the only thing that both threads touch besides the lists it guards. */
#include "store/io.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void append(io_task **first, io_task **last, io_task *task) {
    task->next = NULL;
    *(*first ? &(*last)->next : first) = task;
    *last = task;
}

static io_task *take_first(io_task **first) {
    io_task *task = *first;
    if (task)
        *first = task->next;
    return task;
}

static void *run(void *context) {
    io_thread *self = context;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        io_task *task = take_first(&self->first);
        if (!task && self->is_ending)
            break;
        if (!task) {
            pthread_cond_wait(&self->wake, &self->lock);
            continue;
        }
        pthread_mutex_unlock(&self->lock);
        task->work(task);
        pthread_mutex_lock(&self->lock);
        append(&self->done_first, &self->done_last, task);
        eventfd_write(self->finished.fd, 1);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void complete_all(io_thread *self) {
    for (;;) {
        pthread_mutex_lock(&self->lock);
        io_task *task = take_first(&self->done_first);
        pthread_mutex_unlock(&self->lock);
        if (!task)
            return;
        self->count--;
        if (task->done)
            task->done(task);
    }
}

static void on_finished(void *context, uint32_t events) {
    io_thread *self = context;
    eventfd_t count;
    eventfd_read(self->finished.fd, &count);
    complete_all(self);
}

bool io_start(io_thread *self, event_loop *loop) {
    *self = (io_thread){.loop = loop,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .wake = PTHREAD_COND_INITIALIZER,
                        .finished.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    self->finished.on_ready = on_finished;
    self->finished.context = self;
    if (self->finished.fd < 0)
        return false;
    self->is_running =
        loop_watch_add(loop, &self->finished, EPOLLIN) && pthread_create(&self->thread, NULL, run, self) == 0;
    if (self->is_running)
        return true;
    loop_watch_remove(loop, &self->finished);
    close(self->finished.fd);
    return false;
}

void io_submit(io_thread *self, io_task *task) {
    if (!self->is_running) {
        task->work(task);
        if (task->done)
            task->done(task);
        return;
    }
    self->count++;
    pthread_mutex_lock(&self->lock);
    append(&self->first, &self->last, task);
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}

void io_stop(io_thread *self) {
    if (!self->is_running)
        return;
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    self->is_running = false; /* a task that `done` submits now is done at once */
    complete_all(self);
    loop_watch_remove(self->loop, &self->finished);
    close(self->finished.fd);
}

bool io_is_short(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}
