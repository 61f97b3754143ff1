/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_frames.c - compose all frames of any bytes as an animation, and write them as the formats in turn. */
#include <stdlib.h>

#include "image/frames.h"

#define MAX_PIXELS 65536
#define MAX_FRAMES 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool drop(void *context, const void *bytes, size_t size) {
    return true;
}

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static frames_writer *open_writer(const frames_info *info, uint8_t choice) {
    static const format_id formats[] = {FORMAT_GIF, FORMAT_WEBP, FORMAT_PNG};
    const frames_options options = {.format = formats[choice % 3],
                                    .quality = choice % 2 ? 100 : 60,
                                    .width_px = info->width_px,
                                    .height_px = info->height_px,
                                    .frames = info->frames,
                                    .plays = info->plays,
                                    .has_alpha = true};
    frames_writer *writer = NULL;
    return frames_writer_open(&options, drop, NULL, &writer, NULL) == SWIN2SR_OK ? writer : NULL;
}

static swin2sr_status pass_on(frames_reader *reader, frames_writer *writer, int32_t i) {
    const frames_info *info = frames_reader_info(reader);
    frames_frame frame;
    swin2sr_status status = frames_reader_next(reader, &frame, NULL);
    if (status != SWIN2SR_OK || !writer)
        return status;
    check(frame.delay_den > 0);
    bool is_part = i > 0 && info->width_px > 2;
    const frames_part part = {.x = is_part ? 1 : 0,
                              .width_px = is_part ? info->width_px - 2 : info->width_px,
                              .height_px = i % 5 == 4 ? 0 : info->height_px,
                              .delay_num = frame.delay_num,
                              .delay_den = frame.delay_den};
    if (i == 0 && frames_writer_counts(writer))
        check(frames_writer_count(writer, frame.canvas, (size_t)info->width_px * (size_t)info->height_px, 2, NULL) ==
              SWIN2SR_OK);
    return frames_writer_add(writer, &part, frame.canvas, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const image_limits limits = {.pixels = MAX_PIXELS};
    frames_reader *reader = NULL;
    swin2sr_error error = {""};
    if (size == 0 || frames_reader_open(data, size, &limits, &reader, &error) != SWIN2SR_OK)
        return 0;
    const frames_info *info = frames_reader_info(reader);
    frames_writer *writer = info->frames <= MAX_FRAMES ? open_writer(info, data[size - 1]) : NULL;
    swin2sr_status status = SWIN2SR_OK;
    int32_t most = info->frames < MAX_FRAMES ? info->frames : MAX_FRAMES;
    for (int32_t i = 0; i < most && status == SWIN2SR_OK; i++)
        status = pass_on(reader, writer, i);
    if (status == SWIN2SR_OK && writer)
        check(frames_writer_finish(writer, NULL) == SWIN2SR_OK);
    frames_writer_close(writer);
    frames_reader_close(reader);
    return 0;
}
