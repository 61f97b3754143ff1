/* SPDX-License-Identifier: Apache-2.0
 * pool/cheaper.c - the plans for one image (stage 3 of 9, dispatch).
 * In: the coefficients of READY, the sides of the image.  Out: the memory of a plan, without the decoder's; another plan. */
#include "pool/cheaper.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pool/estimate.h"
#include "pool/pool.h"

#define STRIP_COLUMNS 256      /* a strip may be narrower */
#define UNKNOWN_SIDE_PX 65535u /* the longest side of any image */

typedef enum plan_kind {
    PLAN_WHOLE = 0,
    PLAN_STRIPS,
    PLAN_TILES,
    PLAN_SHRINK,
    PLAN_SHRUNK_STRIPS,
    PLAN_COUNT
} plan_kind;

static const char *const names[PLAN_COUNT] = {"whole", "strips", "tiles", "shrink", "shrink+strips"};

/* RGB, as wide as the image, and as high as twice the usual overlap. */
uint64_t cheaper_edge_bytes(const ipc_ready *facts, uint64_t width_px, uint32_t sample_bytes) {
    uint64_t scale = facts->scale;
    return width_px * scale * 3 * sample_bytes * 2 * CHEAPER_EDGE_ROWS * scale;
}

uint64_t cheaper_strips_bytes(const ipc_ready *facts, uint64_t width_px, uint32_t sample_bytes) {
    return facts->base_bytes + facts->column_bytes * STRIP_COLUMNS + cheaper_edge_bytes(facts, width_px, sample_bytes);
}

static uint64_t width_of(const job_spec *spec) {
    return spec->shrink_px ? spec->shrink_px : spec->width_px ? spec->width_px : UNKNOWN_SIDE_PX;
}

static uint32_t sample_bytes_of(const job_spec *spec) {
    return spec->sample_bytes ? spec->sample_bytes : sizeof(float);
}

static uint64_t strips_bytes(const ipc_ready *facts, const job_spec *spec) {
    return cheaper_strips_bytes(facts, width_of(spec), sample_bytes_of(spec));
}

/* Of the whole image, or of tiles. */
static uint64_t uncut_bytes(const ipc_ready *facts, const job_spec *spec) {
    uint64_t width_px = width_of(spec), piece_px = width_px;
    if (spec->tile_px && spec->tile_px < width_px)
        piece_px = spec->tile_px;
    return facts->base_bytes + facts->column_bytes * estimate_side_px(piece_px) +
           (piece_px < width_px ? cheaper_edge_bytes(facts, width_px, sample_bytes_of(spec)) : 0);
}

static bool is_cut(const ipc_ready *facts, const job_spec *spec) {
    return !spec->tile_px && spec->memory_bytes && uncut_bytes(facts, spec) > spec->memory_bytes;
}

static uint64_t bytes_of(const ipc_ready *facts, const job_spec *spec) {
    return is_cut(facts, spec) ? spec->memory_bytes : uncut_bytes(facts, spec);
}

static plan_kind kind_of(const ipc_ready *facts, const job_spec *spec) {
    bool is_in_strips = is_cut(facts, spec);
    return spec->tile_px     ? PLAN_TILES
           : spec->shrink_px ? (is_in_strips ? PLAN_SHRUNK_STRIPS : PLAN_SHRINK)
                             : (is_in_strips ? PLAN_STRIPS : PLAN_WHOLE);
}

const char *cheaper_name(const ipc_ready *facts, const job_spec *spec) {
    return names[kind_of(facts, spec)];
}

/* The plan of this kind for an image that now takes now_bytes. An image that is
 * reduced is enlarged in strips too. false: it does not exist for this image. */
static bool make_plan(const ipc_ready *facts, plan_kind kind, uint64_t now_bytes, job_spec *plan) {
    uint64_t strips = strips_bytes(facts, plan);
    switch (kind) {
    case PLAN_STRIPS:
        plan->memory_bytes = strips > now_bytes / 2 ? strips : now_bytes / 2;
        return !plan->tile_px;
    case PLAN_TILES:
        plan->tile_px = LIMIT_SMALL_TILE_PX;
        plan->memory_bytes = 0; /* the memory of tiles follows from their side */
        return !plan->shrink_px;
    default:
        plan->tile_px = 0;
        plan->shrink_px = LIMIT_OVERSIZE_PX;
        plan->memory_bytes = strips_bytes(facts, plan);
        return plan->may_shrink;
    }
}

bool cheaper_take_next(const ipc_ready *facts, job_spec *spec) {
    uint64_t now_bytes = bytes_of(facts, spec);
    plan_kind now = kind_of(facts, spec);
    for (int kind = now == PLAN_TILES ? PLAN_TILES : now + 1; kind < PLAN_COUNT; kind++) {
        job_spec plan = *spec;
        if (make_plan(facts, (plan_kind)kind, now_bytes, &plan) && bytes_of(facts, &plan) <= now_bytes / 4 * 3) {
            *spec = plan;
            return true;
        }
    }
    return false;
}

/* What takes less memory than all that was tried. */
static void write_advice(const job_spec *spec, char *ret_text, size_t size) {
    uint32_t longer_px = spec->width_px > spec->height_px ? spec->width_px : spec->height_px;
    bool can_shrink = !spec->shrink_px && longer_px > LIMIT_OVERSIZE_PX;
    bool is_job = spec->preview_side_px > 0;
    size_t used = (size_t)snprintf(ret_text, size, "%s%s", can_shrink && is_job ? "POST /upscale with " : "",
                                   can_shrink ? "oversize=shrink, or " : "");
    if (spec->width_px > 1 && spec->height_px > 1)
        snprintf(ret_text + used, size - used, "an image of at most %" PRIu32 " x %" PRIu32 " pixels",
                 spec->width_px / 2, spec->height_px / 2);
    else
        snprintf(ret_text + used, size - used, "a smaller image");
}

bool cheaper_retry(job *item) {
    const ipc_ready *facts = &item->network->facts;
    size_t used = strlen(item->tried);
    bool is_first = used == 0;
    snprintf(item->tried + used, sizeof item->tried - used, "%s%s", is_first ? "" : ", ",
             cheaper_name(facts, &item->spec));
    if (is_first && cheaper_take_next(facts, &item->spec))
        return true;
    char advice[96];
    write_advice(&item->spec, advice, sizeof advice);
    snprintf(item->detail, sizeof item->detail,
             "more than the %" PRIu64 " MiB of memory allowed was taken (tried: %s); less is needed for %s",
             item->grown_limit_bytes >> 20, item->tried, advice);
    return false;
}
