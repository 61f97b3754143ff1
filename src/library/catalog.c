/* SPDX-License-Identifier: Apache-2.0
 * library/catalog.c - embeds the file that the build names in SWIN2SR_CATALOG, and parses it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "library/catalog.h"

__asm__(".pushsection .rodata\n"
        "library_catalog_text:\n"
        ".incbin \"" SWIN2SR_CATALOG "\"\n"
        "library_catalog_end:\n"
        ".byte 0\n"
        ".popsection\n");

/* Hidden, so that code does not look for their addresses in the table of other libraries' symbols: on Arm, two local labels
 * would share one place in it. */
extern const char library_catalog_text[] __attribute__((visibility("hidden")));
extern const char library_catalog_end[] __attribute__((visibility("hidden")));

static bool read_offer(json_t *entry, catalog_offer *ret_offer) {
    catalog_offer offer = {0};
    int scale = 0;
    if (json_unpack(entry, "{s:s, s:s, s:s, s:s, s:i, s?s !}", "name", &offer.name, "task", &offer.task, "license",
                    &offer.license, "url", &offer.url, "scale", &scale, "sha256", &offer.sha256) != 0)
        return false;
    offer.scale = scale;
    *ret_offer = offer;
    return library_is_name(offer.name) && strchr(offer.url, '/') && library_task_rank(offer.task, offer.name) >= 0;
}

swin2sr_status catalog_open(catalog *ret_catalog, swin2sr_error *reterr) {
    catalog read = {.root = json_loadb(library_catalog_text, (size_t)(library_catalog_end - library_catalog_text),
                                       JSON_REJECT_DUPLICATES, NULL)};
    json_t *models = json_object_get(read.root, "models");
    size_t count = json_array_size(models);
    read.offers = calloc(count + 1, sizeof(*read.offers));
    if (!read.root || !read.offers) {
        catalog_done(&read);
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    }
    while (read.count < count && read_offer(json_array_get(models, read.count), &read.offers[read.count]))
        read.count++;
    if (count == 0 || read.count < count) {
        size_t index = read.count;
        catalog_done(&read);
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "models/catalog.json: entry %zu is wrong", index);
    }
    *ret_catalog = read;
    return SWIN2SR_OK;
}

void catalog_done(catalog *self) {
    free(self->offers);
    json_decref(self->root);
    *self = (catalog){0};
}

const catalog_offer *catalog_find(const catalog *self, const char *name) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->offers[i].name, name) == 0)
            return &self->offers[i];
    return NULL;
}

const catalog_offer *catalog_find_file(const catalog *self, const char *path) {
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(strrchr(self->offers[i].url, '/') + 1, file) == 0)
            return &self->offers[i];
    return NULL;
}

void catalog_name_file(const catalog *self, const char *path, char ret_name[LIBRARY_MAX_NAME]) {
    const catalog_offer *offer = catalog_find_file(self, path);
    if (offer)
        snprintf(ret_name, LIBRARY_MAX_NAME, "%s", offer->name);
    else
        library_name_of_path(path, ret_name);
}
