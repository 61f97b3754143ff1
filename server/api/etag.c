/* SPDX-License-Identifier: Apache-2.0
 * api/etag.c - digest of a request and entity tag of its result (stages 1 request and 9 respond).
 * In: the digest of the upload, the options, the network's digest.  Out: a digest, and the entity tag but for what the
 * worker adds (facts_etag). */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "format/choice.h"

void etag_set(upscale_call *self) {
    const upscale_options *options = &self->intake.options;
    const ipc_ready *facts = &self->network->facts;
    const format_target *target = &options->target;
    char text[704], undamaged[160] = "", hex[65];
    if (self->undamaged)
        snprintf(undamaged, sizeof undamaged, " %s %s %d", self->undamaged->served->name, self->undamaged->facts.sha256,
                 CHOICE_VERSION);
    snprintf(text, sizeof text, "%s %s%s %s %u %s %u %d %d%d %u %u %u %u %u %u %u %u %u", self->intake.sha256,
             self->network->served->name, undamaged, format_get(options->format)->name, (unsigned int)options->quality,
             format_compression_name(options->compression), (unsigned int)options->metadata, options->is_strict,
             options->is_batch, options->is_format_given, target->scale_milli, target->width_px, target->height_px,
             target->is_fit, target->crop_x_px, target->crop_y_px, target->crop_width_px, target->crop_height_px,
             target->plain_parts);
    swin2sr__sha256_hex(text, strlen(text), self->body_sha256);
    snprintf(text, sizeof text, "%s %s %s", self->body_sha256, facts->sha256, SWIN2SR_VERSION);
    swin2sr__sha256_hex(text, strlen(text), hex);
    snprintf(self->etag, sizeof self->etag, "\"%.32s\"", hex);
    if (!options->webhook[0]) /* it changes the request, and not the result */
        return;
    snprintf(text, sizeof text, "%s %s", self->body_sha256, options->webhook);
    swin2sr__sha256_hex(text, strlen(text), self->body_sha256);
}
