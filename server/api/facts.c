/* SPDX-License-Identifier: Apache-2.0
 * api/facts.c - texts of X-Swin2SR-Plan and Server-Timing (stage 9 of 9, respond).
 * In: the worker's report on a finished image.  Out: header values. */
#include "api/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void facts_plan(const ipc_done *done, char text[FACTS_BYTES]) {
    uint64_t pieces = (uint64_t)done->plan_columns * done->plan_bands;
    if (done->notes & NOTE_SHRUNK)
        strcpy(text, "shrink");
    else if (pieces == 1)
        strcpy(text, "whole");
    else
        snprintf(text, FACTS_BYTES, "%s=%" PRIu64, done->plan_bands == 1 ? "strips" : "tiles", pieces);
}

void facts_timing(const ipc_done *done, uint64_t queue_us, char text[FACTS_BYTES]) {
    snprintf(text, FACTS_BYTES, "queue;dur=%.1f, decode;dur=%.1f, infer;dur=%.1f, encode;dur=%.1f",
             (double)queue_us / 1e3, (double)done->decode_us / 1e3, (double)done->infer_us / 1e3,
             (double)done->encode_us / 1e3);
}
