/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/upscale.h - enlarge an image in memory with one call. */
#ifndef SWIN2SR_UPSCALE_H
#define SWIN2SR_UPSCALE_H

#include <swin2sr/stream.h>

SWIN2SR_BEGIN

/* Enlarge one image by the model's scale.
 * in       Borrowed and not modified. in->pixel is used instead of options->input_pixel.
 * options  NULL for the defaults. Borrowed.
 * ret_out  On success an image of width * scale x height * scale pixels of type options->output_pixel, owned by the
 *          caller (swin2sr_image_free). Untouched on failure.
 * reterr   Details of a failure; may be NULL.
 * threads  Any. Blocks. Several threads may use one model at the same time.
 * errors   _INVALID, _TOO_LARGE, _NOMEM, _CANCELLED.                                 since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_upscale(swin2sr_model *model, const swin2sr_image *in,
                                                                 const swin2sr_options *options, swin2sr_image *ret_out,
                                                                 swin2sr_error *reterr);

SWIN2SR_END
#endif
