/* SPDX-License-Identifier: Apache-2.0
 * model/weights.h - a weight file as named float tensors, whatever names and types the file uses.
 * In: a file in memory (hostile until checked).  Out: float32 tensors by their official names.
 * Every offset, shape and size is checked before use; nothing in the file is trusted. */
#ifndef SWIN2SR_MODEL_WEIGHTS_H
#define SWIN2SR_MODEL_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/tensors.h"
#include <swin2sr/model.h>
#include <swin2sr/status.h>

typedef struct swin2sr__weights swin2sr__weights;

/* Parse the header and find out the network's shape.
 * data, size   The file. Borrowed until close.
 * config_json  Text of a config.json from beside the file, or NULL.
 * options      window_px and img_range override; NULL for none.
 * ret_weights  The caller's (swin2sr__weights_close). Untouched on failure.
 * errors       _MODEL with a detail that names what is wrong, _INVALID (options), _NOMEM. */
swin2sr_status swin2sr__weights_open(const void *data, size_t size, const char *config_json,
                                     const swin2sr_model_options *options, swin2sr__weights **ret_weights,
                                     swin2sr_error *reterr);
const swin2sr__config *swin2sr__weights_config(const swin2sr__weights *weights);

/* A string of the metadata ("name", "license", ...); NULL when absent. Borrowed until close. */
const char *swin2sr__weights_metadata(const swin2sr__weights *weights, const char *key);

/* How many numbers the file's tensors hold (buffers like relative_position_index not counted). */
uint64_t swin2sr__weights_parameters(const swin2sr__weights *weights);

/* The one tensor of the file that holds an official one, or the three whose rows follow each other in it: Hugging Face
 * files have query, key and value apart.
 * shape, rank  What the tensor must be, rank <= 4.
 * ret_parts    Borrowed until close; *ret_count of them.
 * errors       _MODEL: missing, or expected and found shapes differ (both in the detail), or no type for weights. */
swin2sr_status swin2sr__weights_find(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     const swin2sr__tensor *ret_parts[3], int *ret_count, swin2sr_error *reterr);

/* Read one tensor by its official name ("layers.0.residual_group.blocks.1.attn.qkv.weight"), converted to float.
 * Hugging Face files are answered under official names too (query, key and value become one qkv).
 * dst     Holds the product of shape.
 * others  As swin2sr__weights_find.
 * errors  As swin2sr__weights_find, or a value is not finite. */
swin2sr_status swin2sr__weights_read(const swin2sr__weights *weights, const char *name, const int64_t *shape, int rank,
                                     float *dst, swin2sr_error *reterr);
void swin2sr__weights_close(swin2sr__weights *weights);

#endif
