/* SPDX-License-Identifier: Apache-2.0
 * ipc/ipc.h - what the server and a worker say to each other over one SOCK_SEQPACKET socket pair (stage 3 of 9).
 *
 *   worker -> server   READY once per network, then per job PROGRESS, first when it begins, and exactly one of DONE, FAILED
 *   server -> worker   JOB with two descriptors (input to read, output to write), CANCEL
 *
 * One datagram is one frame: magic, type, payload length, payload; integers little-endian, text length-prefixed and
 * printable ASCII. Both sides take the other for hostile: every number is checked, nothing is allocated. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define IPC_FRAME_MAX_BYTES 1024 /* header and payload */
#define IPC_NETWORKS_MAX 16      /* that one worker holds */
#define IPC_JOB_FDS 2            /* input, output; no other frame carries descriptors */
#define IPC_PROGRESS_DONE 1000000u
#define IPC_COST_MAX ((uint64_t)1 << 40) /* so that a cost times a side or the pixels of an image fits 64 bits */

typedef enum ipc_type {
    IPC_READY = 1, /* a network is loaded and passed its self-test; sent for each in turn once all are */
    IPC_JOB,       /* enlarge this */
    IPC_PROGRESS,  /* so far; the first one before anything of the job is touched */
    IPC_DONE,      /* the output file is complete */
    IPC_FAILED,    /* why there is none; id 0: the worker could not start */
    IPC_CANCEL,    /* stop the job; answered by DONE or FAILED all the same */
} ipc_type;

typedef struct ipc_ready {
    uint32_t network;       /* 0.., in the order of the worker's arguments */
    char license[64];       /* of the weights, "": they do not say */
    char sha256[65];        /* of the weight file, hex */
    char kernels[16];       /* processor level: "c", "avx2", ... */
    char kernels_note[128]; /* why a faster one is not used; "": there is none */
    char precision[8];      /* "fp32", ... */
    uint32_t scale;         /* 1..16 */
    uint64_t parameters;
    uint64_t memory_bytes; /* resident after loading */

    /* the self-test, and what it measured; a picture counts with its sides filled up to multiples of 8 */
    char check[8];             /* what the network was checked against: "golden", or "plain" kernels */
    uint64_t us_per_megapixel; /* of the input, 1.. */
    uint64_t base_bytes;       /* a picture takes at most base + column * width beside what its file makes the */
    uint64_t column_bytes;     /* decoder hold */
} ipc_ready;

typedef struct ipc_job {
    uint64_t id;             /* 1.. */
    uint32_t network;        /* 0.., one that was ready */
    uint32_t format;         /* of the output: a format_id that can be written */
    uint32_t quality;        /* 1..100; JPEG only */
    uint64_t in_bytes;       /* length of the input file, 1.. */
    uint64_t in_pixels_max;  /* limits, 1.. */
    uint64_t out_pixels_max; /* */
    uint32_t is_strict;      /* 1: a damaged file is refused even where all of its rows come out; else 0 */
} ipc_job;

typedef struct ipc_progress {
    uint64_t id;
    uint32_t millionths; /* 0..IPC_PROGRESS_DONE */
} ipc_progress;

#define IPC_NOTE_REDUCED_16 1u    /* 16-bit samples were read down to 8 */
#define IPC_NOTE_ALPHA_DROPPED 2u /* transparency was laid over white */
#define IPC_NOTE_DAMAGED 4u       /* the input is damaged or lacks its end, though all of its rows came out */
#define IPC_NOTES (IPC_NOTE_REDUCED_16 | IPC_NOTE_ALPHA_DROPPED | IPC_NOTE_DAMAGED)

typedef struct ipc_done {
    uint64_t id;
    uint64_t out_bytes; /* length of the output file */
    uint32_t in_width_px, in_height_px;
    uint32_t out_width_px, out_height_px;
    uint64_t decode_us, infer_us, encode_us;
    uint64_t plan_memory_bytes;
    uint32_t plan_columns, plan_bands; /* tiles side by side and below each other, 1..; 1 x 1: the whole image */
    uint32_t notes;                    /* IPC_NOTE_ bits */
} ipc_done;

typedef struct ipc_failed {
    uint64_t id;
    int32_t status;   /* swin2sr_status, below 0 */
    char detail[200]; /* fit for the client */
} ipc_failed;

typedef struct ipc_cancel {
    uint64_t id;
} ipc_cancel;

typedef struct ipc_message {
    ipc_type type;
    union {
        ipc_ready ready;
        ipc_job job;
        ipc_progress progress;
        ipc_done done;
        ipc_failed failed;
        ipc_cancel cancel;
    };
} ipc_message;

/* Copy text into a field, other than printable ASCII as '?', cut to fit. */
void ipc_text_set(char *field, size_t field_bytes, const char *text);

/* Write a message as one frame. frame holds IPC_FRAME_MAX_BYTES. returns its length; 0: a field is out of range. */
size_t ipc_encode(const ipc_message *message, uint8_t *frame);

/* Read one whole frame; pure.
 * errors  _CORRUPT: not exactly one frame with every field in range. ret_message is untouched then. */
SWIN2SR_MUST_CHECK swin2sr_status ipc_decode(const uint8_t *frame, size_t size, ipc_message *ret_message);

/* Send one message.
 * fds     IPC_JOB_FDS descriptors with IPC_JOB, else NULL. Borrowed.
 * flags   MSG_DONTWAIT or 0.
 * errors  _BUSY (would block), _IO (the other side is gone), _INVALID (a field is out of range). */
SWIN2SR_MUST_CHECK swin2sr_status ipc_send(int socket, const ipc_message *message, const int *fds, int flags);

/* Receive one message.
 * ret_fds  [IPC_JOB_FDS], filled with IPC_JOB (close-on-exec, the caller's), else -1.
 * flags    MSG_DONTWAIT or 0.
 * errors   _BUSY (none there), _IO (the other side is gone), _CORRUPT (not a message; its descriptors are closed). */
SWIN2SR_MUST_CHECK swin2sr_status ipc_receive(int socket, ipc_message *ret_message, int *ret_fds, int flags);
