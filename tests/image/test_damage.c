/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_damage.c - files whose end is missing or wrong, and how much memory the decoders hold.
 * Twelve small pictures of different kinds are cut at each of their last 200 bytes, and their tails are replaced by
 * text. A picture must be read if and only if all its pixels are there. The tests find that out with zlib and with
 * libjpeg directly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jerror.h>
#include <jpeglib.h>
#include <malloc.h>
#include <zlib.h>

#include "image/image.h"
#include "reading.h"

#define WIDTH 45
#define HEIGHT 37
#define CUT_BYTES 200
#define MEMORY_WIDTH 640 /* of the pictures in the memory test */
#define MEMORY_HEIGHT 480

/* What a phone writes after the pixels of a panorama; as entropy-coded data it is valid. */
static const char trailer[54] = "Image_UTC_Data1595949474000SEFHe and more of the kind ";

/* ---- twelve pictures ---- */

typedef struct jpeg_kind {
    const char *name;
    J_COLOR_SPACE space;
    int channels, luma_sampling;
    bool is_progressive, is_arithmetic;
    bool has_scan_per_channel; /* of a file that is not progressive */
    unsigned restart_rows;
} jpeg_kind;

static const jpeg_kind jpeg_kinds[] = {
    {.name = "baseline 4:2:0", .space = JCS_RGB, .channels = 3, .luma_sampling = 2},
    {.name = "baseline 4:4:4", .space = JCS_RGB, .channels = 3, .luma_sampling = 1},
    {.name = "progressive", .space = JCS_RGB, .channels = 3, .luma_sampling = 2, .is_progressive = true},
    {.name = "grey", .space = JCS_GRAYSCALE, .channels = 1, .luma_sampling = 1},
    {.name = "grey progressive", .space = JCS_GRAYSCALE, .channels = 1, .luma_sampling = 1, .is_progressive = true},
    {.name = "CMYK", .space = JCS_CMYK, .channels = 4, .luma_sampling = 1},
    {.name = "restart markers", .space = JCS_RGB, .channels = 3, .luma_sampling = 2, .restart_rows = 1},
    {.name = "several scans", .space = JCS_RGB, .channels = 3, .luma_sampling = 2, .has_scan_per_channel = true},
};
#define JPEG_KINDS (sizeof(jpeg_kinds) / sizeof(jpeg_kinds[0]))

static const jpeg_kind arithmetic = {
    .name = "arithmetic", .space = JCS_RGB, .channels = 3, .luma_sampling = 1, .is_arithmetic = true};

static const char *const png_names[] = {"rgb", "rgba_interlaced", "palette_alpha", "orient_5"};
#define PNG_NAMES (sizeof(png_names) / sizeof(png_names[0]))

static void fill_row(uint8_t *row, int width_px, int channels, int y) {
    for (int i = 0; i < width_px * channels; i++)
        row[i] = (uint8_t)(i * 5 + y * 3 + (i * y * 7 >> 4) % 40);
}

static bytes make_jpeg(const jpeg_kind *kind, int width_px, int height_px) {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    jpeg_scan_info scans[4] = {0};
    uint8_t *row = malloc((size_t)(width_px * kind->channels));
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &data, &size);
    cinfo.image_width = (JDIMENSION)width_px;
    cinfo.image_height = (JDIMENSION)height_px;
    cinfo.input_components = kind->channels;
    cinfo.in_color_space = kind->space;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, 90, TRUE);
    cinfo.comp_info[0].h_samp_factor = cinfo.comp_info[0].v_samp_factor = kind->luma_sampling;
    cinfo.arith_code = kind->is_arithmetic;
    cinfo.restart_in_rows = (int)kind->restart_rows;
    if (kind->is_progressive)
        jpeg_simple_progression(&cinfo);
    for (int c = 0; c < kind->channels && kind->has_scan_per_channel; c++)
        scans[c] = (jpeg_scan_info){.comps_in_scan = 1, .component_index = {c}, .Se = DCTSIZE2 - 1};
    if (kind->has_scan_per_channel) {
        cinfo.scan_info = scans;
        cinfo.num_scans = kind->channels;
    }
    jpeg_start_compress(&cinfo, TRUE);
    for (int y = 0; y < height_px; y++) {
        fill_row(row, width_px, kind->channels, y);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    bytes file = copy_bytes(data, size);
    free(data);
    free(row);
    return file;
}

