/* SPDX-License-Identifier: Apache-2.0
 * model/weights.h - a weight file as named float tensors, for all names and types that files use.
 * In: a file in memory, untrusted until checked.  Out: float32 tensors by their official names. */
#pragma once

#include "model/config.h"
#include "model/tensors.h"
#include <swin2sr/model.h>

typedef struct swin2sr__weights swin2sr__weights;

/* Parse the header and determine the shape of the network.
 * data, size   The file. Borrowed until close.
 * config_json  Text of a config.json from beside the file, or NULL.
 * options      window_px and img_range override; NULL for none.
 * ret_weights  The caller's (swin2sr__weights_close). Untouched on failure.
 * errors       _MODEL, where the detail says what is wrong, _INVALID (options), _NOMEM. */
swin2sr_status swin2sr__weights_open(const void *data, size_t size, const char *config_json,
                                     const swin2sr_model_options *options, swin2sr__weights **ret_weights,
                                     swin2sr_error *reterr);
const swin2sr__config *swin2sr__weights_config(const swin2sr__weights *weights);

/* A string of the metadata ("name", "license", ...); NULL: absent. Borrowed until close. */
const char *swin2sr__weights_metadata(const swin2sr__weights *weights, const char *key);

/* The count of numbers in the tensors of the file, without buffers like relative_position_index. */
uint64_t swin2sr__weights_parameters(const swin2sr__weights *weights);

/* Find the tensor of the file for an official name, or the three tensors whose rows make it up one after another:
 * Hugging Face files have query, key and value as separate tensors.
 * shape, rank  The expected shape, rank <= 4.
 * ret_parts    Borrowed until close; *ret_count of them.
 * errors       _MODEL: the tensor is missing, has another shape (the detail has both), or has a type without floats. */
swin2sr_status swin2sr__weights_find(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     const swin2sr__tensor *ret_parts[3], int *ret_count, swin2sr_error *reterr);

/* Read one tensor by its official name ("layers.0.residual_group.blocks.1.attn.qkv.weight"), converted to float.
 * Official names also work for Hugging Face files (query, key and value become one qkv).
 * dst     Holds the product of shape.
 * others  See swin2sr__weights_find.
 * errors  Those of swin2sr__weights_find, and _MODEL if a value is not finite. */
swin2sr_status swin2sr__weights_read(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     float *dst, swin2sr_error *reterr);
void swin2sr__weights_close(swin2sr__weights *weights);
