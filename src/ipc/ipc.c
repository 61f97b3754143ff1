/* SPDX-License-Identifier: Apache-2.0
 * ipc/ipc.c - frames between the server and its workers (stage 3 of 9, dispatch).
 * In: messages, descriptors.  Out: the same messages and descriptors in the other process.
 * One table describes the fields of every message. The same functions write and read a frame by it, so the two
 * directions cannot differ. No allocation; every read is bounded by the frame. */
#include "ipc/ipc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "format/choice.h"
#include "format/compression.h"
#include "format/format.h"
#include "format/metadata.h"
#include "format/note.h"
#include "ipc/bundle.h"

#define FRAME_MAGIC 0x49325253u /* "SR2I" */
#define HEADER_BYTES 12         /* magic, type, payload length */
#define SCALE_MAX 16
#define FIELDS_MAX 32

/* A field of a message. A number has 4 or 8 bytes; a text goes as its length and its characters. */
typedef struct ipc_field {
    size_t offset, bytes; /* in ipc_message; bytes 0: after the last field */
    bool is_text;
    uint64_t low, high; /* range of a number */
} ipc_field;

#define PLACE(name) offsetof(ipc_message, name), sizeof(((ipc_message *)0)->name)
#define NUMBER(name, low, high) \
    { PLACE(name), false, low, high }
#define TEXT(name) \
    { PLACE(name), true, 0, 0 }

static const ipc_field payloads[IPC_DEVICE + 1][FIELDS_MAX + 1] = {
    [IPC_READY] = {NUMBER(ready.network, 0, IPC_NETWORKS_MAX - 1), TEXT(ready.license), TEXT(ready.sha256),
                   TEXT(ready.kernels), TEXT(ready.kernels_note), TEXT(ready.precision), TEXT(ready.device),
                   TEXT(ready.driver), NUMBER(ready.scale, 1, SCALE_MAX), NUMBER(ready.parameters, 0, UINT64_MAX),
                   NUMBER(ready.memory_bytes, 0, UINT64_MAX), TEXT(ready.sandbox), TEXT(ready.check),
                   NUMBER(ready.us_per_megapixel, 1, IPC_COST_MAX), NUMBER(ready.base_bytes, 0, IPC_COST_MAX),
                   NUMBER(ready.column_bytes, 0, IPC_COST_MAX)},
    [IPC_JOB] = {NUMBER(job.id, 1, UINT64_MAX),
                 NUMBER(job.network, 0, IPC_NETWORKS_MAX - 1),
                 NUMBER(job.undamaged, 0, IPC_NETWORKS_MAX),
                 NUMBER(job.format, FORMAT_UNKNOWN + 1, FORMAT_COUNT - 1),
                 NUMBER(job.quality, 1, 100),
                 NUMBER(job.compression, 0, FORMAT_COMPRESSION_COUNT - 1),
                 NUMBER(job.metadata, 0, FORMAT_METADATA_ALL),
                 NUMBER(job.target.scale_milli, 0, TARGET_SCALE_MAX),
                 NUMBER(job.target.width_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.height_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.is_fit, 0, 1),
                 NUMBER(job.target.crop_x_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.crop_y_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.crop_width_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.crop_height_px, 0, TARGET_SIDE_MAX),
                 NUMBER(job.target.plain_parts, 0, TARGET_PARTS_ONE),
                 NUMBER(job.in_bytes, 1, INT64_MAX),
                 NUMBER(job.list_bytes, 0, BUNDLE_LIST_MAX_BYTES),
                 NUMBER(job.in_pixels_max, 1, INT64_MAX),
                 NUMBER(job.out_pixels_max, 1, INT64_MAX),
                 NUMBER(job.is_strict, 0, 1),
                 NUMBER(job.frames_max, 0, INT32_MAX),
                 NUMBER(job.tile_px, 0, INT32_MAX),
                 NUMBER(job.shrink_px, 0, INT32_MAX),
                 NUMBER(job.memory_bytes, 0, INT64_MAX),
                 NUMBER(job.left_out, 0, UINT64_MAX),
                 NUMBER(job.preview_side_px, 0, INT32_MAX)},
    [IPC_PROGRESS] = {NUMBER(progress.id, 1, UINT64_MAX), NUMBER(progress.millionths, 0, IPC_PROGRESS_DONE),
                      NUMBER(progress.file, 0, BUNDLE_FILES_MAX - 1)},
    [IPC_DONE] = {NUMBER(done.id, 1, UINT64_MAX),
                  NUMBER(done.out_bytes, 1, INT64_MAX),
                  NUMBER(done.preview_bytes, 0, INT64_MAX),
                  NUMBER(done.in_width_px, 0, INT32_MAX),
                  NUMBER(done.in_height_px, 0, INT32_MAX),
                  NUMBER(done.out_width_px, 0, INT32_MAX),
                  NUMBER(done.out_height_px, 0, INT32_MAX),
                  NUMBER(done.in_pixels, 0, INT64_MAX),
                  NUMBER(done.out_pixels, 0, INT64_MAX),
                  NUMBER(done.files, 0, BUNDLE_FILES_MAX),
                  NUMBER(done.files_failed, 0, BUNDLE_FILES_MAX),
                  NUMBER(done.decode_us, 0, INT64_MAX),
                  NUMBER(done.infer_us, 0, INT64_MAX),
                  NUMBER(done.encode_us, 0, INT64_MAX),
                  NUMBER(done.plan_memory_bytes, 0, UINT64_MAX),
                  NUMBER(done.plan_columns, 1, INT32_MAX),
                  NUMBER(done.plan_bands, 1, INT32_MAX),
                  NUMBER(done.frames_reused, 0, INT32_MAX),
                  NUMBER(done.notes, 0, NOTE_ALL),
                  NUMBER(done.choice, 0, CHOICE_COUNT - 1)},
    /* statuses are negative: SWIN2SR_INTERNAL..-1, as unsigned numbers */
    [IPC_FAILED] = {NUMBER(failed.id, 0, UINT64_MAX), NUMBER(failed.status, (uint32_t)SWIN2SR_INTERNAL, UINT32_MAX),
                    TEXT(failed.detail)},
    [IPC_CANCEL] = {NUMBER(cancel.id, 1, UINT64_MAX)},
    [IPC_DEVICE] = {NUMBER(device.index, 0, UINT8_MAX), NUMBER(device.rank, 0, 2), TEXT(device.name)},
};

