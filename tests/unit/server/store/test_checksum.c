/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/test_checksum.c - checksums of files, at once and in slices beside other tasks. */
#include "store/checksum.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sha256.h"

#define BYTES (20u << 20) /* three slices */

typedef struct fixture {
    event_loop loop;
    io_thread io;
    int fd;
    char expected[CHECKSUM_HEX_BYTES];
    checksum *running;

    int calls;
    swin2sr_status status;
    char sha256[CHECKSUM_HEX_BYTES];
} fixture;

static int set_up(void **state) {
    fixture *self = calloc(1, sizeof *self);
    char *bytes = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * i >> 7);
    self->fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_int_equal(write(self->fd, bytes, BYTES), BYTES);
    swin2sr__sha256_hex(bytes, BYTES, self->expected);
    free(bytes);
    assert_true(loop_init(&self->loop) && io_start(&self->io, &self->loop));
    *state = self;
    return 0;
}

static int tear_down(void **state) {
    fixture *self = *state;
    io_stop(&self->io);
    assert_null(self->running);
    loop_done(&self->loop);
    close(self->fd);
    free(self);
    return 0;
}

static void on_done(void *context, swin2sr_status status, const char *sha256) {
    fixture *self = context;
    assert_null(self->running);
    self->calls++;
    self->status = status;
    strcpy(self->sha256, sha256);
}

static void run(fixture *self) {
    while (self->io.count > 0)
        loop_step(&self->loop, -1);
}

static void slices_are_one_checksum(void **state) {
    fixture *self = *state;
    assert_int_equal(checksum_start(&self->io, self->fd, BYTES, on_done, self, &self->running), SWIN2SR_OK);
    assert_non_null(self->running);
    run(self);
    assert_int_equal(self->calls, 1);
    assert_int_equal(self->status, SWIN2SR_OK);
    assert_string_equal(self->sha256, self->expected);
    char at_once[CHECKSUM_HEX_BYTES];
    assert_int_equal(checksum_of(self->fd, BYTES, at_once), SWIN2SR_OK);
    assert_string_equal(at_once, self->expected);
}

static void a_changed_bit_is_found(void **state) {
    fixture *self = *state;
    char byte;
    assert_int_equal(pread(self->fd, &byte, 1, BYTES - 1), 1);
    byte ^= 1;
    assert_int_equal(pwrite(self->fd, &byte, 1, BYTES - 1), 1);
    assert_int_equal(checksum_start(&self->io, self->fd, BYTES, on_done, self, &self->running), SWIN2SR_OK);
    run(self);
    assert_int_equal(self->status, SWIN2SR_OK);
    assert_string_not_equal(self->sha256, self->expected);
}

static void another_size_is_an_error(void **state) {
    fixture *self = *state;
    char sha256[CHECKSUM_HEX_BYTES];
    for (int i = 0; i < 2; i++) {
        uint64_t size = i ? BYTES - 1 : BYTES + 1;
        assert_int_equal(checksum_start(&self->io, self->fd, size, on_done, self, &self->running), SWIN2SR_OK);
        run(self);
        assert_int_equal(self->status, SWIN2SR_IO);
        assert_int_equal(checksum_of(self->fd, size, sha256), SWIN2SR_IO);
    }
    assert_int_equal(self->calls, 2);
    assert_int_equal(checksum_start(&self->io, -1, 1, on_done, self, &self->running), SWIN2SR_IO);
    assert_null(self->running);
    assert_int_equal(self->calls, 2);
}

static void what_is_cancelled_is_not_told(void **state) {
    fixture *self = *state;
    assert_int_equal(checksum_start(&self->io, self->fd, BYTES, on_done, self, &self->running), SWIN2SR_OK);
    checksum_cancel(&self->running);
    assert_null(self->running);
    checksum_cancel(&self->running);
    run(self);
    assert_int_equal(self->calls, 0);
}

/* The end of the server completes what was begun. */
static void the_end_of_the_thread_completes_it(void **state) {
    fixture *self = *state;
    assert_int_equal(checksum_start(&self->io, self->fd, BYTES, on_done, self, &self->running), SWIN2SR_OK);
    io_stop(&self->io);
    assert_string_equal(self->sha256, self->expected);
    assert_int_equal(checksum_start(&self->io, self->fd, BYTES, on_done, self, &self->running), SWIN2SR_OK);
    assert_int_equal(self->calls, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(slices_are_one_checksum),
        TEST(a_changed_bit_is_found),
        TEST(another_size_is_an_error),
        TEST(what_is_cancelled_is_not_told),
        TEST(the_end_of_the_thread_completes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
