/* SPDX-License-Identifier: Apache-2.0
 * model/import.h - write a network as one safetensors file that describes itself. */
#pragma once

#include "model/source.h"

/* info     Of source, opened as a model, which proves that it can be run and that every number in it is finite.
 * options  Not NULL.
 * others   See swin2sr_model_import.
 * errors   _IO, _INVALID (options), _MODEL, _NOMEM. */
swin2sr_status swin2sr__import_write(const swin2sr__source *source, const swin2sr_model_info *info, const char *to_path,
                                     const swin2sr_import_options *options, swin2sr_error *reterr);
