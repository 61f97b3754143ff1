/* SPDX-License-Identifier: Apache-2.0
 * base/built_in.h - the one list of the networks inside the program.
 * src/model embeds models/NAME/model.safetensors for each row; the library, the programs and the server know the names
 * from here. A new one also needs its folder, its name in src/model/meson.build, and its results in worker/golden.c. */
#pragma once

#include <stddef.h>

#define SWIN2SR__BUILT_IN_DEFAULT "photo"

/* When the choice by the picture (`--task auto`) takes a network. Those with a role have one scale and three channels. */
typedef enum swin2sr__role {
    SWIN2SR__ROLE_NONE = 0,  /* it is used by name only */
    SWIN2SR__ROLE_DOUBT,     /* for every picture that may be damaged; the default has this role */
    SWIN2SR__ROLE_UNDAMAGED, /* for pictures that are surely undamaged */
    SWIN2SR__ROLE_HURRY,     /* in place of both, where a service lacks time or memory */
} swin2sr__role;

/* X(identifier, name, role, summary), the default first. The summary is one sentence on the pictures that it suits. */
#define SWIN2SR__BUILT_IN_NETWORKS(X)                                                        \
    X(photo, SWIN2SR__BUILT_IN_DEFAULT, SWIN2SR__ROLE_DOUBT,                                 \
      "For photographs and anything that was compressed: takes JPEG blocks and halos away.") \
    X(clean, "clean", SWIN2SR__ROLE_UNDAMAGED,                                               \
      "For sharp, undamaged pictures only: damage of any kind is enlarged with them.")       \
    X(fast, "fast", SWIN2SR__ROLE_HURRY,                                                     \
      "For many pictures or little time: three times as fast as the others, with less detail.")

/* "NAME,NAME,...", the default first. */
#define SWIN2SR__BUILT_IN_LISTED(identifier, name, role, summary) "," name
#define SWIN2SR__BUILT_IN_NAMES (&SWIN2SR__BUILT_IN_NETWORKS(SWIN2SR__BUILT_IN_LISTED)[1])

typedef struct swin2sr__built_in {
    const char *name;
    const char *summary;
    swin2sr__role role;
} swin2sr__built_in;

size_t swin2sr__built_in_count(void);

/* The network with this index, or NULL beyond the last one; index 0 is the default. */
const swin2sr__built_in *swin2sr__built_in_get(size_t index);

/* The index of the network with this name, or swin2sr__built_in_count() if there is none. */
size_t swin2sr__built_in_find(const char *name);

/* The network that took the place of one that was once inside the program; NULL: none of this name was. */
const char *swin2sr__built_in_successor(const char *name);

/* The index of the first network with this role, or swin2sr__built_in_count() if there is none. */
size_t swin2sr__built_in_find_role(swin2sr__role role);
