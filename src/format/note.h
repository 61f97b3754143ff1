/* SPDX-License-Identifier: Apache-2.0
 * format/note.h - what a result does not keep of its input, and what was wrong with the input: the one table of notes.
 * Decoders, encoders, worker, server and command line pass notes on as bits. Constant data, no state. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Server and worker exchange these bits, and records of jobs store them: append new ones, never renumber. */
#define NOTE_REDUCED_16 (1u << 0)          /* 16-bit samples were reduced to 8 bits */
#define NOTE_ALPHA_DROPPED (1u << 1)       /* transparent pixels were blended with white */
#define NOTE_DAMAGED (1u << 2)             /* the input is damaged or truncated, but all of its rows were decoded */
#define NOTE_SHRUNK (1u << 3)              /* the image was reduced before it was enlarged */
#define NOTE_PROFILE_DROPPED (1u << 4)     /* the colour profile was not usable, or the output cannot hold it */
#define NOTE_EXIF_DROPPED (1u << 5)        /* EXIF data was damaged, too large, or in a TIFF */
#define NOTE_XMP_DROPPED (1u << 6)         /* an XMP packet was too large */
#define NOTE_TEXT_DROPPED (1u << 7)        /* comments, captions (IPTC), text chunks */
#define NOTE_CMYK_CONVERTED (1u << 8)      /* inks were converted to RGB with the file's profile */
#define NOTE_CMYK_GUESSED (1u << 9)        /* inks were converted to RGB without a profile */
#define NOTE_RESOLUTION_DROPPED (1u << 10) /* the output format has no field for pixels per inch */
#define NOTE_FIRST_FRAME (1u << 11)        /* of an animation, only the first frame was enlarged */
#define NOTE_ALPHA_HARDENED (1u << 12)     /* GIF: what was partly transparent is so wholly or not at all */
#define NOTE_NOT_SRGB (1u << 13)           /* colours should have become sRGB and could not: they are kept */
#define NOTE_PROVENANCE_DROPPED (1u << 14) /* the output format has no field for provenance */
#define NOTE_COUNT 15
#define NOTE_ALL ((1u << NOTE_COUNT) - 1)

typedef struct note_info {
    const char *token;    /* as in X-Swin2SR-Notes; NULL: not shown there */
    const char *sentence; /* for people; NULL: told in another way */
} note_info;

/* index  0..NOTE_COUNT - 1: the number of the bit. */
const note_info *note_get(size_t index);

#define NOTE_TEXT_BYTES 256 /* enough for all tokens */

/* Write the tokens of notes, joined by ", ". "": there are none. */
void note_text(uint32_t notes, char text[NOTE_TEXT_BYTES]);

/* The notes whose tokens are in a text like that of note_text. Unknown words are ignored. */
uint32_t note_parse(const char *text);
