/* SPDX-License-Identifier: Apache-2.0
 * enlarge/provenance.c - how an image was made, as one line of text (stage 8 of 9, encode).
 * In: a network and a plan.  Out: text. The words of the plan are those of X-Swin2SR-Plan. */
#include "enlarge/provenance.h"

#include <stdio.h>

#include "base/precision.h"

void provenance_write(const swin2sr_model_info *network, const swin2sr_plan *plan, bool is_shrunk,
                      char text[PROVENANCE_BYTES]) {
    char pieces[40] = "whole";
    const char *precision = swin2sr__precision_name((size_t)network->precision);
    if (is_shrunk)
        snprintf(pieces, sizeof pieces, "shrink");
    else if (plan->columns * plan->bands > 1)
        snprintf(pieces, sizeof pieces, "%s=%d", plan->bands == 1 ? "strips" : "tiles",
                 (int)(plan->columns * plan->bands));
    snprintf(text, PROVENANCE_BYTES, "swin2sr-cloud %s; network %s; sha256 %s; precision %s; plan %s", SWIN2SR_VERSION,
             network->name, network->sha256, precision ? precision : "unknown", pieces);
    for (char *at = text; *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
}
