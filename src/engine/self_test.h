/* SPDX-License-Identifier: Apache-2.0
 * engine/self_test.h - whether a device computes what the CPU computes. */
#pragma once

#include "engine/engine.h"

/* Enlarge a small picture with both and compare the results. It has shifted windows, edges of windows and padding.
 * errors  _UNSUPPORTED: they differ, or the device fails; the detail says by how much. _NOMEM. */
swin2sr_status swin2sr__engine_self_test(const swin2sr__packed *packed, const swin2sr__packed *reference,
                                         swin2sr_error *reterr);
