/* SPDX-License-Identifier: Apache-2.0
 * enlarge/choose.h - look at the first rows of a picture, to choose its network (stage 4 of 9, decode).
 * The rows are decoded once: whoever reads the part afterwards gets them too. */
#pragma once

#include "enlarge/crop.h"
#include "format/choice.h"

/* part        Opened, and nothing read from it.
 * data, size  The whole file.
 * ret_choice  CHOICE_UNDAMAGED, or why the network that repairs damage is to be used.
 * errors      Those of crop_peek. */
swin2sr_status choose(crop *part, const void *data, size_t size, choice_reason *ret_choice, swin2sr_error *reterr);
