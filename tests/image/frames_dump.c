/* SPDX-License-Identifier: Apache-2.0
 * tests/image/frames_dump.c - for tests/cli/test_animation.py: the frames of an image, and animations made of canvases.
 * frames_dump read FILE MAX_PIXELS      to stdout: a line "WIDTH HEIGHT FRAMES PLAYS DAMAGE"; then for each frame a line
 *                                       "NUM DEN" and the canvas, RGBA. MAX_PIXELS 0: as the command line
 * frames_dump write FORMAT QUALITY ALPHA  from stdin, what read gives; to stdout: the animation */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enlarge/changes.h"
#include "image/frames.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

static int fail(const swin2sr_error *error) {
    fprintf(stderr, "%s\n", error->text);
    return 1;
}

static size_t canvas_bytes(int32_t width_px, int32_t height_px) {
    return (size_t)width_px * (size_t)height_px * FRAMES_PIXEL_BYTES;
}

static int read_frames(const char *path, const char *max_pixels) {
    const image_limits limits = {.pixels = strtoull(max_pixels, NULL, 10)};
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX_BYTES);
    size_t size = in && data ? fread(data, 1, FILE_MAX_BYTES, in) : 0;
    frames_reader *reader = NULL;
    swin2sr_error error = {""};
    swin2sr_status status = frames_reader_open(data, size, &limits, &reader, &error);
    const frames_info *info = status == SWIN2SR_OK ? frames_reader_info(reader) : NULL;
    if (info)
        printf("%d %d %d %u %s\n", info->width_px, info->height_px, info->frames, info->plays,
               info->damage ? "damaged" : "whole");
    for (int32_t i = 0; info && i < info->frames && status == SWIN2SR_OK; i++) {
        frames_frame frame;
        status = frames_reader_next(reader, &frame, &error);
        if (status != SWIN2SR_OK)
            break;
        printf("%u %u\n", frame.delay_num, frame.delay_den);
        fwrite(frame.canvas, 1, canvas_bytes(info->width_px, info->height_px), stdout);
    }
    frames_reader_close(reader);
    if (in)
        fclose(in);
    free(data);
    return status == SWIN2SR_OK ? 0 : fail(&error);
}

static bool to_stdout(void *context, const void *bytes, size_t size) {
    return fwrite(bytes, 1, size, stdout) == size;
}

/* Read all canvases first: a palette needs them. */
static swin2sr_status write_all(frames_writer *writer, int32_t frames, int32_t width_px, int32_t height_px,
                                swin2sr_error *reterr) {
    size_t bytes = canvas_bytes(width_px, height_px);
    uint8_t *all = malloc(bytes * (size_t)frames);
    frames_part *parts = calloc((size_t)frames, sizeof(*parts));
    swin2sr_status status = all && parts ? SWIN2SR_OK : SWIN2SR_NOMEM;
    for (int32_t i = 0; i < frames && status == SWIN2SR_OK; i++) {
        uint8_t *canvas = all + (size_t)i * bytes;
        changes_area areas[CHANGES_MAX], changed = {0};
        if (scanf("%u %u", &parts[i].delay_num, &parts[i].delay_den) != 2 || getchar() != '\n' ||
            fread(canvas, 1, bytes, stdin) != bytes)
            status = SWIN2SR_IO;
        int32_t count = changes_find(i ? canvas - bytes : NULL, canvas, width_px, height_px, areas);
        for (int32_t k = 0; k < count; k++)
            changed = changes_join(changed, areas[k]);
        parts[i].x = changed.x;
        parts[i].y = changed.y;
        parts[i].width_px = changed.width_px;
        parts[i].height_px = changed.height_px;
        if (frames_writer_counts(writer))
            status = frames_writer_count(writer, canvas, bytes / FRAMES_PIXEL_BYTES, 2, reterr);
    }
    for (int32_t i = 0; i < frames && status == SWIN2SR_OK; i++)
        status = frames_writer_add(writer, &parts[i], all + (size_t)i * bytes, reterr);
    free(all);
    free(parts);
    return status == SWIN2SR_OK ? frames_writer_finish(writer, reterr) : status;
}

static int write_frames(const char *format, const char *quality, const char *alpha) {
    frames_options options = {
        .format = format_by_name(format), .quality = atoi(quality), .has_alpha = strcmp(alpha, "alpha") == 0};
    frames_writer *writer = NULL;
    swin2sr_error error = {""};
    char damage[16];
    if (scanf("%d %d %d %u %15s", &options.width_px, &options.height_px, &options.frames, &options.plays, damage) != 5)
        return 2;
    getchar();
    swin2sr_status status = frames_writer_open(&options, to_stdout, NULL, &writer, &error);
    if (status == SWIN2SR_OK)
        status = write_all(writer, options.frames, options.width_px, options.height_px, &error);
    frames_writer_close(writer);
    return status == SWIN2SR_OK ? 0 : fail(&error);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "read") == 0)
        return read_frames(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "write") == 0)
        return write_frames(argv[2], argv[3], argv[4]);
    return 2;
}
