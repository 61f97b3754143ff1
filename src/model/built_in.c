/* SPDX-License-Identifier: Apache-2.0
 * model/built_in.c - the networks that are built into libswin2sr.
 * In: models/NAME/model.safetensors for each row of base/built_in.h.  Out: their bytes, read-only, in the program. */
#include "base/built_in.h"
#include <swin2sr/model.h>

#define EMBED(identifier, name, role, summary)                              \
    __asm__(".pushsection .rodata\n"                                        \
            ".balign 64\n"                                                  \
            "swin2sr__network_" #identifier ":\n"                           \
            ".incbin \"" SWIN2SR_NETWORKS "/" name "/model.safetensors\"\n" \
            "swin2sr__network_" #identifier "_end:\n"                       \
            ".byte 0\n"                                                     \
            ".popsection\n");                                               \
    extern const unsigned char swin2sr__network_##identifier[], swin2sr__network_##identifier##_end[];

SWIN2SR__BUILT_IN_NETWORKS(EMBED)

typedef struct embedded {
    const unsigned char *begin, *end;
} embedded;

#define ROW(identifier, name, role, summary) {swin2sr__network_##identifier, swin2sr__network_##identifier##_end},

static const embedded files[] = {SWIN2SR__BUILT_IN_NETWORKS(ROW)};

size_t swin2sr_model_built_in_count(void) {
    return swin2sr__built_in_count();
}

const char *swin2sr_model_built_in_name(size_t index) {
    const swin2sr__built_in *network = swin2sr__built_in_get(index);
    return network ? network->name : NULL;
}

const char *swin2sr_model_built_in_summary(size_t index) {
    const swin2sr__built_in *network = swin2sr__built_in_get(index);
    return network ? network->summary : NULL;
}

const void *swin2sr_model_built_in_bytes(const char *name, size_t *ret_size) {
    size_t index = swin2sr__built_in_find(name);
    if (index == swin2sr__built_in_count())
        return NULL;
    *ret_size = (size_t)(files[index].end - files[index].begin);
    return files[index].begin;
}

const void *swin2sr_model_default_bytes(size_t *ret_size) {
    return swin2sr_model_built_in_bytes(SWIN2SR__BUILT_IN_DEFAULT, ret_size);
}
