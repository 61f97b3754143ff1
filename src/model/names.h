/* SPDX-License-Identifier: Apache-2.0
 * model/names.h - names and shapes of the tensors of a Swin2SR network.
 * Official names are those of the published network; Hugging Face files are translated into them.
 * In official names the parts of a Hugging Face attention are "attn.q.weight", "attn.k.weight", "attn.v.weight". */
#pragma once

#include "model/config.h"
#include "model/tensors.h"

#define SWIN2SR__MAX_WEIGHT_RANK 4

/* The official name of a tensor; a name that Hugging Face does not use is copied. */
void swin2sr__names_official(const char *name, char ret_official[SWIN2SR__MAX_NAME_BYTES]);

/* The length of a wrapper's prefix ("params_ema.", "params.", "module."); 0: there is none. */
size_t swin2sr__names_prefix(const char *name);

/* True for tables that follow from the window and the image size. Some files contain them; they are never read. */
bool swin2sr__names_is_buffer(const char *official);

/* Call visit for every trained tensor of a network of this shape; stop at the first status that is not OK.
 * config  Checked (swin2sr__config_check). */
typedef swin2sr_status swin2sr__names_visit(void *context, const char *official, const int64_t *shape, int rank);
swin2sr_status swin2sr__names_each(const swin2sr__config *config, swin2sr__names_visit *visit, void *context);
