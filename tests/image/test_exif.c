/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_exif.c - EXIF data and XMP packets of an enlarged picture: what changes, what stays, and hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/exif.h"

#define THUMBNAIL_BYTES 20
#define MAKER "Maker of things"

static const exif_change change = {.width_px = 70000, .height_px = 400, .times = 4};

/* EXIF data in either byte order: orientation, resolution 300/1 and 72/1, an EXIF directory with the sizes and a maker
 * note, and a thumbnail, at the end or in the middle. */
typedef struct sample {
    uint8_t bytes[512];
    size_t size, note_at, thumbnail_at;
    bool is_big_endian;
} sample;

static void put(sample *to, size_t at, int bytes, uint32_t value) {
    for (int i = 0; i < bytes; i++)
        to->bytes[at + (size_t)(to->is_big_endian ? bytes - 1 - i : i)] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const sample *from, const uint8_t *bytes, size_t at, int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[at + (size_t)(from->is_big_endian ? i : count - 1 - i)];
    return value;
}

static size_t entry(sample *to, size_t at, uint32_t tag, uint32_t type, uint32_t count, uint32_t value) {
    put(to, at, 2, tag);
    put(to, at + 2, 2, type);
    put(to, at + 4, 4, count);
    put(to, at + 8, type == 3 ? 2 : 4, value);
    return at + 12;
}

static sample make(bool is_big_endian, bool ends_with_thumbnail) {
    sample made = {.is_big_endian = is_big_endian};
    memcpy(made.bytes, is_big_endian ? "MM\0*" : "II*\0", 4);
    size_t second = 100, third = 160, note = 200, thumbnail = ends_with_thumbnail ? 240 : 220;
    put(&made, 4, 4, 8);
    put(&made, 8, 2, 5);
    size_t at = entry(&made, 10, 0x0112, 3, 1, 6);
    at = entry(&made, at, 0x011a, 5, 1, 84);
    at = entry(&made, at, 0x011b, 5, 1, 92);
    at = entry(&made, at, 0x0131, 2, 3, 0x4142);
    at = entry(&made, at, 0x8769, 4, 1, (uint32_t)second);
    put(&made, at, 4, (uint32_t)third);
    put(&made, 84, 4, 300);
    put(&made, 88, 4, 1);
    put(&made, 92, 4, 72);
    put(&made, 96, 4, 1);
    put(&made, second, 2, 3);
    at = entry(&made, second + 2, 0x927c, 7, sizeof(MAKER), (uint32_t)note);
    at = entry(&made, at, 0xa002, 3, 1, 100);
    entry(&made, at, 0xa003, 4, 1, 50);
    put(&made, third, 2, 2);
    at = entry(&made, third + 2, 0x0201, 4, 1, (uint32_t)thumbnail);
    entry(&made, at, 0x0202, 4, 1, THUMBNAIL_BYTES);
    memcpy(made.bytes + note, MAKER, sizeof(MAKER));
    memset(made.bytes + thumbnail, 0x55, THUMBNAIL_BYTES);
    memcpy(made.bytes + thumbnail, "\xff\xd8", 2);
    made.note_at = note;
    made.thumbnail_at = thumbnail;
    made.size = 260;
    return made;
}

static void the_picture_as_it_is_now(void **state) {
    for (int i = 0; i < 4; i++) {
        sample in = make(i & 1, i & 2);
        image_block block = {in.bytes, in.size};
        uint8_t *out = NULL;
        size_t size = 0;
        assert_int_equal(exif_edit(&block, &change, &out, &size), SWIN2SR_OK);
        assert_int_equal(size, i & 2 ? in.thumbnail_at : in.size);
        assert_int_equal(get(&in, out, 18, 2), 1);       /* orientation */
        assert_int_equal(get(&in, out, 84, 4), 300 * 4); /* resolution */
        assert_int_equal(get(&in, out, 92, 4), 72 * 4);
        assert_int_equal(get(&in, out, 70, 4), 0);  /* no second directory */
        assert_int_equal(get(&in, out, 116, 2), 4); /* a LONG now: 70000 is no SHORT */
        assert_int_equal(get(&in, out, 122, 4), 70000);
        assert_int_equal(get(&in, out, 134, 4), 400);
        assert_memory_equal(out + in.note_at, MAKER, sizeof MAKER);
        assert_null(memmem(out, size, "\x55\x55", 2));
        free(out);
    }
}

/* The tag is replaced, all others stay, and without EXIF data a new block has this tag alone. */
static void software_is_set(void **state) {
    exif_change named = change;
    named.software = "swin2sr-cloud 1.0";
    for (int i = 0; i < 3; i++) {
        sample in = make(i == 1, true);
        image_block block = {i < 2 ? in.bytes : NULL, i < 2 ? in.size : 0};
        uint8_t *out = NULL;
        size_t size = 0;
        assert_int_equal(exif_edit(&block, &named, &out, &size), SWIN2SR_OK);
        size_t at = get(&in, out, 4, 4);
        uint32_t count = get(&in, out, at, 2), last = 0, found = 0;
        assert_int_equal(count, i < 2 ? 5 : 1);
        for (size_t entry_at = at + 2; entry_at < at + 2 + count * 12; entry_at += 12) {
            uint32_t tag = get(&in, out, entry_at, 2), text = get(&in, out, entry_at + 8, 4);
            assert_true(tag > last);
            last = tag;
            if (tag != 0x0131)
                continue;
            found++;
            assert_int_equal(get(&in, out, entry_at + 4, 4), strlen(named.software) + 1);
            assert_true(text + strlen(named.software) + 1 <= size);
            assert_string_equal(out + text, named.software);
        }
        assert_int_equal(found, 1);
        assert_int_equal(get(&in, out, at + 2 + count * 12, 4), 0);
        free(out);
    }
}

