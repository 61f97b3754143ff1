/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/pool/test_worker.c - a worker that never stops sending does not block the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/limits.h"
#include "pool/worker.h"

#define ENOUGH (3 * LIMIT_MESSAGES)

typedef struct flood {
    int sender, count;
} flood;

static void say(const flood *self) {
    ipc_message message = {.type = IPC_PROGRESS, .progress.id = 1};
    assert_int_equal(ipc_send(self->sender, &message, NULL, 0), SWIN2SR_OK);
}

/* For each message that is read, send another one, up to a number that the server must not reach. */
static void on_message(void *context, worker *self, const ipc_message *message) {
    flood *talk = context;
    if (++talk->count < ENOUGH)
        say(talk);
}

static void endless_talk_is_taken_in_turns(void **state) {
    int pair[2];
    event_loop loop;
    worker one;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    flood talk = {.sender = pair[1]};
    worker_handler handler = {.on_message = on_message, .context = &talk};
    assert_true(loop_init(&loop));
    worker_init(&one, &loop, &handler);
    one.messages.fd = one.socket = pair[0];
    assert_true(loop_watch_add(&loop, &one.messages, EPOLLIN));

    say(&talk);
    loop_step(&loop, 0);
    assert_int_equal(talk.count, LIMIT_MESSAGES);
    loop_step(&loop, 0);
    assert_int_equal(talk.count, 2 * LIMIT_MESSAGES);

    loop_watch_remove(&loop, &one.messages);
    loop_done(&loop);
    close(pair[0]);
    close(pair[1]);
}

/* A socket holds fewer than LIMIT_MESSAGES, so all messages that a worker sent before its end are handled. */
static void a_socket_holds_less(void **state) {
    int pair[2], held = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ipc_message message = {.type = IPC_PROGRESS, .progress.id = 1};
    while (held <= LIMIT_MESSAGES && ipc_send(pair[1], &message, NULL, MSG_DONTWAIT) == SWIN2SR_OK)
        held++;
    assert_in_range(held, 1, LIMIT_MESSAGES - 1);
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_talk_is_taken_in_turns),
        cmocka_unit_test(a_socket_holds_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
