/* SPDX-License-Identifier: Apache-2.0
 * fuzz/open_and_read.h - open any bytes as a weight file, for the fuzz targets of weight files.
 * If the file opens, all of its tensors are read, so that every extent that was accepted is accessed. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/names.h"
#include "model/weights.h"

/* Fill with numbers that are finite in every type, except in the last four bytes. */
static inline void fill_numbers(uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++)
        data[i] = i + 4 < size ? (uint8_t)(i * 37 & 0x3f) : 0xff;
}

static swin2sr_status read_one(void *context, const char *name, const int64_t *shape, int rank) {
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i]; /* cannot overflow: open has checked that the file has them all */
    float *numbers = malloc(count * sizeof(float));
    if (numbers) {
        swin2sr_status status = swin2sr__weights_read(context, name, shape, rank, numbers, NULL);
        if (status != SWIN2SR_OK && status != SWIN2SR_MODEL)
            abort();
    }
    free(numbers);
    return SWIN2SR_OK;
}

static void open_and_read(const uint8_t *data, size_t size, const char *config_json) {
    swin2sr__weights *weights = NULL;
    swin2sr_error error = {""};
    if (swin2sr__weights_open(data, size, config_json, NULL, &weights, &error) != SWIN2SR_OK) {
        if (weights || !error.text[0])
            abort();
        return;
    }
    if (swin2sr__names_each(swin2sr__weights_config(weights), read_one, weights) != SWIN2SR_OK)
        abort();
    swin2sr__weights_close(weights);
}
