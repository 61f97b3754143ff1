/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_metadata.c - what writers put into a file beside its pixels, readers find again; what does not fit, or
 * is damaged, is noted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/image.h"
#include "image/png_chunk.h"
#include "reading.h"

#define SIDE_PX 4
#define OUT_BYTES ((size_t)6 << 20)
#define PER_METRE (300 / 0.0254)

typedef struct output {
    uint8_t *data;
    size_t size;
} output;

static bool take(void *context, const void *data, size_t size) {
    output *out = context;
    assert_true(size <= OUT_BYTES - out->size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
    return true;
}

/* A block of any bytes. */
static image_block block_of(size_t size) {
    uint8_t *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 7919 >> 5);
    return (image_block){data, size};
}

/* What a reader accepts as a profile: the right marks in the header. */
static image_block profile_of(size_t size, const char *space) {
    image_block icc = block_of(size);
    memcpy((uint8_t *)icc.data + 16, space, 4);
    memcpy((uint8_t *)icc.data + 36, "acsp", 4);
    return icc;
}

/* A small picture with metadata.  returns what the writer could not keep. */
static uint32_t encode(format_id format, int32_t channels, const image_metadata *metadata, output *out) {
    static const uint8_t rows[SIDE_PX * SIDE_PX * 4];
    image_writer_options options = {.format = format, .metadata = metadata};
    image_writer *writer = NULL;
    out->size = 0;
    assert_int_equal(image_writer_open(&options, SIDE_PX, SIDE_PX, channels, take, out, &writer, NULL), SWIN2SR_OK);
    assert_int_equal(image_writer_write(writer, rows, (size_t)(SIDE_PX * channels), SIDE_PX, NULL), SWIN2SR_OK);
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
    uint32_t notes = image_writer_notes(writer);
    image_writer_close(writer);
    return notes;
}

