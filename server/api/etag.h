/* SPDX-License-Identifier: Apache-2.0
 * api/etag.h - what a request and its result are recognised by (stages 1 request and 9 respond). */
#pragma once

#include "api/call.h"

/* Set body_sha256 and etag of a call whose upload is complete and whose network is chosen. The tag covers all that
 * decides about the bytes of the result: image, options, weights, program, precision and kernel level. */
void etag_set(upscale_call *self);
