/* SPDX-License-Identifier: Apache-2.0
 * api/call.c - what api/upscale.c and api/accept.c share (stages 1 request and 9 respond).
 * In: a call.  Out: a refusal; the spec of a job. */
#include "api/call.h"

#include <string.h>

#include "admit/admit.h"

bool call_refuse(upscale_call *self, problem *what) {
    if (problem_code(what) == HTTP_UNAVAILABLE && what->retry_after_s == 0)
        what->retry_after_s = pace_retry_after_s(self->network->owner);
    if (what->kind == PROBLEM_STORAGE && what->retry_after_s == 0)
        what->retry_after_s = LIMIT_STORAGE_RETRY_S;
    http_answer_problem(self->request, what);
    return false;
}

uint64_t call_limit_us(const upscale_call *self) {
    const server_config *config = self->service->config;
    return (uint64_t)(self->kind == CALL_JOB ? config->job_s : config->deadline_s) * 1000000;
}

job_spec call_spec(const upscale_call *self) {
    const upscale_options *options = &self->intake.options;
    const probe_info *image = &self->image;
    bool is_turned = image->orientation > 4; /* its sides change places */
    uint64_t most_us = call_limit_us(self), wanted_us = options->deadline_ms * 1000;
    job_spec spec = {.version = JOB_SPEC_VERSION,
                     .format = options->format,
                     .quality = options->quality,
                     .compression = options->compression,
                     .metadata = options->metadata,
                     .frames_max = self->work.is_animation ? (uint32_t)self->service->config->frames_max : 0,
                     .target = options->target,
                     .is_hurried = self->is_hurried,
                     .is_strict = options->is_strict,
                     .width_px = (uint32_t)(is_turned ? image->height_px : image->width_px),
                     .height_px = (uint32_t)(is_turned ? image->width_px : image->height_px),
                     .sample_bytes = cost_sample_bytes(image),
                     .may_shrink = self->work.may_shrink,
                     .tile_px = self->work.tile_px,
                     .shrink_px = self->work.shrink_px,
                     .memory_bytes = self->work.memory_bytes,
                     .preview_side_px = self->kind == CALL_JOB && !self->list_bytes ? LIMIT_PREVIEW_PX : 0,
                     .in_bytes = self->intake.upload.bytes,
                     .list_bytes = self->list_bytes,
                     .in_pixels_max = self->service->config->in_pixels_max,
                     .out_pixels_max = LIMIT_OUT_PIXELS,
                     .limit_us = wanted_us && wanted_us < most_us ? wanted_us : most_us};
    strcpy(spec.request_id, self->request->id);
    strcpy(spec.trace, self->request->trace);
    strcpy(spec.owner, self->request->owner);
    strcpy(spec.model, self->network->served->name);
    if (self->undamaged)
        strcpy(spec.undamaged_model, self->undamaged->served->name);
    return spec;
}