/* ---- what comes out ---- */

/* What libjpeg decodes when it is used as in djpeg: warnings are counted and the picture is completed. */
typedef struct reference {
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    uint8_t rows[WIDTH * HEIGHT * 4];
    bool is_incomplete; /* data is missing within a scan, or whole scans are */
    bool has_rows;      /* there was no error before the last row */
} reference;

static void reference_failed(j_common_ptr cinfo) {
    longjmp(((reference *)cinfo->err)->jump, 1);
}

static void reference_warned(j_common_ptr cinfo, int level) {
    cinfo->err->num_warnings += level < 0;
    if (level < 0 && cinfo->err->msg_code == JWRN_HIT_MARKER)
        ((reference *)cinfo->err)->is_incomplete = true;
}

static void reference_run(reference *result, j_decompress_ptr cinfo, bytes file) {
    jpeg_mem_src(cinfo, file.data, file.size);
    jpeg_read_header(cinfo, TRUE);
    jpeg_start_decompress(cinfo);
    size_t row_bytes = (size_t)cinfo->output_width * (size_t)cinfo->output_components;
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = result->rows + cinfo->output_scanline * row_bytes;
        jpeg_read_scanlines(cinfo, &row, 1);
    }
    for (int c = 0; c < cinfo->num_components && cinfo->coef_bits; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            result->is_incomplete |= cinfo->coef_bits[c][k] != 0;
    if (jpeg_has_multiple_scans(cinfo) && !cinfo->progressive_mode) /* make_jpeg gives each component its own scan */
        result->is_incomplete |= cinfo->input_scan_number < cinfo->num_components;
    result->has_rows = true;
    jpeg_finish_decompress(cinfo);
}

/* CMYK to RGB; files with an Adobe marker store inverted values. */
static void reference_to_rgb(reference *result, bool is_inverted) {
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        int flip = is_inverted ? 0 : 255, key = result->rows[4 * i + 3] ^ flip;
        for (int c = 0; c < 3; c++)
            result->rows[3 * i + c] = (uint8_t)(((result->rows[4 * i + c] ^ flip) * key + 127) / 255);
    }
}

static void reference_decode(bytes file, reference *result) {
    struct jpeg_decompress_struct cinfo;
    cinfo.err = jpeg_std_error(&result->errors);
    result->errors.error_exit = reference_failed;
    result->errors.emit_message = reference_warned;
    result->is_incomplete = result->has_rows = false;
    jpeg_create_decompress(&cinfo);
    if (setjmp(result->jump) == 0)
        reference_run(result, &cinfo, file);
    if (cinfo.num_components == 4)
        reference_to_rgb(result, cinfo.saw_Adobe_marker);
    jpeg_destroy_decompress(&cinfo);
}

/* The size of the shortest beginning of a PNG file that has all rows. */
static size_t png_needed_bytes(bytes file, size_t row_data_bytes) {
    z_stream stream = {0};
    uint8_t *pixels = malloc(row_data_bytes);
    size_t at = 8, needed = 0;
    assert_int_equal(inflateInit(&stream), Z_OK);
    stream.next_out = pixels;
    stream.avail_out = (uInt)row_data_bytes;
    while (needed == 0) {
        size_t length = (size_t)file.data[at + 2] << 8 | file.data[at + 3];
        bool is_data = memcmp(file.data + at + 4, "IDAT", 4) == 0;
        for (size_t i = 0; is_data && i < length && needed == 0; i++) {
            stream.next_in = file.data + at + 8 + i;
            stream.avail_in = 1;
            inflate(&stream, Z_NO_FLUSH);
            needed = stream.avail_out == 0 ? at + 8 + i + 1 : 0;
        }
        at += 12 + length;
    }
    inflateEnd(&stream);
    free(pixels);
    return needed;
}