static void try(const uint8_t *bytes, size_t size) {
    exif_change named = change;
    named.software = "swin2sr-cloud 1.0";
    for (int i = 0; i < 2; i++) {
        uint8_t *exact = malloc(size + 1), *out = NULL; /* an allocation of the exact size, for the sanitizers */
        size_t made = 0;
        memcpy(exact, bytes, size);
        image_block block = {exact, size};
        if (exif_edit(&block, i ? &named : &change, &out, &made) == SWIN2SR_OK)
            free(out);
        if (size > 0 && xmp_edit(&block, &change, &out, &made) == SWIN2SR_OK)
            free(out);
        free(exact);
    }
}

static void hostile_bytes(void **state) {
    static const uint8_t values[] = {0, 1, 8, 0x7f, 0xff};
    for (int i = 0; i < 2; i++) {
        sample in = make(i == 1, true);
        for (size_t at = 0; at < in.size; at++) {
            try(in.bytes, at);
            for (size_t k = 0; k < sizeof values; k++) {
                sample changed = in;
                changed.bytes[at] = values[k];
                try(changed.bytes, changed.size);
                put(&changed, at & ~(size_t)3, 4, UINT32_MAX - values[k]);
                try(changed.bytes, changed.size);
            }
        }
    }
}

static void damage_is_refused(void **state) {
    sample in = make(false, true);
    image_block block = {in.bytes, 60}; /* within the first directory */
    uint8_t *out = NULL;
    size_t size = 0;
    assert_int_equal(exif_edit(&block, &change, &out, &size), SWIN2SR_CORRUPT);
    block = (image_block){(const uint8_t *)"no EXIF data", 12};
    assert_int_equal(exif_edit(&block, &change, &out, &size), SWIN2SR_CORRUPT);
    put(&in, 4, 4, 4000); /* a directory beyond the end */
    block = (image_block){in.bytes, in.size};
    assert_int_equal(exif_edit(&block, &change, &out, &size), SWIN2SR_CORRUPT);
    in = make(false, true);
    put(&in, 66, 4, 8); /* the EXIF directory is the first one */
    assert_int_equal(exif_edit(&block, &change, &out, &size), SWIN2SR_OK);
    free(out);
}

static void assert_xmp(const char *in, const char *expected) {
    image_block block = {(const uint8_t *)in, strlen(in)};
    uint8_t *out = NULL;
    size_t size = 0;
    assert_int_equal(xmp_edit(&block, &change, &out, &size), SWIN2SR_OK);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(out, expected, size);
    free(out);
}

static void xmp_properties(void **state) {
    assert_xmp("<a tiff:Orientation=\"6\" b='1'>", "<a tiff:Orientation=\"1\" b='1'>");
    assert_xmp("<a\ttiff:Orientation = '8'>", "<a\ttiff:Orientation = '1'>");
    assert_xmp("<tiff:Orientation>6</tiff:Orientation>", "<tiff:Orientation>1</tiff:Orientation>");
    assert_xmp("<exif:PixelXDimension>5</exif:PixelXDimension><exif:PixelYDimension>6<",
               "<exif:PixelXDimension>70000</exif:PixelXDimension><exif:PixelYDimension>400<");
    assert_xmp("<a tiff:XResolution=\"72/1\" tiff:YResolution=\"3000000/10000\">",
               "<a tiff:XResolution=\"288/1\" tiff:YResolution=\"12000000/10000\">");
    assert_xmp("<a xtiff:Orientation=\"6\" tiff:Orientations=\"6\" tiff:Orientation=\"\">tiff:Orientation=",
               "<a xtiff:Orientation=\"6\" tiff:Orientations=\"6\" tiff:Orientation=\"\">tiff:Orientation=");
    assert_xmp("<a><xmp:Thumbnails><b>6</b></xmp:Thumbnails>c</a>", "<a>c</a>");
}

static void xmp_that_cannot_be_kept(void **state) {
    static const char *const packets[] = {"<a><xmp:Thumbnails>", "<\0a>"};
    for (int i = 0; i < 2; i++) {
        image_block block = {(const uint8_t *)packets[i], i == 0 ? strlen(packets[i]) : 4};
        uint8_t *out = NULL;
        size_t size = 0;
        assert_int_equal(xmp_edit(&block, &change, &out, &size), SWIN2SR_CORRUPT);
    }
}

/* No more values are changed than there is room for. */
static void many_values(void **state) {
    static const char one[] = "<exif:PixelXDimension>1<";
    size_t size = 1000 * (sizeof one - 1), made = 0;
    char *packet = malloc(size);
    for (size_t at = 0; at < size; at += sizeof one - 1)
        memcpy(packet + at, one, sizeof one - 1);
    image_block block = {(const uint8_t *)packet, size};
    uint8_t *out = NULL;
    assert_int_equal(xmp_edit(&block, &change, &out, &made), SWIN2SR_OK);
    assert_true(made > size && made < size + 1000);
    free(out);
    free(packet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_as_it_is_now),
        cmocka_unit_test(software_is_set),
        cmocka_unit_test(hostile_bytes),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(xmp_properties),
        cmocka_unit_test(xmp_that_cannot_be_kept),
        cmocka_unit_test(many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
