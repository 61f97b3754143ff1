/* SPDX-License-Identifier: Apache-2.0
 * ipc/ipc.c - frames between the server and its workers (stage 3 of 9).
 * In: messages, descriptors.  Out: the same on the other side.
 * Each message is described once, field by field, by a walk function; one cursor writes it, another reads it, so the
 * two directions cannot drift apart. No allocation; every read is bounded by the frame. */
#include "ipc/ipc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "format/format.h"

#define FRAME_MAGIC 0x49325253u /* "SR2I" */
#define HEADER_BYTES 12         /* magic, type, payload length */
#define SCALE_MAX 16

/* A place in a frame. Reading, the walk fills the message; writing, it fills the frame. */
typedef struct cursor {
    const uint8_t *in;
    uint8_t *out; /* NULL when reading */
    size_t at, size;
    bool is_bad; /* a field did not fit or was out of range; sticky */
} cursor;

static bool cursor_has(cursor *c, size_t n) {
    if (c->is_bad || n > c->size - c->at)
        c->is_bad = true;
    return !c->is_bad;
}

static void walk_number(cursor *c, uint64_t *value, size_t bytes) {
    if (!cursor_has(c, bytes))
        return;
    if (c->out) {
        for (size_t i = 0; i < bytes; i++)
            c->out[c->at + i] = (uint8_t)(*value >> (8 * i));
    } else {
        *value = 0;
        for (size_t i = 0; i < bytes; i++)
            *value |= (uint64_t)c->in[c->at + i] << (8 * i);
    }
    c->at += bytes;
}

static void walk_u64(cursor *c, uint64_t *value, uint64_t low, uint64_t high) {
    walk_number(c, value, 8);
    if (*value < low || *value > high)
        c->is_bad = true;
}

static void walk_u32(cursor *c, uint32_t *value, uint32_t low, uint32_t high) {
    uint64_t wide = *value;
    walk_number(c, &wide, 4);
    *value = (uint32_t)wide;
    if (*value < low || *value > high)
        c->is_bad = true;
}

static bool is_printable(char character) {
    return character >= 0x20 && character <= 0x7e;
}

static void walk_text(cursor *c, char *text, size_t field_bytes) {
    uint32_t length = c->out ? (uint32_t)strnlen(text, field_bytes) : 0;
    walk_u32(c, &length, 0, (uint32_t)field_bytes - 1);
    if (!cursor_has(c, length))
        return;
    if (c->out) {
        memcpy(c->out + c->at, text, length);
    } else {
        memcpy(text, c->in + c->at, length);
        memset(text + length, 0, field_bytes - length);
    }
    for (uint32_t i = 0; i < length; i++)
        c->is_bad |= !is_printable(text[i]);
    c->at += length;
}

static void walk_ready(cursor *c, ipc_ready *ready) {
    walk_u32(c, &ready->network, 0, IPC_NETWORKS_MAX - 1);
    walk_text(c, ready->license, sizeof ready->license);
    walk_text(c, ready->sha256, sizeof ready->sha256);
    walk_text(c, ready->kernels, sizeof ready->kernels);
    walk_text(c, ready->kernels_note, sizeof ready->kernels_note);
    walk_text(c, ready->precision, sizeof ready->precision);
    walk_u32(c, &ready->scale, 1, SCALE_MAX);
    walk_u64(c, &ready->parameters, 0, UINT64_MAX);
    walk_u64(c, &ready->memory_bytes, 0, UINT64_MAX);
    walk_text(c, ready->check, sizeof ready->check);
    walk_u64(c, &ready->us_per_megapixel, 1, IPC_COST_MAX);
    walk_u64(c, &ready->base_bytes, 0, IPC_COST_MAX);
    walk_u64(c, &ready->column_bytes, 0, IPC_COST_MAX);
}

static void walk_job(cursor *c, ipc_job *job) {
    walk_u64(c, &job->id, 1, UINT64_MAX);
    walk_u32(c, &job->network, 0, IPC_NETWORKS_MAX - 1);
    walk_u32(c, &job->format, FORMAT_UNKNOWN + 1, FORMAT_COUNT - 1);
    walk_u32(c, &job->quality, 1, 100);
    walk_u64(c, &job->in_bytes, 1, INT64_MAX);
    walk_u64(c, &job->in_pixels_max, 1, INT64_MAX);
    walk_u64(c, &job->out_pixels_max, 1, INT64_MAX);
    walk_u32(c, &job->is_strict, 0, 1);
}

static void walk_progress(cursor *c, ipc_progress *progress) {
    walk_u64(c, &progress->id, 1, UINT64_MAX);
    walk_u32(c, &progress->millionths, 0, IPC_PROGRESS_DONE);
}

static void walk_done(cursor *c, ipc_done *done) {
    walk_u64(c, &done->id, 1, UINT64_MAX);
    walk_u64(c, &done->out_bytes, 1, INT64_MAX);
    walk_u32(c, &done->in_width_px, 1, INT32_MAX);
    walk_u32(c, &done->in_height_px, 1, INT32_MAX);
    walk_u32(c, &done->out_width_px, 1, INT32_MAX);
    walk_u32(c, &done->out_height_px, 1, INT32_MAX);
    walk_u64(c, &done->decode_us, 0, INT64_MAX);
    walk_u64(c, &done->infer_us, 0, INT64_MAX);
    walk_u64(c, &done->encode_us, 0, INT64_MAX);
    walk_u64(c, &done->plan_memory_bytes, 0, UINT64_MAX);
    walk_u32(c, &done->plan_columns, 1, INT32_MAX);
    walk_u32(c, &done->plan_bands, 1, INT32_MAX);
    walk_u32(c, &done->notes, 0, IPC_NOTES);
}