static image_reader *open_reader(const output *file) {
    image_reader *reader = NULL;
    swin2sr_error error = {""};
    if (image_reader_open(file->data, file->size, NULL, &reader, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    return reader;
}

static void assert_block(const image_block *got, const image_block *expected) {
    assert_int_equal(got->size, expected->size);
    if (expected->size > 0)
        assert_memory_equal(got->data, expected->data, expected->size);
}

static void assert_kept(format_id format, int32_t channels, const image_metadata *metadata) {
    output out = {malloc(OUT_BYTES), 0};
    assert_int_equal(encode(format, channels, metadata, &out), 0);
    image_reader *reader = open_reader(&out);
    const image_metadata *found = image_reader_metadata(reader);
    assert_int_equal(image_reader_info(reader)->notes, 0);
    assert_block(&found->icc, &metadata->icc);
    assert_block(&found->exif, &metadata->exif);
    assert_block(&found->xmp, &metadata->xmp);
    assert_true(fabs(found->x_per_metre - metadata->x_per_metre) < 1);
    assert_true(fabs(found->y_per_metre - metadata->y_per_metre) < 1);
    image_reader_close(reader);
    free(out.data);
}

static void blocks_come_back(void **state) {
    static const size_t sizes[] = {200, 65519, 65520, 300000}; /* a JPEG segment holds 65519 bytes of a profile */
    image_block exif = block_of(65527), xmp = block_of(65504); /* the most that a JPEG can hold */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int format = FORMAT_PNG; format <= FORMAT_JPEG; format++) {
            image_metadata metadata = {.icc = profile_of(sizes[i], "RGB "), .exif = exif, .xmp = xmp};
            metadata.x_per_metre = metadata.y_per_metre = PER_METRE;
            assert_kept((format_id)format, 3, &metadata);
            metadata.xmp = metadata.exif = (image_block){NULL, 0};
            assert_kept((format_id)format, 3, &metadata);
            free((void *)metadata.icc.data);
        }
    image_metadata grey = {.icc = profile_of(400, "GRAY")};
    assert_kept(FORMAT_PNG, 1, &grey);
    assert_kept(FORMAT_PNG, 2, &grey);
    assert_kept(FORMAT_JPEG, 1, &grey);
    free((void *)grey.icc.data);
    free((void *)exif.data);
    free((void *)xmp.data);
}

/* WebP has no resolution, TIFF no EXIF block, GIF nothing at all. Grey in WebP is colour, so its profile goes. */
static void what_other_formats_hold(void **state) {
    image_block exif = block_of(500), xmp = block_of(501);
    image_metadata metadata = {.icc = profile_of(400, "RGB "), .exif = exif, .xmp = xmp};
    image_metadata grey = {.icc = profile_of(400, "GRAY")}, bare = {.icc = metadata.icc, .xmp = xmp};
    output out = {malloc(OUT_BYTES), 0};
    assert_kept(FORMAT_WEBP, 3, &metadata);
    assert_kept(FORMAT_WEBP, 4, &metadata);
    metadata.x_per_metre = metadata.y_per_metre = bare.x_per_metre = bare.y_per_metre = PER_METRE;
    assert_kept(FORMAT_TIFF, 3, &bare);
    assert_kept(FORMAT_TIFF, 4, &bare);
    assert_kept(FORMAT_TIFF, 2, &grey);
    assert_int_equal(encode(FORMAT_WEBP, 3, &metadata, &out), NOTE_RESOLUTION_DROPPED);
    assert_int_equal(encode(FORMAT_TIFF, 3, &metadata, &out), NOTE_EXIF_DROPPED);
    assert_int_equal(encode(FORMAT_WEBP, 1, &grey, &out), NOTE_PROFILE_DROPPED);
    assert_int_equal(encode(FORMAT_GIF, 3, &metadata, &out),
                     NOTE_PROFILE_DROPPED | NOTE_EXIF_DROPPED | NOTE_XMP_DROPPED | NOTE_RESOLUTION_DROPPED);
    free((void *)metadata.icc.data);
    free((void *)grey.icc.data);
    free((void *)exif.data);
    free((void *)xmp.data);
    free(out.data);
}

static void png_colour_comes_back(void **state) {
    image_metadata metadata = {.gamma = 55000, .cicp = {12, 13, 0, 1}};
    output out = {malloc(OUT_BYTES), 0};
    for (uint32_t i = 0; i < 8; i++)
        metadata.chromaticities[i] = 10000 * (i + 1);
    assert_int_equal(encode(FORMAT_PNG, 3, &metadata, &out), 0);
    assert_null(memmem(out.data, out.size, "sRGB", 4));
    image_reader *reader = open_reader(&out);
    const image_metadata *found = image_reader_metadata(reader);
    assert_int_equal(found->gamma, metadata.gamma);
    assert_memory_equal(found->cicp, metadata.cicp, sizeof metadata.cicp);
    assert_memory_equal(found->chromaticities, metadata.chromaticities, sizeof metadata.chromaticities);
    image_reader_close(reader);
    assert_int_equal(encode(FORMAT_JPEG, 3, &metadata, &out), NOTE_PROFILE_DROPPED);
    free(out.data);
}

static void what_does_not_fit_is_noted(void **state) {
    image_block large = block_of(65536);
    image_metadata metadata = {.exif = large, .xmp = large, .x_per_metre = 4e6, .y_per_metre = 4e6};
    output out = {malloc(OUT_BYTES), 0};
    assert_int_equal(encode(FORMAT_JPEG, 3, &metadata, &out),
                     NOTE_EXIF_DROPPED | NOTE_XMP_DROPPED | NOTE_RESOLUTION_DROPPED);
    image_reader *reader = open_reader(&out);
    assert_null(image_reader_metadata(reader)->exif.data);
    image_reader_close(reader);
    free(out.data);
    free((void *)large.data);
}

/* A profile for other colours than those of the rows, one that is none, and one over the limit. */
static void profiles_that_do_not_fit(void **state) {
    image_block profiles[] = {profile_of(400, "GRAY"), profile_of(400, "CMYK"), block_of(400), block_of(100),
                              profile_of(IMAGE_ICC_MAX_BYTES + 1, "RGB ")};
    output out = {malloc(OUT_BYTES), 0};
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        for (int format = FORMAT_PNG; format <= FORMAT_JPEG; format++) {
            image_metadata metadata = {.icc = profiles[i]};
            encode((format_id)format, 3, &metadata, &out);
            image_reader *reader = open_reader(&out);
            assert_int_equal(image_reader_info(reader)->notes, NOTE_PROFILE_DROPPED);
            assert_null(image_reader_metadata(reader)->icc.data);
            image_reader_close(reader);
        }
        free((void *)profiles[i].data);
    }
    free(out.data);
}

