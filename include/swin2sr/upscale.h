/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/upscale.h - one call: an image in, the enlarged image out. */
#ifndef SWIN2SR_UPSCALE_H
#define SWIN2SR_UPSCALE_H

#include <swin2sr/stream.h>

SWIN2SR_BEGIN

/* Upscale one image by the model's factor.
 * in       Borrowed; not modified. Its pixel type counts, options->input_pixel is ignored.
 * options  NULL for the defaults.
 * ret_out  width*scale x height*scale, type options->output_pixel. On success the caller owns it
 *          (swin2sr_image_free); on failure untouched.
 * threads  Any. Blocks. Calls with the same model are independent.
 * errors   _INVALID, _TOO_LARGE, _NOMEM, _CANCELLED.                                 since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_upscale(swin2sr_model *model, const swin2sr_image *in,
                                                                 const swin2sr_options *options, swin2sr_image *ret_out,
                                                                 swin2sr_error *reterr);

SWIN2SR_END
#endif
