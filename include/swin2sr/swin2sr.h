/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/swin2sr.h - the whole C API: Swin2SR image super-resolution on a plain CPU.
 *
 *   swin2sr_model_open_default -> swin2sr_upscale                             one image, one call
 *   swin2sr_stream_open -> swin2sr_stream_push ... -> swin2sr_stream_close    rows in, rows out
 *
 * docs/examples/upscale_gradient.c is a complete program.
 *
 * Compatibility of the binary interface. A program that was built against the headers of libswin2sr.so.N runs with every
 * later library of the same N:
 *   - functions and values of enums are added, never removed or renumbered;
 *   - a new field takes the place of a reserved one, and 0 in it means what the library did before. Start every struct
 *     of options from {0}, which also sets the reserved fields; a reserved field that is not 0 is refused;
 *   - structs that the library alone makes (swin2sr_model_info) may grow at their end.
 * A change that breaks this gets the next N. Before version 1.0 a minor version may do that. */
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
