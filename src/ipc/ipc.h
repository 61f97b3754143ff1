/* SPDX-License-Identifier: Apache-2.0
 * ipc/ipc.h - messages between the server and a worker over one SOCK_SEQPACKET socket pair (stage 3 of 9, dispatch).
 *
 *   worker -> server   READY once per network; then for each job PROGRESS, the first when the job begins, and exactly
 *                      one of DONE and FAILED. One that only looks for GPUs: DEVICE once per GPU
 *   server -> worker   JOB with three descriptors (input to read, output and preview to write), CANCEL
 *
 * One datagram is one frame: magic, type, payload length, payload. Integers are little-endian; text follows its length
 * and is printable ASCII. Neither side trusts the other: every number is checked, and nothing is allocated. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "format/target.h"
#include <swin2sr/status.h>

#define IPC_FRAME_MAX_BYTES 1024 /* header and payload */
#define IPC_NETWORKS_MAX 16      /* per worker */
#define IPC_JOB_FDS 3            /* input, output, preview; no other frame carries descriptors */
#define IPC_PROGRESS_DONE 1000000u
#define IPC_EXIT_LOST 3 /* exit code of a worker that has lost its device and leaves its job without an answer */
#define IPC_COST_MAX ((uint64_t)1 << 40) /* a cost times a side or the pixels of an image fits 64 bits */

typedef enum ipc_type {
    IPC_READY = 1, /* one network; sent when all are loaded and have passed their self-tests */
    IPC_JOB,       /* enlarge an image */
    IPC_PROGRESS,  /* the first one is sent before the job's input is read */
    IPC_DONE,      /* the output file is complete */
    IPC_FAILED,    /* there is no output; id 0: the worker could not start */
    IPC_CANCEL,    /* stop the job; it still ends with DONE or FAILED */
    IPC_DEVICE,    /* a GPU that can be used */
} ipc_type;

typedef struct ipc_ready {
    uint32_t network;       /* 0.., in the order of the worker's arguments */
    char license[64];       /* of the weights; "": unknown */
    char sha256[65];        /* of the weight file, hex */
    char kernels[16];       /* processor level: "c", "avx2", ... */
    char kernels_note[128]; /* why a faster level is not used; "": there is none */
    char precision[8];      /* "fp32", ... */
    char device[96];        /* the name of the GPU: "NVIDIA L4"; "": the CPU */
    char driver[128];       /* of the GPU, with its version */
    uint32_t scale;         /* 1..16 */
    uint64_t parameters;
    uint64_t memory_bytes; /* resident after loading */

    /* from the self-test; an image counts with its sides rounded up to multiples of 8, for the time with its margin */
    char sandbox[32];          /* what is in force: "seccomp landlock-7", "none", "off" */
    char check[8];             /* what the network was compared with: "golden" sums or the "plain" kernels */
    uint64_t us_per_megapixel; /* of the input, 1.. */
    uint64_t base_bytes;       /* upper bound of the memory for an image, without its decoder: */
    uint64_t column_bytes;     /* base_bytes + column_bytes * width */
} ipc_ready;

typedef struct ipc_job {
    uint64_t id;          /* 1.. */
    uint32_t network;     /* 0.., a network that is ready */
    uint32_t undamaged;   /* 1 + the network for pictures that are surely undamaged; 0: there is no choice */
    uint32_t format;      /* of the output: a format_id that can be written */
    uint32_t quality;     /* 1..100; JPEG only */
    uint32_t compression; /* a format_compression; PNG and WebP */
    uint32_t metadata;    /* bits of format/metadata.h */
    format_target target; /* the part of the input, the size of the output, the strength */
    uint64_t in_bytes;    /* length of the input file, 1.. */
    uint32_t
        list_bytes; /* at its end, of a list of several pictures (ipc/bundle.h), whose results become a ZIP; 0: it is one */
    uint64_t in_pixels_max;   /* 1.. */
    uint64_t out_pixels_max;  /* 1.. */
    uint32_t frames_max;      /* of an animation whose frames are all enlarged; 0: only the first one is */
    uint32_t is_strict;       /* 1: refuse a damaged file even if all of its rows can be decoded; else 0 */
    uint32_t tile_px;         /* side of the tiles; 0: none */
    uint32_t shrink_px;       /* an image with a longer side is reduced to this one; 0: never */
    uint64_t memory_bytes;    /* for the stream; an image that is too wide for it is enlarged in strips. 0: no limit */
    uint64_t left_out;        /* of several pictures: bit i: number i has ended workers and is not tried again */
    uint32_t preview_side_px; /* of the JPEG for the third descriptor; 0: none, and that descriptor is not written */
} ipc_job;

