/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/ipc/test_ipc.c - frames: every message there and back, every cut and range refused, descriptors passed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/choice.h"
#include "format/compression.h"
#include "format/format.h"

#include "format/metadata.h"
#include "format/note.h"
#include "ipc/ipc.h"

static const ipc_message samples[] = {
    {.type = IPC_READY,
     .ready = {.license = "a-licence",
               .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
               .kernels = "avx512",
               .kernels_note = "AMX is not used",
               .precision = "fp32",
               .device = "NVIDIA L4",
               .driver = "NVIDIA 550.54.14",
               .scale = 4,
               .parameters = 1000000,
               .memory_bytes = UINT64_MAX,
               .sandbox = "seccomp landlock-7",
               .check = "golden",
               .us_per_megapixel = 1,
               .base_bytes = IPC_COST_MAX,
               .column_bytes = 96000}},
    {.type = IPC_JOB,
     .job = {.id = 7,
             .format = FORMAT_JPEG,
             .quality = 100,
             .compression = FORMAT_COMPRESSION_BEST,
             .metadata = FORMAT_METADATA_ALL,
             .target = {.scale_milli = TARGET_SCALE_MAX, .plain_parts = TARGET_PARTS_ONE},
             .in_bytes = 12345678901,
             .in_pixels_max = 50000000,
             .out_pixels_max = 800000000,
             .undamaged = IPC_NETWORKS_MAX,
             .frames_max = 500,
             .is_strict = 1}},
    {.type = IPC_PROGRESS, .progress = {.id = UINT64_MAX, .millionths = IPC_PROGRESS_DONE}},
    {.type = IPC_DONE,
     .done = {.id = 1,
              .out_bytes = 99,
              .in_width_px = 1,
              .in_height_px = 2,
              .out_width_px = 3,
              .out_height_px = INT32_MAX,
              .decode_us = 4,
              .infer_us = 5,
              .encode_us = 6,
              .plan_memory_bytes = 7,
              .plan_columns = 8,
              .plan_bands = 9,
              .frames_reused = 10,
              .notes = NOTE_ALL,
              .choice = CHOICE_COUNT - 1}},
    {.type = IPC_FAILED, .failed = {.id = 0, .status = SWIN2SR_INTERNAL, .detail = "row 3 is cut short"}},
    {.type = IPC_CANCEL, .cancel = {.id = 3}},
    {.type = IPC_DEVICE, .device = {.index = 7, .rank = 2, .name = "a card"}},
};
#define SAMPLE_COUNT (sizeof samples / sizeof samples[0])

static void there_and_back(void **state) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t frame[IPC_FRAME_MAX_BYTES], again[IPC_FRAME_MAX_BYTES];
        ipc_message message;
        size_t size = ipc_encode(&samples[i], frame);
        assert_true(size > 0);
        assert_int_equal(ipc_decode(frame, size, &message), SWIN2SR_OK);
        assert_int_equal(message.type, samples[i].type);
        assert_int_equal(ipc_encode(&message, again), size);
        assert_memory_equal(again, frame, size);
    }
}

static void fields_arrive(void **state) {
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    ipc_message message;
    assert_int_equal(ipc_decode(frame, ipc_encode(&samples[0], frame), &message), SWIN2SR_OK);
    assert_string_equal(message.ready.license, "a-licence");
    assert_string_equal(message.ready.sha256, samples[0].ready.sha256);
    assert_int_equal(message.ready.scale, 4);
    assert_true(message.ready.memory_bytes == UINT64_MAX);
    assert_int_equal(ipc_decode(frame, ipc_encode(&samples[1], frame), &message), SWIN2SR_OK);
    assert_true(message.job.in_bytes == 12345678901);
    assert_int_equal(ipc_decode(frame, ipc_encode(&samples[4], frame), &message), SWIN2SR_OK);
    assert_int_equal(message.failed.status, SWIN2SR_INTERNAL);
    assert_string_equal(message.failed.detail, "row 3 is cut short");
}

/* Shorter, longer, and every single byte changed: never anything but OK with fields in range, or CORRUPT. */
static void damaged_frames(void **state) {
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        uint8_t frame[IPC_FRAME_MAX_BYTES + 1] = {0}, again[IPC_FRAME_MAX_BYTES];
        ipc_message message;
        size_t size = ipc_encode(&samples[i], frame);
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(ipc_decode(frame, cut, &message), SWIN2SR_CORRUPT);
        assert_int_equal(ipc_decode(frame, size + 1, &message), SWIN2SR_CORRUPT);
        for (size_t at = 0; at < size; at++) {
            uint8_t kept = frame[at];
            for (int value = 0; value < 256; value++) {
                frame[at] = (uint8_t)value;
                if (ipc_decode(frame, size, &message) == SWIN2SR_OK)
                    assert_int_equal(ipc_encode(&message, again), size);
            }
            frame[at] = kept;
        }
    }
}

