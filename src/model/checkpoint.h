/* SPDX-License-Identifier: Apache-2.0
 * model/checkpoint.h - a checkpoint as torch.save writes it (.pth, .pt, pytorch_model.bin): tensors in a zip file.
 * The format: stored entries FOLDER/data.pkl, a pickle of the state dict, and FOLDER/data/KEY, the bytes of each
 * storage; FOLDER/byteorder may say "little". The state dict is what lies under params_ema, params or state_dict in
 * the pickle, or the whole. Nothing in the file is ever run. */
#ifndef SWIN2SR_MODEL_CHECKPOINT_H
#define SWIN2SR_MODEL_CHECKPOINT_H

#include "model/tensors.h"

/* Does the file begin like a checkpoint, of this format or an older one? */
bool swin2sr__checkpoint_is_one(const void *data, size_t size);

/* Read the directory of a checkpoint; arguments and errors are those of swin2sr__safetensors_init. Tensors whose bytes
 * are not in row-major order are copied; together the tensors are no larger than the file. */
swin2sr_status swin2sr__checkpoint_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                        swin2sr_error *reterr);

#endif