static size_t png_row_data_bytes(const char *name) {
    if (strcmp(name, "rgb") == 0)
        return 11 * (1 + 17 * 3);
    if (strcmp(name, "palette_alpha") == 0)
        return 11 * (1 + 9); /* four bits */
    if (strcmp(name, "orient_5") == 0)
        return 24 * (1 + 16 * 3);
    return 17 * 11 * 4 + (2 + 2 + 1 + 3 + 3 + 6 + 5); /* Adam7: one filter byte per row of each pass */
}

static void assert_same_picture(const char *name, size_t at, bytes damaged, const uint8_t *expected, size_t size) {
    picture got = {0};
    swin2sr_error error = {""};
    swin2sr_status status = decode(damaged, NULL, 5, &got, &error);
    if (status != SWIN2SR_OK)
        fail_msg("%s at %zu: %s", name, at, error.text);
    if (got.info.damage == NULL || picture_bytes(&got) != size || memcmp(got.rows, expected, size) != 0)
        fail_msg("%s at %zu: other pixels, or no note", name, at);
    free(got.rows);
    assert_int_equal(decode(damaged, &(image_limits){.is_strict = true}, 5, &got, &error), SWIN2SR_CORRUPT);
}

/* The file must be refused when it is opened, before any row is worked on. */
static void assert_refused(const char *name, size_t at, bytes damaged) {
    swin2sr_error error = {""};
    image_reader *reader = NULL;
    swin2sr_status status = image_reader_open(damaged.data, damaged.size, NULL, &reader, &error);
    if (status != SWIN2SR_CORRUPT || error.text[0] == '\0')
        fail_msg("%s at %zu: %s, %s", name, at, swin2sr_status_name(status), error.text);
}

static bytes cut_and_add(bytes file, size_t size, const char *tail, size_t tail_bytes) {
    bytes made = {malloc(size + tail_bytes), size + tail_bytes};
    assert_non_null(made.data);
    memcpy(made.data, file.data, size);
    memcpy(made.data + size, tail, tail_bytes);
    return made;
}

static size_t first_cut(bytes file) {
    return file.size > CUT_BYTES ? file.size - CUT_BYTES : 0;
}

static void assert_cuts(const char *name, bytes file, size_t needed_bytes) {
    picture whole = {0};
    assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
    assert_null(whole.info.damage);
    for (size_t size = first_cut(file); size < file.size; size++) {
        bytes cut = copy_bytes(file.data, size);
        if (size >= needed_bytes)
            assert_same_picture(name, size, cut, whole.rows, picture_bytes(&whole));
        else if (size > 0)
            assert_refused(name, size, cut);
        free(cut.data);
    }
    free(whole.rows);
    assert_int_equal(decode(file, &(image_limits){.is_strict = true}, 5, &whole, NULL), SWIN2SR_OK);
    free(whole.rows);
}

/* Every byte of entropy-coded data holds at least one bit that is needed. */
static void test_cut_jpeg(void **state) {
    for (size_t i = 0; i < JPEG_KINDS; i++) {
        bytes file = make_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT);
        assert_cuts(jpeg_kinds[i].name, file, file.size - 2);
        free(file.data);
    }
}

static void test_cut_png(void **state) {
    for (size_t i = 0; i < PNG_NAMES; i++) {
        bytes file = load(png_names[i], "png");
        assert_cuts(png_names[i], file, png_needed_bytes(file, png_row_data_bytes(png_names[i])));
        free(file.data);
    }
}

