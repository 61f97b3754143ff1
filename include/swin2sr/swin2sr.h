/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/swin2sr.h - the whole C API: Swin2SR image super-resolution on the CPU.
 *
 *   swin2sr_model_open_default -> swin2sr_upscale                             one image, one call
 *   swin2sr_stream_open -> swin2sr_stream_push ... -> swin2sr_stream_close    rows in, rows out
 *
 * docs/examples/upscale_gradient.c is a complete program.
 *
 * Binary compatibility. A program that was built with the headers of libswin2sr.so.N runs with every later library
 * that has the same N:
 *   - functions and values of enums are added, but never removed or renumbered;
 *   - a new field takes the place of a reserved one, and its value 0 means the previous behaviour. Initialise every
 *     struct of options with {0} or designated initialisers: a reserved field that is not 0 is refused;
 *   - structs that only the library creates (swin2sr_model_info) may grow at their end.
 * A change that breaks one of these rules increments N. Before version 1.0 that may happen in a minor version. */
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
