/* SPDX-License-Identifier: Apache-2.0
 * model/pickle.h - reads the pickle in which torch.save describes tensors, without running anything.
 * In: bytes of a pickle, untrusted until checked.  Out: values that refer to each other by index; texts stay in place.
 * A pickle is a program for a stack machine that can call anything. The machine here has only the instructions that
 * describe a state dict, and knows only three functions and the storage types. "Calling" one of them makes a value. Any
 * other name or instruction is an error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

/* A state dict takes 150 bytes and 16 values per tensor; the largest published one has 900 tensors. */
#define SWIN2SR__MAX_PICKLE_BYTES (4u << 20)
#define SWIN2SR__MAX_PICKLE_VALUES (1u << 20)

typedef enum swin2sr__pickle_kind {
    SWIN2SR__PICKLE_OTHER = 0, /* None, a truth value, a float, a huge integer: ignored */
    SWIN2SR__PICKLE_INTEGER,
    SWIN2SR__PICKLE_TEXT,
    SWIN2SR__PICKLE_LIST, /* its elements are ignored */
    SWIN2SR__PICKLE_TUPLE,
    SWIN2SR__PICKLE_DICT,
    SWIN2SR__PICKLE_ENTRY, /* one entry of a dict, in a chain */
    SWIN2SR__PICKLE_ORDERED_DICT_TYPE,
    SWIN2SR__PICKLE_TENSOR_FUNCTION,    /* torch._utils._rebuild_tensor_v2 */
    SWIN2SR__PICKLE_PARAMETER_FUNCTION, /* torch._utils._rebuild_parameter */
    SWIN2SR__PICKLE_STORAGE_TYPE,       /* torch.FloatStorage and others */
    SWIN2SR__PICKLE_STORAGE,            /* from a persistent id */
    SWIN2SR__PICKLE_TENSOR,
    SWIN2SR__PICKLE_KIND_COUNT
} swin2sr__pickle_kind;

typedef struct swin2sr__pickle_value {
    swin2sr__pickle_kind kind;
    union {
        int64_t integer;
        struct {
            const char *text; /* not terminated, any bytes; of a storage type: "Float" */
            size_t text_bytes;
        };
        struct {
            uint32_t first, count; /* of a tuple: its elements are items[first] to items[first + count - 1] */
        };
        struct {
            uint32_t entry, last; /* of a dict: its first and last entry, 0: empty */
        };
        struct {
            uint32_t key, value, next; /* of an entry; next 0: the last */
        };
        uint32_t tuple; /* of a storage: the persistent id; of a tensor: the arguments */
    };
} swin2sr__pickle_value;

typedef struct swin2sr__pickle {
    swin2sr__pickle_value *values; /* 0 is never used */
    uint32_t *items;               /* indices into values */
    uint32_t root;
} swin2sr__pickle;

/* data        Borrowed until done.
 * ret_pickle  Filled on success; the caller's (swin2sr__pickle_done). Untouched on failure.
 * errors      _MODEL, where the detail says what is wrong with the pickle, _NOMEM. */
swin2sr_status swin2sr__pickle_init(const void *data, size_t size, swin2sr__pickle *ret_pickle, swin2sr_error *reterr);
void swin2sr__pickle_done(swin2sr__pickle *pickle);

/* True if the value is this text. */
bool swin2sr__pickle_is_text(const swin2sr__pickle_value *value, const char *text);

/* Element i of a tuple; NULL if the value is not a tuple or has fewer elements. */
const swin2sr__pickle_value *swin2sr__pickle_element(const swin2sr__pickle *pickle, const swin2sr__pickle_value *tuple,
                                                     uint32_t i);
