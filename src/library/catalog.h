/* SPDX-License-Identifier: Apache-2.0
 * library/catalog.h - the catalogue of published networks that can be fetched by name: models/catalog.json, embedded.
 * Out: offers in the order of that file. The service only uses their names; it fetches nothing. */
#pragma once

#include <jansson.h>

#include "library/library.h"

typedef struct catalog_offer {
    const char *name;
    const char *task; /* for which it was made */
    const char *license;
    const char *url;
    const char *sha256; /* of the file behind url, lower-case hex; NULL: not known */
    int32_t scale;
} catalog_offer;

typedef struct catalog {
    json_t *root; /* owns the texts */
    catalog_offer *offers;
    size_t count;
} catalog;

/* ret_catalog  The caller's (catalog_done).
 * errors       _NOMEM, _INTERNAL (the embedded file has a wrong entry). */
swin2sr_status catalog_open(catalog *ret_catalog, swin2sr_error *reterr);
void catalog_done(catalog *self);

/* The offer of that name, or NULL. */
const catalog_offer *catalog_find(const catalog *self, const char *name);

/* The offer whose URL has the file name of this path, or NULL. */
const catalog_offer *catalog_find_file(const catalog *self, const char *path);

/* The name of the offer that catalog_find_file finds for path, else that of library_name_of_path. */
void catalog_name_file(const catalog *self, const char *path, char ret_name[LIBRARY_MAX_NAME]);