/* A position in a frame that is being read or written. */
typedef struct cursor {
    const uint8_t *in;
    uint8_t *out; /* NULL when reading */
    size_t at, size;
    bool is_bad; /* a field did not fit or was out of range; stays set */
} cursor;

static bool has_room(cursor *c, size_t bytes) {
    c->is_bad |= bytes > c->size - c->at;
    return !c->is_bad;
}

static void walk_number(cursor *c, void *number, size_t bytes, uint64_t low, uint64_t high) {
    uint64_t value = bytes == 4 ? *(uint32_t *)number : *(uint64_t *)number, read = 0;
    if (!has_room(c, bytes))
        return;
    for (size_t i = 0; i < bytes; i++)
        if (c->out)
            c->out[c->at++] = (uint8_t)(value >> (8 * i));
        else
            read |= (uint64_t)c->in[c->at++] << (8 * i);
    value = c->out ? value : read;
    c->is_bad |= value < low || value > high;
    if (bytes == 4)
        *(uint32_t *)number = (uint32_t)value;
    else
        *(uint64_t *)number = value;
}

static bool is_printable(char character) {
    return character >= 0x20 && character <= 0x7e;
}

static void walk_text(cursor *c, char *text, size_t bytes) {
    uint32_t length = c->out ? (uint32_t)strnlen(text, bytes) : 0;
    walk_number(c, &length, sizeof length, 0, bytes - 1);
    if (!has_room(c, length))
        return;
    if (c->out)
        memcpy(c->out + c->at, text, length);
    else
        memcpy(text, c->in + c->at, length);
    for (uint32_t i = 0; i < length; i++)
        c->is_bad |= !is_printable(text[i]);
    c->at += length;
}

/* message  All zero when reading, so that texts are terminated. */
static void walk_message(cursor *c, ipc_message *message) {
    for (const ipc_field *each = payloads[message->type]; each->bytes > 0; each++) {
        void *value = (char *)message + each->offset;
        if (each->is_text)
            walk_text(c, value, each->bytes);
        else
            walk_number(c, value, each->bytes, each->low, each->high);
    }
}

static void walk_header(cursor *c, uint32_t *type, uint32_t *payload_bytes) {
    uint32_t magic = FRAME_MAGIC;
    walk_number(c, &magic, sizeof magic, FRAME_MAGIC, FRAME_MAGIC);
    walk_number(c, type, sizeof *type, IPC_READY, IPC_DEVICE);
    walk_number(c, payload_bytes, sizeof *payload_bytes, 0, IPC_FRAME_MAX_BYTES - HEADER_BYTES);
}

void ipc_text_set(char *field, size_t field_bytes, const char *text) {
    size_t length = strnlen(text, field_bytes - 1);
    for (size_t i = 0; i < length; i++)
        field[i] = is_printable(text[i]) ? text[i] : '?';
    memset(field + length, 0, field_bytes - length);
}

size_t ipc_encode(const ipc_message *message, uint8_t *frame) {
    ipc_message copy = *message; /* writable, because the functions also read frames into messages */
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

/* Space for the descriptors of one frame, aligned for the kernel. */
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

/* Take the descriptors out of a datagram. At most IPC_JOB_FDS fit into the control buffer; the kernel drops the rest.
 * returns their number. */
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
