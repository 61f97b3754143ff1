/* SPDX-License-Identifier: Apache-2.0
 * api/facts.c - header fields and the entity tag of a finished image (stage 9 of 9, respond).
 * In: the worker's report.  Out: texts, and fields of the answer. */
#include "api/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/choice.h"

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

void facts_etag(const char *etag, const ipc_done *done, char ret_tag[FACTS_ETAG_BYTES]) {
    char plan[FACTS_BYTES];
    facts_plan(done, plan);
    bool is_whole = strcmp(plan, "whole") == 0;
    char maker[16] = "";
    if (done->maker) /* 0: an earlier version made it */
        snprintf(maker, sizeof maker, "%08" PRIx32, done->maker);
    snprintf(ret_tag, FACTS_ETAG_BYTES, "%.*s%s%s%s\"", (int)(strlen(etag) - 1 - strlen(maker)), etag, maker,
             is_whole ? "" : "-", is_whole ? "" : plan);
}

static void add_count(http_request *request, const char *field, uint32_t count) {
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned int)count);
    http_answer_header(request, field, text);
}

void facts_answer(http_request *request, const char *model, const ipc_done *done, uint32_t frames, bool is_animation) {
    char text[FACTS_BYTES];
    http_answer_header(request, "X-Swin2SR-Model", model);
    if (done->choice)
        http_answer_header(request, "X-Swin2SR-Choice", choice_get(done->choice)->token);
    facts_plan(done, text);
    http_answer_header(request, "X-Swin2SR-Plan", text);
    note_text(done->notes, text);
    if (text[0])
        http_answer_header(request, "X-Swin2SR-Notes", text);
    if (frames > 1)
        add_count(request, "X-Swin2SR-Frames", frames);
    if (done->files) {
        add_count(request, "X-Swin2SR-Files", done->files);
        add_count(request, "X-Swin2SR-Files-Failed", done->files_failed);
    }
    if (is_animation)
        add_count(request, "X-Swin2SR-Frames-Reused", done->frames_reused);
}
