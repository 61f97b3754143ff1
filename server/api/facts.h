/* SPDX-License-Identifier: Apache-2.0
 * api/facts.h - facts about a finished image as header fields (stage 9 of 9, respond). */
#pragma once

#include "config/limits.h"
#include "format/note.h"
#include "http/http.h"
#include "ipc/ipc.h"

#define FACTS_BYTES NOTE_TEXT_BYTES /* of each text, terminator included */
#define FACTS_ETAG_BYTES (LIMIT_ETAG_BYTES + FACTS_BYTES)

/* "whole", "strips=N" (side by side, each as high as the image) or "tiles=N". */
void facts_plan(const ipc_done *done, char text[FACTS_BYTES]);

/* Server-Timing: the stages in milliseconds. */
void facts_timing(const ipc_done *done, uint64_t queue_us, char text[FACTS_BYTES]);

/* The entity tag of the result. etag, of the request, is known before the plan and the worker: an image that was reduced
 * or cut gets another tag than the whole one, and so does one that other kernels or another device made. */
void facts_etag(const char *etag, const ipc_done *done, char ret_tag[FACTS_ETAG_BYTES]);

/* Add X-Swin2SR-Model, -Choice, -Plan and -Notes; of an input with several frames -Frames; of an animation -Frames-Reused. */
void facts_answer(http_request *request, const char *model, const ipc_done *done, uint32_t frames, bool is_animation);
