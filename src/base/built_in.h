/* SPDX-License-Identifier: Apache-2.0
 * base/built_in.h - the one list of the networks inside the program.
 * src/model embeds models/NAME/model.safetensors for each row; the library, the programs and the server know the names
 * from here. A new one also needs its folder, its name in src/model/meson.build, and its results in worker/golden.c. */
#pragma once

#include <stddef.h>

#define SWIN2SR__BUILT_IN_DEFAULT "swin2sr-lightweight-x4"

/* X(identifier, name, summary), the default first. The summary is one sentence on the pictures that it suits. */
#define SWIN2SR__BUILT_IN_NETWORKS(X)                                                                  \
    X(lightweight_x4, SWIN2SR__BUILT_IN_DEFAULT,                                                       \
      "For pictures of every kind: small, trained from random numbers on free pictures alone.")        \
    X(clean, "clean", "For sharp, undamaged pictures only: damage of any kind is enlarged with them.") \
    X(photo, "photo", "For photographs and anything that was compressed: takes JPEG blocks and halos away.")

/* "NAME,NAME,...", the default first. */
#define SWIN2SR__BUILT_IN_LISTED(identifier, name, summary) "," name
#define SWIN2SR__BUILT_IN_NAMES (&SWIN2SR__BUILT_IN_NETWORKS(SWIN2SR__BUILT_IN_LISTED)[1])

typedef struct swin2sr__built_in {
    const char *name;
    const char *summary;
} swin2sr__built_in;

size_t swin2sr__built_in_count(void);

/* The network with this index, or NULL beyond the last one; index 0 is the default. */
const swin2sr__built_in *swin2sr__built_in_get(size_t index);

/* The index of the network with this name, or swin2sr__built_in_count() if there is none. */
size_t swin2sr__built_in_find(const char *name);