static void walk_failed(cursor *c, ipc_failed *failed) {
    uint32_t negated = 0u - (uint32_t)failed->status;
    walk_u64(c, &failed->id, 0, UINT64_MAX);
    walk_u32(c, &negated, 1, (uint32_t)-SWIN2SR_INTERNAL);
    walk_text(c, failed->detail, sizeof failed->detail);
    if (!c->is_bad)
        failed->status = -(int32_t)negated;
}

static void walk_message(cursor *c, ipc_message *message) {
    switch (message->type) {
    case IPC_READY:
        walk_ready(c, &message->ready);
        return;
    case IPC_JOB:
        walk_job(c, &message->job);
        return;
    case IPC_PROGRESS:
        walk_progress(c, &message->progress);
        return;
    case IPC_DONE:
        walk_done(c, &message->done);
        return;
    case IPC_FAILED:
        walk_failed(c, &message->failed);
        return;
    case IPC_CANCEL:
        walk_u64(c, &message->cancel.id, 1, UINT64_MAX);
        return;
    }
    c->is_bad = true;
}

static void walk_header(cursor *c, uint32_t *type, uint32_t *payload_bytes) {
    uint32_t magic = FRAME_MAGIC;
    walk_u32(c, &magic, FRAME_MAGIC, FRAME_MAGIC);
    walk_u32(c, type, IPC_READY, IPC_CANCEL);
    walk_u32(c, payload_bytes, 0, IPC_FRAME_MAX_BYTES - HEADER_BYTES);
}

void ipc_text_set(char *field, size_t field_bytes, const char *text) {
    size_t length = strnlen(text, field_bytes - 1);
    for (size_t i = 0; i < length; i++)
        field[i] = is_printable(text[i]) ? text[i] : '?';
    memset(field + length, 0, field_bytes - length);
}

size_t ipc_encode(const ipc_message *message, uint8_t *frame) {
    ipc_message copy = *message; /* the walks take both directions, so they want it writable */
    cursor payload = {.out = frame, .at = HEADER_BYTES, .size = IPC_FRAME_MAX_BYTES};
    walk_message(&payload, &copy);

    uint32_t type = copy.type, payload_bytes = (uint32_t)(payload.at - HEADER_BYTES);
    cursor header = {.out = frame, .size = HEADER_BYTES};
    walk_header(&header, &type, &payload_bytes);
    return payload.is_bad || header.is_bad ? 0 : payload.at;
}

swin2sr_status ipc_decode(const uint8_t *frame, size_t size, ipc_message *ret_message) {
    uint32_t type = 0, payload_bytes = 0;
    cursor c = {.in = frame, .size = size};
    walk_header(&c, &type, &payload_bytes);
    if (c.is_bad || payload_bytes != size - HEADER_BYTES)
        return SWIN2SR_CORRUPT;

    ipc_message message;
    memset(&message, 0, sizeof message);
    message.type = (ipc_type)type;
    walk_message(&c, &message);
    if (c.is_bad || c.at != size)
        return SWIN2SR_CORRUPT;
    *ret_message = message;
    return SWIN2SR_OK;
}

/* Room for the descriptors of one frame, aligned as the kernel wants it. */
typedef union control_buffer {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(IPC_JOB_FDS * sizeof(int))];
} control_buffer;

static swin2sr_status status_of_errno(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK ? SWIN2SR_BUSY : SWIN2SR_IO;
}

swin2sr_status ipc_send(int socket, const ipc_message *message, const int *fds, int flags) {
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    size_t size = ipc_encode(message, frame);
    if (size == 0 || (message->type == IPC_JOB) != (fds != NULL))
        return SWIN2SR_INVALID;

    struct iovec part = {.iov_base = frame, .iov_len = size};
    struct msghdr datagram = {.msg_iov = &part, .msg_iovlen = 1};
    control_buffer control = {.bytes = {0}};
    if (fds) {
        datagram.msg_control = control.bytes;
        datagram.msg_controllen = sizeof control.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&datagram);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(IPC_JOB_FDS * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, IPC_JOB_FDS * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &datagram, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? status_of_errno() : SWIN2SR_OK;
}

/* Take the descriptors out of a datagram: at most IPC_JOB_FDS fit into the control buffer, the kernel drops the rest.
 * returns how many. */
static size_t take_fds(struct msghdr *datagram, int *ret_fds) {
    size_t count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(datagram); c; c = CMSG_NXTHDR(datagram, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here && count < IPC_JOB_FDS; i++)
            memcpy(&ret_fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
    return count;
}

swin2sr_status ipc_receive(int socket, ipc_message *ret_message, int *ret_fds, int flags) {
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    control_buffer control;
    struct iovec part = {.iov_base = frame, .iov_len = sizeof frame};
    struct msghdr datagram = {.msg_iov = &part, .msg_iovlen = 1};
    datagram.msg_control = control.bytes;
    datagram.msg_controllen = sizeof control.bytes;

    ssize_t got;
    do
        got = recvmsg(socket, &datagram, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    for (size_t i = 0; i < IPC_JOB_FDS; i++)
        ret_fds[i] = -1;
    if (got < 0)
        return status_of_errno();
    if (got == 0)
        return SWIN2SR_IO;

    size_t count = take_fds(&datagram, ret_fds);
    ipc_message message;
    bool is_good = (datagram.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
                   ipc_decode(frame, (size_t)got, &message) == SWIN2SR_OK &&
                   count == (message.type == IPC_JOB ? IPC_JOB_FDS : 0);
    if (is_good) {
        *ret_message = message;
        return SWIN2SR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        close(ret_fds[i]);
        ret_fds[i] = -1;
    }
    return SWIN2SR_CORRUPT;
}
