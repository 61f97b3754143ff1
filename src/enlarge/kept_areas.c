/* SPDX-License-Identifier: Apache-2.0
 * enlarge/kept_areas.c - areas of an animation that were enlarged before (stage 5 of 9, plan). */
#include "enlarge/kept_areas.h"

#include <stdlib.h>
#include <string.h>

static const kept_area *entry_at(const kept_areas *self, size_t i) {
    return &self->entries[(self->first + i) % KEPT_AREAS_MAX];
}

const uint8_t *kept_areas_find(const kept_areas *self, changes_area area, const uint8_t *input, size_t input_bytes) {
    for (size_t i = 0; i < self->count; i++) {
        const kept_area *entry = entry_at(self, i);
        if (memcmp(&entry->area, &area, sizeof(area)) == 0 && entry->input_bytes == input_bytes &&
            memcmp(entry->bytes, input, input_bytes) == 0)
            return entry->bytes + input_bytes;
    }
    return NULL;
}

static void drop_oldest(kept_areas *self) {
    kept_area *entry = &self->entries[self->first];
    self->bytes -= entry->input_bytes + entry->output_bytes;
    free(entry->bytes);
    self->first = (self->first + 1) % KEPT_AREAS_MAX;
    self->count--;
}

void kept_areas_add(kept_areas *self, changes_area area, const uint8_t *input, size_t input_bytes,
                    const uint8_t *output, size_t output_bytes) {
    size_t size = input_bytes + output_bytes;
    if (size > KEPT_AREAS_BYTES || kept_areas_find(self, area, input, input_bytes))
        return;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return;
    while (self->count == KEPT_AREAS_MAX || (self->count > 0 && self->bytes > KEPT_AREAS_BYTES - size))
        drop_oldest(self);
    memcpy(bytes, input, input_bytes);
    memcpy(bytes + input_bytes, output, output_bytes);
    self->entries[(self->first + self->count++) % KEPT_AREAS_MAX] =
        (kept_area){.area = area, .input_bytes = input_bytes, .output_bytes = output_bytes, .bytes = bytes};
    self->bytes += size;
}

void kept_areas_done(kept_areas *self) {
    while (self->count > 0)
        drop_oldest(self);
}
