/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_config.c - read any bytes as a config: the metadata of a weight file, or a config.json.
 * Checks that an accepted config has names and shapes for all its tensors, each within the limits of a weight. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static swin2sr_status check_tensor(void *context, const char *name, const int64_t *shape, int rank) {
    (void)context;
    char official[SWIN2SR__MAX_NAME_BYTES];
    swin2sr__names_official(name, official);
    if (rank < 1 || rank > SWIN2SR__MAX_WEIGHT_RANK || strcmp(official, name) != 0)
        abort();
    for (int i = 0; i < rank; i++)
        if (shape[i] < 1)
            abort();
    return SWIN2SR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    swin2sr__config config;
    swin2sr_error error = {""};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    swin2sr_status status = swin2sr__config_parse(text, &config, &error);
    if (status == SWIN2SR_OK)
        status = swin2sr__config_check(&config, &error);
    if (status != SWIN2SR_OK && !error.text[0])
        abort();
    if (status == SWIN2SR_OK && (swin2sr__config_match(&config, &config, NULL) != SWIN2SR_OK ||
                                 swin2sr__names_each(&config, check_tensor, NULL) != SWIN2SR_OK))
        abort();
    free(text);
    return 0;
}
