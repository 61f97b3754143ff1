/* SPDX-License-Identifier: Apache-2.0
 * cli/model/record.h - what a network's file tells without being run: recorded hash, present hash, origin.
 * NAME.safetensors.sha256, beside the network, has the format of `sha256sum -c`. The origin is metadata of the file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define RECORD_ENDING ".safetensors.sha256"

/* The hash of the bytes that a file has now.  errors: _IO. */
swin2sr_status record_hash_file(const char *path, char ret_hex[65], swin2sr_error *reterr);

/* Record the hash of an installed model.  errors: _IO, _INVALID, _NOMEM. */
swin2sr_status record_write(const char *name, const char hex[65], swin2sr_error *reterr);

/* The recorded hash; false: there is none, or it cannot be read. */
bool record_read(const char *name, char ret_hex[65]);

/* Convert 64 hex digits of either case to lower case; false for anything else. */
bool record_parse_hex(const char *text, char ret_hex[65]);

typedef struct model_facts {
    int32_t scale; /* 0: not stated */
    char license[128];
    char source[512];
    char original_sha256[65]; /* of the file that it was imported from */
} model_facts;

/* Read the header of a safetensors file. What it does not state is empty.
 * errors  _IO, _MODEL (not a safetensors file), _NOMEM. */
swin2sr_status model_facts_read(const char *path, model_facts *ret_facts, swin2sr_error *reterr);
