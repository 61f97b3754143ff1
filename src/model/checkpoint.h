/* SPDX-License-Identifier: Apache-2.0
 * model/checkpoint.h - a checkpoint as torch.save writes it (.pth, .pt, pytorch_model.bin): tensors in a zip file.
 * The format: stored entries FOLDER/data.pkl, a pickle of the state dict, and FOLDER/data/KEY, the bytes of each
 * storage; FOLDER/byteorder may say "little". The state dict is the value of params_ema, params or state_dict in the
 * pickle, else the whole pickle. Nothing in the file is ever run. */
#pragma once

#include "model/tensors.h"

/* True if the file begins like a checkpoint of this format or an older one. */
bool swin2sr__checkpoint_is_one(const void *data, size_t size);

/* Read the directory of a checkpoint. Arguments and errors: swin2sr__safetensors_init. Tensors whose bytes are not in
 * row-major order are copied; all tensors together are no larger than the file. */
swin2sr_status swin2sr__checkpoint_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                        swin2sr_error *reterr);