static void test_text_at_the_end_of_a_jpeg(void **state) {
    static reference result;
    for (size_t i = 0; i < JPEG_KINDS; i++) {
        bytes file = make_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT);
        size_t shown = 0, size_of_rows = WIDTH * HEIGHT * (jpeg_kinds[i].channels == 1 ? 1 : 3);
        picture whole = {0};
        assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
        for (size_t size = first_cut(file); size < file.size; size++) {
            bytes made = cut_and_add(file, size, trailer, sizeof(trailer));
            reference_decode(made, &result);
            if (size >= file.size - 2) /* 0xff and a letter make libjpeg itself fail in some kinds */
                assert_same_picture(jpeg_kinds[i].name, size, made, whole.rows, size_of_rows);
            else if (result.is_incomplete || !result.has_rows)
                assert_refused(jpeg_kinds[i].name, size, made);
            else
                assert_same_picture(jpeg_kinds[i].name, size, made, result.rows, size_of_rows);
            shown += size < file.size - 2 && result.has_rows && !result.is_incomplete;
            free(made.data);
        }
        assert_true(shown > 0); /* in some files, text was decoded as pixels */
        free(whole.rows);
        free(file.data);
    }
}

/* A trailer may contain a small JPEG, which must be ignored. */
static void test_jpeg_at_the_end_of_a_jpeg(void **state) {
    for (size_t i = 0; i < JPEG_KINDS; i++) {
        bytes file = make_jpeg(&jpeg_kinds[i], WIDTH, HEIGHT), small = make_jpeg(&jpeg_kinds[0], 8, 8);
        bytes made = cut_and_add(file, file.size - 2, (const char *)small.data, small.size);
        picture whole = {0};
        assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
        assert_same_picture(jpeg_kinds[i].name, file.size, made, whole.rows, picture_bytes(&whole));
        free(whole.rows);
        free(file.data);
        free(small.data);
        free(made.data);
    }
}

static void test_text_at_the_end_of_a_png(void **state) {
    for (size_t i = 0; i < PNG_NAMES; i++) {
        bytes file = load(png_names[i], "png");
        size_t needed_bytes = png_needed_bytes(file, png_row_data_bytes(png_names[i]));
        picture whole = {0};
        assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
        for (size_t size = needed_bytes; size < file.size; size++) {
            bytes made = cut_and_add(file, size, trailer, sizeof(trailer));
            assert_same_picture(png_names[i], size, made, whole.rows, picture_bytes(&whole));
            free(made.data);
        }
        free(whole.rows);
        free(file.data);
    }
}

/* The end of the file is in place; its checksum is wrong, or that of the pixels. */
static void test_wrong_checksums(void **state) {
    bytes file = load("rgb", "png");
    picture whole = {0};
    assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
    file.data[file.size - 1] ^= 1; /* of IEND */
    assert_same_picture("IEND", 0, file, whole.rows, picture_bytes(&whole));
    file.data[file.size - 1] ^= 1;
    file.data[file.size - 13] ^= 1; /* of the pixels, which may be wrong */
    free(whole.rows);
    assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_CORRUPT);
    free(file.data);
}

static void test_arithmetic_coding_needs_its_end(void **state) {
    bytes file = make_jpeg(&arithmetic, WIDTH, HEIGHT);
    picture whole = {0};
    assert_int_equal(decode(file, NULL, 5, &whole, NULL), SWIN2SR_OK);
    free(whole.rows);
    for (size_t size = first_cut(file); size < file.size; size++) {
        bytes cut = copy_bytes(file.data, size);
        assert_refused("arithmetic", size, cut);
        free(cut.data);
    }
    free(file.data);
}

/* The last component and the end marker are missing. */
static void test_missing_scan(void **state) {
    bytes file = make_jpeg(&jpeg_kinds[JPEG_KINDS - 1], WIDTH, HEIGHT);
    size_t last_scan = file.size;
    while (file.data[last_scan - 2] != 0xff || file.data[last_scan - 1] != 0xda)
        last_scan--;
    bytes without_end = copy_bytes(file.data, last_scan - 2);
    assert_refused("a scan less", last_scan, without_end);
    free(without_end.data);
    free(file.data);
}

