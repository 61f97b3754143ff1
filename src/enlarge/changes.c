/* SPDX-License-Identifier: Apache-2.0
 * enlarge/changes.c - where two frames of an animation differ (stage 5 of 9, plan).
 * Canvases are compared in blocks. A block that differs joins the areas that it touches. */
#include "enlarge/changes.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define BLOCK_PX 16
#define PIXEL_BYTES 4

static int32_t least(int32_t a, int32_t b) {
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b) {
    return a > b ? a : b;
}

changes_area changes_join(changes_area a, changes_area b) {
    if (a.width_px == 0 || a.height_px == 0)
        return b;
    if (b.width_px == 0 || b.height_px == 0)
        return a;
    int32_t x = least(a.x, b.x), y = least(a.y, b.y);
    return (changes_area){x, y, most(a.x + a.width_px, b.x + b.width_px) - x,
                          most(a.y + a.height_px, b.y + b.height_px) - y};
}

changes_area changes_widen(changes_area area, int32_t margin_px, int32_t width_px, int32_t height_px) {
    int32_t x = most(area.x - margin_px, 0), y = most(area.y - margin_px, 0);
    return (changes_area){x, y, least(area.x + area.width_px + margin_px, width_px) - x,
                          least(area.y + area.height_px + margin_px, height_px) - y};
}

static bool are_near(changes_area a, changes_area b) {
    return a.x <= b.x + b.width_px + BLOCK_PX && b.x <= a.x + a.width_px + BLOCK_PX &&
           a.y <= b.y + b.height_px + BLOCK_PX && b.y <= a.y + a.height_px + BLOCK_PX;
}

/* Add an area, joined with all that are near.  returns the number of areas; over CHANGES_MAX: there is no room. */
static int32_t add(changes_area *areas, int32_t count, changes_area area) {
    for (int32_t i = 0; i < count;) {
        if (are_near(areas[i], area)) {
            area = changes_join(areas[i], area);
            areas[i] = areas[--count];
            i = 0;
        } else {
            i++;
        }
    }
    if (count < CHANGES_MAX)
        areas[count] = area;
    return count + 1;
}

/* The rows and columns of a block that differ. */
static changes_area compare(const uint8_t *before, const uint8_t *now, changes_area block, int32_t width_px) {
    changes_area found = {0};
    for (int32_t y = block.y; y < block.y + block.height_px; y++) {
        size_t at = ((size_t)y * (size_t)width_px + (size_t)block.x) * PIXEL_BYTES;
        if (memcmp(before + at, now + at, (size_t)block.width_px * PIXEL_BYTES) == 0)
            continue;
        int32_t left = 0, right = block.width_px;
        while (memcmp(before + at + left * PIXEL_BYTES, now + at + left * PIXEL_BYTES, PIXEL_BYTES) == 0)
            left++;
        while (memcmp(before + at + (right - 1) * PIXEL_BYTES, now + at + (right - 1) * PIXEL_BYTES, PIXEL_BYTES) == 0)
            right--;
        found = changes_join(found, (changes_area){block.x + left, y, right - left, 1});
    }
    return found;
}

int32_t changes_find(const uint8_t *before, const uint8_t *now, int32_t width_px, int32_t height_px,
                     changes_area *ret_areas) {
    changes_area all = {0};
    int32_t count = 0;
    bool is_full = false;
    if (!before) {
        ret_areas[0] = (changes_area){0, 0, width_px, height_px};
        return 1;
    }
    for (int32_t y = 0; y < height_px; y += BLOCK_PX)
        for (int32_t x = 0; x < width_px; x += BLOCK_PX) {
            changes_area block = {x, y, least(BLOCK_PX, width_px - x), least(BLOCK_PX, height_px - y)};
            changes_area found = compare(before, now, block, width_px);
            if (found.width_px == 0)
                continue;
            all = changes_join(all, found);
            if (!is_full)
                count = add(ret_areas, count, found);
            is_full |= count > CHANGES_MAX;
        }
    if (!is_full)
        return count;
    ret_areas[0] = all;
    return 1;
}
