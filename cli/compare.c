/* SPDX-License-Identifier: Apache-2.0
 * cli/compare.c - swin2sr compare: measure the similarity of two images in the way of published results.
 * In: two image files of the same size.  Out: PSNR-Y, SSIM-Y and PSNR-RGB. Both images are read row by row, so only
 * their decoders hold more than a row. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/commands.h"
#include "command/input.h"
#include "command/report.h"
#include "image/image.h"
#include "quality.h"

#define MAX_PIXELS 800000000u /* of an enlarged image at most */

typedef struct compare_run {
    cli_options options; /* first: the table of options stores into it */
    int32_t border;
} compare_run;

/* One of the two images: its file, its reader, and a row as decoded and as RGB. */
typedef struct compare_side {
    const char *path;
    input_file input;
    image_reader *reader;
    const image_info *info;
    uint8_t *row; /* [width][channels] as decoded; then rgb */
    uint8_t *rgb; /* [width][3] */
} compare_side;

static void side_done(compare_side *side) {
    image_reader_close(side->reader);
    free(side->row);
    input_done(&side->input);
}

static int side_open(compare_side *side, bool is_quiet) {
    const image_limits limits = {.pixels = MAX_PIXELS, .side_px = IMAGE_MAX_SIDE_PX};
    swin2sr_error error = {0};
    swin2sr_status status = input_read(side->path, &side->input, &error);
    if (status == SWIN2SR_OK)
        status = image_reader_open(side->input.bytes, side->input.size, &limits, &side->reader, &error);
    if (status != SWIN2SR_OK)
        return report_failure(side->path, status, &error);
    side->info = image_reader_info(side->reader);
    size_t width = (size_t)side->info->width_px;
    size_t pixel_bytes = (size_t)(side->info->channels * side->info->sample_bytes);
    side->row = malloc(width * (pixel_bytes + 3));
    if (!side->row)
        return report_no_memory();
    side->rgb = side->row + width * pixel_bytes;
    if (side->info->sample_bytes == 2 && !is_quiet)
        report_note(side->path, "16-bit samples were reduced to 8 bits");
    if (side->info->damage && !is_quiet)
        report_note(side->path, "%s; all of its rows could be read", side->info->damage);
    return CLI_EXIT_OK;
}

/* Sample i of the row in 8 bits. */
static uint8_t sample_at(const compare_side *side, size_t i) {
    if (side->info->sample_bytes == 1)
        return side->row[i];
    return (uint8_t)((((const uint16_t *)(const void *)side->row)[i] * 255u + 32767) / 65535);
}

static int side_read(compare_side *side) {
    swin2sr_error error = {0};
    size_t channels = (size_t)side->info->channels, width = (size_t)side->info->width_px;
    swin2sr_status status = image_reader_read(side->reader, side->row, 0, 1, &error);
    if (status != SWIN2SR_OK)
        return report_failure(side->path, status, &error);
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++)
            side->rgb[3 * x + c] = sample_at(side, channels * x + (channels < 3 ? 0 : c));
    return CLI_EXIT_OK;
}

static int check_sizes(const compare_side *sides, int32_t border) {
    const image_info *a = sides[0].info, *b = sides[1].info;
    if (a->width_px != b->width_px || a->height_px != b->height_px) {
        report_error(NULL, "the sizes differ: %s is %dx%d, %s is %dx%d", sides[0].path, a->width_px, a->height_px,
                     sides[1].path, b->width_px, b->height_px);
        return CLI_EXIT_INPUT;
    }
    if (2 * border < a->width_px && 2 * border < a->height_px)
        return CLI_EXIT_OK;
    report_error(NULL, "--border %d: must leave at least one pixel of %dx%d", border, a->width_px, a->height_px);
    return CLI_EXIT_INPUT;
}

static int measure(compare_side *sides, int32_t border, quality_result *ret_result) {
    quality_sums quality;
    int32_t height = sides[0].info->height_px;
    if (!quality_init(&quality, sides[0].info->width_px, height, border))
        return report_no_memory();
    int code = CLI_EXIT_OK;
    for (int32_t y = 0; y < height && code == CLI_EXIT_OK; y++) {
        code = side_read(&sides[0]);
        if (code == CLI_EXIT_OK)
            code = side_read(&sides[1]);
        if (code == CLI_EXIT_OK)
            quality_add_row(&quality, sides[0].rgb, sides[1].rgb);
    }
    *ret_result = quality_get(&quality);
    quality_done(&quality);
    return code;
}

static int print_result(const cli_options *options, const compare_side *side, int32_t border,
                        const quality_result *result) {
    if (options->is_json)
        return report_json(json_pack("{so so so si si si}", "psnr_y", report_json_real(result->psnr_y), "ssim_y",
                                     report_json_real(result->ssim_y), "psnr_rgb", report_json_real(result->psnr_rgb),
                                     "width", side->info->width_px, "height", side->info->height_px, "border", border));
    printf("PSNR-Y   %.4f dB\n", result->psnr_y);
    if (isnan(result->ssim_y))
        printf("SSIM-Y   not defined: a side has less than %d pixels\n", QUALITY_WINDOW);
    else
        printf("SSIM-Y   %.6f\n", result->ssim_y);
    printf("PSNR-RGB %.4f dB\n", result->psnr_rgb);
    return CLI_EXIT_OK;
}

static int compare_sides(const cli_options *options, compare_side *sides, int32_t border) {
    quality_result result = {0};
    int code = side_open(&sides[0], options->is_quiet);
    if (code == CLI_EXIT_OK)
        code = side_open(&sides[1], options->is_quiet);
    if (code == CLI_EXIT_OK)
        code = check_sizes(sides, border);
    if (code == CLI_EXIT_OK)
        code = measure(sides, border, &result);
    return code == CLI_EXIT_OK ? print_result(options, &sides[0], border, &result) : code;
}

static int run(const cli_command *command, int argc, char **argv) {
    compare_run state = {0};
    if (!options_parse(command, &state, argc, argv, &argv))
        return CLI_EXIT_USAGE;
    compare_side sides[2] = {{.path = argv[0]}, {.path = argv[1]}};
    int code = compare_sides(&state.options, sides, state.border);
    side_done(&sides[0]);
    side_done(&sides[1]);
    return code;
}

static const cli_option OPTIONS[] = {
    {"border", "N",
     "pixels cut off on each side first (default: 0; results are\n"
     "published with the scale)",
     .max = IMAGE_MAX_SIDE_PX, .field = offsetof(compare_run, border)},
    {0},
};

const cli_command compare_command = {
    "compare",
    "swin2sr compare",
    "Usage: swin2sr compare [OPTION]... A B\n"
    "PSNR and SSIM of two images of one size, as published super-resolution results are\n"
    "measured: 8 bits, Y of BT.601 (16..235, not rounded), SSIM with an 11x11 Gaussian of\n"
    "sigma 1.5 where it fits whole. Alpha is left out; grey counts as three equal channels.\n\n",
    "two images",
    2,
    2,
    {OPTIONS, options_common},
    .run = run,
};
