/* SPDX-License-Identifier: Apache-2.0
 * api/facts.h - facts about a finished image as header values (stage 9 of 9, respond). Pure. */
#pragma once

#include "format/note.h"
#include "ipc/ipc.h"

#define FACTS_BYTES NOTE_TEXT_BYTES /* of each text, terminator included */

/* "whole", "strips=N" (side by side, each as high as the image) or "tiles=N". */
void facts_plan(const ipc_done *done, char text[FACTS_BYTES]);

/* Server-Timing: the stages in milliseconds. */
void facts_timing(const ipc_done *done, uint64_t queue_us, char text[FACTS_BYTES]);