/* Any byte of the metadata changed, and cut anywhere: any outcome is correct; this test is for the sanitizers. */
static void any_byte_changed(void **state) {
    image_metadata metadata = {.icc = profile_of(300, "RGB "), .exif = block_of(40), .xmp = block_of(40)};
    output out = {malloc(OUT_BYTES), 0};
    for (int format = FORMAT_PNG; format < FORMAT_COUNT; format++) {
        encode((format_id)format, 3, &metadata, &out);
        for (size_t at = 0; at < 700 && at < out.size; at++) {
            bytes file = copy_bytes(out.data, out.size);
            image_limits limits = {.pixels = 1000};
            image_reader *reader = NULL;
            file.data[at] ^= 0x81;
            if (image_reader_open(file.data, file.size, &limits, &reader, NULL) == SWIN2SR_OK)
                image_reader_close(reader);
            free(file.data);
        }
    }
    free((void *)metadata.icc.data);
    free((void *)metadata.exif.data);
    free((void *)metadata.xmp.data);
    free(out.data);
}

static void provenance_is_text(void **state) {
    image_metadata metadata = {.software = "swin2sr-cloud, network x"};
    output out = {malloc(OUT_BYTES), 0};
    encode(FORMAT_PNG, 1, &metadata, &out);
    assert_non_null(memmem(out.data, out.size, "tEXtSoftware\0swin2sr-cloud, network x", 37));
    image_reader *reader = open_reader(&out);
    assert_int_equal(image_reader_info(reader)->notes, 0);
    image_reader_close(reader);
    free(out.data);
}

/* A later one is not inflated: a file can have thousands of them. */
static void of_damaged_profiles_the_first_is_tried(void **state) {
    (void)state;
    enum {
        IHDR_END = 33,
        BODY_BYTES = 12
    };
    output out = {.data = malloc(OUT_BYTES)};
    image_metadata metadata = {.icc = profile_of(3000, "RGB ")};
    assert_int_equal(encode(FORMAT_PNG, 3, &metadata, &out), 0);
    uint8_t damaged[PNG_CHUNK_HEAD_BYTES + BODY_BYTES + PNG_CHUNK_TAIL_BYTES] = {[PNG_CHUNK_HEAD_BYTES] = 'x'};
    size_t more = png_chunk_close(damaged, "iCCP", BODY_BYTES);
    memmove(out.data + IHDR_END + more, out.data + IHDR_END, out.size - IHDR_END);
    memcpy(out.data + IHDR_END, damaged, more);
    out.size += more;
    image_reader *reader = open_reader(&out);
    assert_null(image_reader_metadata(reader)->icc.data);
    assert_true(image_reader_info(reader)->notes & NOTE_PROFILE_DROPPED);
    image_reader_close(reader);
    free((void *)metadata.icc.data);
    free(out.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_damaged_profiles_the_first_is_tried),
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(what_other_formats_hold),
        cmocka_unit_test(png_colour_comes_back),
        cmocka_unit_test(what_does_not_fit_is_noted),
        cmocka_unit_test(profiles_that_do_not_fit),
        cmocka_unit_test(any_byte_changed),
        cmocka_unit_test(provenance_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
