/* SPDX-License-Identifier: Apache-2.0
 * base/built_in.c - the names of the networks inside the program. */
#include "base/built_in.h"

#include <string.h>

#define ROW(identifier, name, role, summary) {name, summary, role},

static const swin2sr__built_in networks[] = {SWIN2SR__BUILT_IN_NETWORKS(ROW)};

#define COUNT (sizeof networks / sizeof networks[0])

size_t swin2sr__built_in_count(void) {
    return COUNT;
}

const swin2sr__built_in *swin2sr__built_in_get(size_t index) {
    return index < COUNT ? &networks[index] : NULL;
}

size_t swin2sr__built_in_find(const char *name) {
    size_t index = 0;
    while (index < COUNT && strcmp(networks[index].name, name) != 0)
        index++;
    return index;
}

const char *swin2sr__built_in_successor(const char *name) {
    return strcmp(name, "swin2sr-lightweight-x4") == 0 ? "fast" : NULL;
}

size_t swin2sr__built_in_find_role(swin2sr__role role) {
    size_t index = 0;
    while (index < COUNT && networks[index].role != role)
        index++;
    return index;
}
