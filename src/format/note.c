/* SPDX-License-Identifier: Apache-2.0
 * format/note.c - the table of notes: tokens and sentences. */
#include "format/note.h"

#include <stdio.h>
#include <string.h>

static const note_info notes_table[NOTE_COUNT] = {
    {"reduced-16-bit", "16-bit samples were reduced to 8 bits"},
    {"alpha-dropped", "the output format has no transparency: the picture was laid over white"},
    {"damaged", NULL},
    {NULL, NULL},
    {"profile-dropped", "the colour profile could not be kept: colours may look different"},
    {"exif-dropped", "the EXIF data could not be kept"},
    {"xmp-dropped", "the XMP data could not be kept"},
    {"text-dropped", "comments and captions were not kept"},
    {"cmyk-converted", "the inks (CMYK) were converted to sRGB with the file's profile"},
    {"cmyk-guessed", "the inks (CMYK) were converted to sRGB without a profile: the file has none that can be used"},
    {"resolution-dropped", "the output format cannot hold the resolution (pixels per inch)"},
    {"first-frame", "this is an animation: only its first frame was enlarged"},
    {"alpha-hardened", "GIF has no partial transparency: each pixel is either opaque or not there"},
    {"not-srgb", "the colours could not be converted to sRGB: they are kept, with what the file says of them"},
    {"provenance-dropped", "the output format has no place for the provenance"},
};

const note_info *note_get(size_t index) {
    return &notes_table[index];
}

void note_text(uint32_t notes, char text[NOTE_TEXT_BYTES]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < NOTE_COUNT; i++)
        if ((notes >> i & 1) && notes_table[i].token)
            used +=
                (size_t)snprintf(text + used, NOTE_TEXT_BYTES - used, "%s%s", used ? ", " : "", notes_table[i].token);
}

uint32_t note_parse(const char *text) {
    uint32_t notes = 0;
    while (*text) {
        size_t length = strcspn(text, ", ");
        for (size_t i = 0; i < NOTE_COUNT; i++) {
            const char *token = notes_table[i].token;
            if (token && strlen(token) == length && memcmp(text, token, length) == 0)
                notes |= 1u << i;
        }
        text += length;
        text += strspn(text, ", ");
    }
    return notes;
}