typedef struct ipc_progress {
    uint64_t id;
    uint32_t millionths; /* 0..IPC_PROGRESS_DONE */
    uint32_t file;       /* of several pictures, the one at work, 0..; said before it begins */
} ipc_progress;

typedef struct ipc_done {
    uint64_t id;
    uint64_t out_bytes;                 /* length of the output file */
    uint64_t preview_bytes;             /* of the preview; 0: there is none, because the output is not larger */
    uint32_t in_width_px, in_height_px; /* 0, as the next two: of several pictures */
    uint32_t out_width_px, out_height_px;
    uint64_t in_pixels, out_pixels; /* of all pictures; of an animation, of one frame */
    uint32_t files, files_failed;   /* of several pictures; else 0 */
    uint64_t decode_us, infer_us, encode_us;
    uint64_t plan_memory_bytes;
    uint32_t plan_columns,
        plan_bands;         /* columns and rows of tiles, 1..; 1 x 1: the whole image. Of several, the most */
    uint32_t frames_reused; /* of an animation: for which there was nothing to compute */
    uint32_t notes;         /* bits of format/note.h */
    uint32_t choice;        /* of format/choice.h: which network it was, and why; 0: there was no choice */
    uint32_t maker;         /* not sent: the server's checksum of precision, kernels, device and driver of the worker */
} ipc_done;

typedef struct ipc_failed {
    uint64_t id;
    int32_t status;   /* swin2sr_status, below 0 */
    char detail[200]; /* safe to show to the client */
} ipc_failed;

typedef struct ipc_cancel {
    uint64_t id;
} ipc_cancel;

typedef struct ipc_device {
    uint32_t index; /* N of vulkan:N */
    uint32_t rank;  /* 0: a card of its own, 1: part of the processor, 2: of a virtual machine */
    char name[96];
} ipc_device;

typedef struct ipc_message {
    ipc_type type;
    union {
        ipc_ready ready;
        ipc_job job;
        ipc_progress progress;
        ipc_done done;
        ipc_failed failed;
        ipc_cancel cancel;
        ipc_device device;
    };
} ipc_message;

/* Copy text into a field. It is cut to fit, and '?' replaces everything but printable ASCII. */
void ipc_text_set(char *field, size_t field_bytes, const char *text);

/* Write a message into a frame of IPC_FRAME_MAX_BYTES.  returns its length; 0: a field is out of range. */
size_t ipc_encode(const ipc_message *message, uint8_t *frame);

/* Read one frame.
 * errors  _CORRUPT: not exactly one frame with every field in range; ret_message is untouched. */
SWIN2SR_MUST_CHECK swin2sr_status ipc_decode(const uint8_t *frame, size_t size, ipc_message *ret_message);

/* Send one message.
 * fds     IPC_JOB_FDS descriptors with IPC_JOB, else NULL. Borrowed.
 * flags   MSG_DONTWAIT or 0.
 * errors  _BUSY (would block), _IO (the other side is gone), _INVALID (a field is out of range). */
SWIN2SR_MUST_CHECK swin2sr_status ipc_send(int socket, const ipc_message *message, const int *fds, int flags);

/* Receive one message.
 * ret_fds  [IPC_JOB_FDS]: the descriptors of an IPC_JOB, close-on-exec, which the caller owns; otherwise -1.
 * flags    MSG_DONTWAIT or 0.
 * errors   _BUSY (no message), _IO (the other side is gone), _CORRUPT (not a message; its descriptors are closed). */
SWIN2SR_MUST_CHECK swin2sr_status ipc_receive(int socket, ipc_message *ret_message, int *ret_fds, int flags);
