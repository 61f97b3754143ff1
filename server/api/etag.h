/* SPDX-License-Identifier: Apache-2.0
 * api/etag.h - digest of a request and entity tag of its result (stages 1 request and 9 respond). */
#pragma once

#include "api/call.h"

/* Set body_sha256 and etag of a call whose upload is complete and whose network is chosen. The tag depends on
 * everything that the bytes of the result depend on: image, options, weights, program, precision and kernel level. */
void etag_set(upscale_call *self);
