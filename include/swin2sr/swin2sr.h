/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/swin2sr.h - the whole C API: Swin2SR image super-resolution on a plain CPU.
 *
 *   swin2sr_model_open_default -> swin2sr_upscale                             one image, one call
 *   swin2sr_stream_open -> swin2sr_stream_push ... -> swin2sr_stream_close    rows in, rows out
 *
 * docs/examples/upscale_gradient.c is a complete program. */
#ifndef SWIN2SR_SWIN2SR_H
#define SWIN2SR_SWIN2SR_H

#include <swin2sr/image.h>
#include <swin2sr/model.h>
#include <swin2sr/status.h>
#include <swin2sr/stream.h>
#include <swin2sr/threads.h>
#include <swin2sr/types.h>
#include <swin2sr/upscale.h>

#endif
