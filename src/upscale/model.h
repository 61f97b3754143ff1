/* SPDX-License-Identifier: Apache-2.0
 * upscale/model.h - what is inside a swin2sr_model. */
#pragma once

#include "engine/engine.h"
#include <swin2sr/model.h>

/* The network as its device runs it; lives as long as the model. */
const swin2sr__packed *swin2sr__model_packed(const swin2sr_model *model);
