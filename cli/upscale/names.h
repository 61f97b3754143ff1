/* SPDX-License-Identifier: Apache-2.0
 * cli/upscale/names.h - the name of each output in a folder.
 * In: inputs.  Out: FOLDER/INNER_x<scale>.<ending> or another suffix, where INNER is the input's place below the folder that was named.
 * Where inputs that differ in their ending would get one name, each keeps its ending: a.jpg and a.png become
 * a_jpg_x4.png and a_png_x4.png. */
#pragma once

#include <stdint.h>

#include "format/format.h"
#include "inputs.h"

/* Name the outputs of all inputs without a problem. suffix: "_x4", between the stem and the ending.
 * One that would get the name of an earlier input gets a problem.
 * returns  false: out of memory, which has been reported. */
bool names_assign(input_list *inputs, const char *folder, const char *suffix, format_id format);
