/* SPDX-License-Identifier: Apache-2.0
 * format/choice.h - which of two networks enlarges a picture, and why: the one table of reasons for `--task auto`.
 * Worker, server and command line pass a reason on as a number. Constant data, no state. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Raised when other pictures get another network: the entity tags of results depend on it. */
#define CHOICE_VERSION 1

/* What a worker holds of the picture that it looks at, at most, beside what it is enlarged with. */
#define CHOICE_HELD_BYTES ((size_t)4 << 20)

/* Server and worker exchange these numbers, and records of jobs store them: append new ones, never renumber. */
typedef enum choice_reason {
    CHOICE_NONE = 0,  /* nothing was chosen: the network was named, or is the only one */
    CHOICE_UNDAMAGED, /* the network for undamaged pictures; all others but the last: the one that repairs damage too */
    CHOICE_LOSSY,     /* the file is a GIF or a WebP, or a TIFF with JPEG in it */
    CHOICE_QUALITY,   /* a JPEG of low quality, or with reduced colour */
    CHOICE_BLOCKS,    /* traces of the blocks of an earlier compression */
    CHOICE_SOFT,      /* enlarged before, or out of focus */
    CHOICE_JAGGED,    /* steps at edges */
    CHOICE_NOISE,     /* noise or rings around edges, or nothing flat to tell by */
    CHOICE_SMALL,     /* too few pixels to be sure */
    CHOICE_ANIMATION, /* the frames of an animation are not looked at */
    CHOICE_SEVERAL,   /* several pictures, of which each has its own network */
    CHOICE_HURRY,     /* not the picture but the service decided: it lacks time or memory */
    CHOICE_COUNT
} choice_reason;

typedef struct choice_info {
    const char *token;    /* as in X-Swin2SR-Choice; NULL for CHOICE_NONE */
    const char *sentence; /* for people */
} choice_info;

/* reason  0..CHOICE_COUNT - 1. */
const choice_info *choice_get(uint32_t reason);

/* The reason with this token; CHOICE_NONE: there is none. */
choice_reason choice_find(const char *token);