static void fields_out_of_range(void **state) {
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    ipc_message message = samples[1];
    message.job.id = 0;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.quality = 101;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.target.plain_parts = TARGET_PARTS_ONE + 1;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.compression = FORMAT_COMPRESSION_COUNT;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.metadata = FORMAT_METADATA_ALL + 1;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.format = FORMAT_COUNT;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[1];
    message.job.is_strict = 2;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[4];
    message.failed.status = 0;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message.failed.status = INT32_MIN;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[4];
    message.failed.detail[3] = '\n';
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[SAMPLE_COUNT - 1];
    message.device.rank = 3;
    assert_int_equal(ipc_encode(&message, frame), 0);
    message = samples[3];
    message.done.notes = NOTE_ALL + 1;
    assert_int_equal(ipc_encode(&message, frame), 0);
}

static void text_is_cut_and_made_printable(void **state) {
    char field[6];
    ipc_text_set(field, sizeof field,
                 "a\n\xc3\xa9"
                 "bcd");
    assert_string_equal(field, "a???b");
    ipc_text_set(field, sizeof field, "");
    assert_string_equal(field, "");
}

typedef struct pair {
    int ends[2];
} pair;

static pair open_pair(void) {
    pair made;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made.ends), 0);
    return made;
}

static void close_pair(pair *made) {
    close(made->ends[0]);
    close(made->ends[1]);
}

static void descriptors_arrive(void **state) {
    pair sockets = open_pair();
    int pipe_ends[IPC_JOB_FDS], got[IPC_JOB_FDS];
    ipc_message message;
    char byte = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    pipe_ends[2] = dup(pipe_ends[1]);
    assert_int_equal(ipc_send(sockets.ends[0], &samples[1], pipe_ends, 0), SWIN2SR_OK);
    assert_int_equal(ipc_receive(sockets.ends[1], &message, got, 0), SWIN2SR_OK);
    assert_int_equal(message.type, IPC_JOB);
    assert_int_equal(write(got[1], "x", 1), 1);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    for (int i = 0; i < IPC_JOB_FDS; i++) {
        close(got[i]);
        close(pipe_ends[i]);
    }
    close_pair(&sockets);
}

static void descriptors_belong_to_jobs_only(void **state) {
    pair sockets = open_pair();
    int fds[IPC_JOB_FDS] = {0, 1, 1};
    assert_int_equal(ipc_send(sockets.ends[0], &samples[1], NULL, 0), SWIN2SR_INVALID);
    assert_int_equal(ipc_send(sockets.ends[0], &samples[5], fds, 0), SWIN2SR_INVALID);
    close_pair(&sockets);
}

static void nothing_there_and_nobody_there(void **state) {
    pair sockets = open_pair();
    ipc_message message;
    int fds[IPC_JOB_FDS];
    assert_int_equal(ipc_receive(sockets.ends[0], &message, fds, MSG_DONTWAIT), SWIN2SR_BUSY);
    assert_int_equal(write(sockets.ends[1], "garbage", 7), 7);
    assert_int_equal(ipc_receive(sockets.ends[0], &message, fds, 0), SWIN2SR_CORRUPT);
    assert_int_equal(ipc_send(sockets.ends[1], &samples[5], NULL, 0), SWIN2SR_OK);
    close(sockets.ends[1]);
    assert_int_equal(ipc_receive(sockets.ends[0], &message, fds, 0), SWIN2SR_OK);
    assert_int_equal(ipc_receive(sockets.ends[0], &message, fds, 0), SWIN2SR_IO);
    assert_int_equal(ipc_send(sockets.ends[0], &samples[5], NULL, 0), SWIN2SR_IO);
    close(sockets.ends[0]);
}

static void a_reader_that_stopped_is_busy(void **state) {
    pair sockets = open_pair();
    swin2sr_status status = SWIN2SR_OK;
    for (int i = 0; i < 100000 && status == SWIN2SR_OK; i++)
        status = ipc_send(sockets.ends[0], &samples[2], NULL, MSG_DONTWAIT);
    assert_int_equal(status, SWIN2SR_BUSY);
    close_pair(&sockets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(fields_arrive),
        cmocka_unit_test(damaged_frames),
        cmocka_unit_test(fields_out_of_range),
        cmocka_unit_test(text_is_cut_and_made_printable),
        cmocka_unit_test(descriptors_arrive),
        cmocka_unit_test(descriptors_belong_to_jobs_only),
        cmocka_unit_test(nothing_there_and_nobody_there),
        cmocka_unit_test(a_reader_that_stopped_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
