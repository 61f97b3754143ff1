/* SPDX-License-Identifier: Apache-2.0
 * format/choice.c - the table of reasons: tokens and sentences. */
#include "format/choice.h"

#include <string.h>

static const choice_info choices[CHOICE_COUNT] = {
    [CHOICE_NONE] = {NULL, "the network was named"},
    [CHOICE_UNDAMAGED] = {"undamaged", "no damage was found"},
    [CHOICE_LOSSY] = {"lossy-format", "the format of the file loses detail"},
    [CHOICE_QUALITY] = {"jpeg-quality", "a JPEG of quality below 95, or with reduced colour"},
    [CHOICE_BLOCKS] = {"blocks", "it has traces of an earlier compression"},
    [CHOICE_SOFT] = {"soft", "it was enlarged before, or is out of focus"},
    [CHOICE_JAGGED] = {"jagged", "its edges are jagged"},
    [CHOICE_NOISE] = {"noise", "it has noise or rings around edges, or nothing flat to tell by"},
    [CHOICE_SMALL] = {"small", "it has too few pixels to be sure"},
    [CHOICE_ANIMATION] = {"animation", "animations are not looked at"},
    [CHOICE_SEVERAL] = {"several", "each of the pictures has its own network"},
    [CHOICE_HURRY] = {"hurry", "the service has too much to do, or too little memory, for a larger network"},
};

const choice_info *choice_get(uint32_t reason) {
    return &choices[reason < CHOICE_COUNT ? reason : CHOICE_NONE];
}

choice_reason choice_find(const char *token) {
    int reason = CHOICE_COUNT - 1;
    while (reason > CHOICE_NONE && strcmp(choices[reason].token, token) != 0)
        reason--;
    return (choice_reason)reason;
}
