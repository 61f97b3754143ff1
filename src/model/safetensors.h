/* SPDX-License-Identifier: Apache-2.0
 * model/safetensors.h - the safetensors container: named tensors in a file held in memory.
 * The format: u64 LE header length, a JSON header, then the tensors' bytes, which cover the rest without gaps. */
#pragma once

#include "model/tensors.h"

/* The largest published Swin2SR has a header of 110 kB; parsed JSON takes a hundred times its length in memory. */
#define SWIN2SR__MAX_HEADER_BYTES (1u << 20)

/* Read the directory of a file.
 * data      Borrowed until swin2sr__tensors_done.
 * ret_file  Filled on success; the caller's (swin2sr__tensors_done). Untouched on failure.
 * errors    _MODEL, where the detail says what is wrong, _NOMEM. */
swin2sr_status swin2sr__safetensors_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                         swin2sr_error *reterr);