/* If libjpeg warns about data and goes on, there must be a note, and a strict reader must refuse the file. */
static void test_damaged_data(void **state) {
    static reference result;
    bytes file = make_jpeg(&jpeg_kinds[1], WIDTH, HEIGHT);
    size_t noted = 0;
    for (size_t at = file.size - CUT_BYTES; at < file.size - 2; at++) {
        picture got = {0};
        uint8_t kept = file.data[at];
        file.data[at] = 0x7f;
        reference_decode(file, &result);
        swin2sr_status status = decode(file, NULL, 5, &got, NULL);
        assert_int_equal(status, result.is_incomplete ? SWIN2SR_CORRUPT : SWIN2SR_OK);
        if (status == SWIN2SR_OK) {
            bool is_noted = got.info.damage != NULL;
            assert_memory_equal(got.rows, result.rows, picture_bytes(&got));
            assert_int_equal(is_noted, result.errors.num_warnings > 0);
            free(got.rows);
            swin2sr_status strict = decode(file, &(image_limits){.is_strict = true}, 5, &got, NULL);
            assert_int_equal(strict, is_noted ? SWIN2SR_CORRUPT : SWIN2SR_OK);
            if (strict == SWIN2SR_OK)
                free(got.rows);
            noted += is_noted;
        }
        file.data[at] = kept;
    }
    assert_true(noted > 0);
    free(file.data);
}

/* The JPEG in a TIFF, and runs of PackBits that are too long: the library warns and goes on. */
static void test_damaged_tiff(void **state) {
    static const char *const names[] = {"tiff_jpeg", "tiff_packbits"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bytes file = load(names[i], "tif");
        size_t noted = 0;
        for (size_t at = 8; at < file.size; at++) {
            picture got = {0};
            uint8_t kept = file.data[at];
            file.data[at] = 0x7f;
            if (decode(file, NULL, 5, &got, NULL) == SWIN2SR_OK) {
                noted += got.info.damage != NULL;
                free(got.rows);
                swin2sr_status strict = decode(file, &(image_limits){.is_strict = true}, 5, &got, NULL);
                assert_int_equal(strict, got.info.damage ? SWIN2SR_CORRUPT : SWIN2SR_OK);
                if (strict == SWIN2SR_OK)
                    free(got.rows);
            }
            file.data[at] = kept;
        }
        assert_true(noted > 0);
        picture whole = {0};
        assert_int_equal(decode(file, &(image_limits){.is_strict = true}, 5, &whole, NULL), SWIN2SR_OK);
        free(whole.rows);
        free(file.data);
    }
}

/* ---- memory ---- */

static size_t allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A reader must allocate as much memory as it says it holds, apart from a few rows. */
static void test_memory_really_held(void **state) {
    static uint8_t row[MEMORY_WIDTH * 4];
    if (allocated() == 0)
        skip(); /* sanitizers replace the allocator and do not count */
    for (size_t i = 0; i < JPEG_KINDS; i++) {
        bytes file = make_jpeg(&jpeg_kinds[i], MEMORY_WIDTH, MEMORY_HEIGHT);
        size_t before = allocated(), strips = 120 * MEMORY_WIDTH + 100000;
        image_reader *reader = NULL;
        assert_int_equal(image_reader_open(file.data, file.size, NULL, &reader, NULL), SWIN2SR_OK);
        assert_int_equal(image_reader_read(reader, row, 0, 1, NULL), SWIN2SR_OK);
        size_t held = allocated() - before, said = image_reader_info(reader)->memory_bytes;
        bool has_scans = jpeg_kinds[i].is_progressive || jpeg_kinds[i].has_scan_per_channel;
        assert_int_equal(said > 0, has_scans);
        if (held > said + strips || said > held)
            fail_msg("%s: holds %zu bytes, says %zu", jpeg_kinds[i].name, held, said);
        image_reader_close(reader);
        free(file.data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_jpeg),
        cmocka_unit_test(test_cut_png),
        cmocka_unit_test(test_text_at_the_end_of_a_jpeg),
        cmocka_unit_test(test_jpeg_at_the_end_of_a_jpeg),
        cmocka_unit_test(test_text_at_the_end_of_a_png),
        cmocka_unit_test(test_wrong_checksums),
        cmocka_unit_test(test_arithmetic_coding_needs_its_end),
        cmocka_unit_test(test_missing_scan),
        cmocka_unit_test(test_damaged_data),
        cmocka_unit_test(test_damaged_tiff),
        cmocka_unit_test(test_memory_really_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
