/* SPDX-License-Identifier: Apache-2.0
 * enlarge/provenance.h - how an image was made, as one line of text (stage 8 of 9, encode). Pure. */
#pragma once

#include <swin2sr/swin2sr.h>

#define PROVENANCE_BYTES 400

/* "swin2sr-cloud VERSION; network NAME; sha256 HEX; precision fp32; plan whole", in printable ASCII. */
void provenance_write(const swin2sr_model_info *network, const swin2sr_plan *plan, bool is_shrunk,
                      char text[PROVENANCE_BYTES]);
