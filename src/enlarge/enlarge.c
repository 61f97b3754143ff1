/* SPDX-License-Identifier: Apache-2.0
 * enlarge/enlarge.c - one image file to one larger image file (stages 4 to 8 of 9).
 * In: bytes of a file, a model.  Out: bytes of a file, through a sink.
 *   reader -> (crop) -> strip of file rows -> (split) -> network rows -> stream -> (join, mix) -> (resample) -> writer
 * Rows are split and joined only if the file's samples differ from the network's: alpha, grey and a colour network, or 16
 * bits, which go through the network as floats.
 * Everything but the network and the writer runs on the caller's thread. It holds two strips of input, one row of
 * output, and the alpha ring. */
#include "enlarge/enlarge.h"

#include <stdlib.h>
#include <string.h>

#include "base/alpha.h"
#include "base/clock.h"
#include "base/error.h"
#include "enlarge/bleed.h"
#include "enlarge/choose.h"
#include "enlarge/crop.h"
#include "enlarge/ensemble.h"
#include "enlarge/metadata.h"
#include "enlarge/mix.h"
#include "enlarge/preview.h"
#include "enlarge/provenance.h"
#include "enlarge/resample.h"
#include "enlarge/rows.h"
#include "enlarge/shrink.h"

#define STRIP_ROWS 8

typedef struct enlarge_job {
    const enlarge_options *options;
    swin2sr_model *model;
    image_reader *reader;
    swin2sr_threads *threads, *own_threads; /* of network and writer; own: unless the caller shares its own */
    swin2sr_stream *stream;
    ensemble *ensemble; /* in place of stream; NULL: not wanted */
    image_writer *writer;
    image_writer *aux_writer; /* for the second image; NULL: not wanted */
    crop crop;
    shrink shrink; /* with report.is_shrunk */
    bleed bleed;   /* with has_alpha */
    mix mix;
    resample *resample;                    /* NULL: the network's size is the output's */
    int32_t full_width_px, full_height_px; /* of the network's output, without the pad of a reduced image */
    preview preview;
    bool has_preview;
    const image_info *in;
    made_metadata metadata; /* of the output */
    image_metadata aux_metadata;
    char provenance[PROVENANCE_BYTES];
    rows_kind from, to;       /* of the input; of the output, before alpha is dropped */
    int32_t network_channels; /* 1 or 3 */
    bool has_alpha, is_alpha_dropped;
    uint8_t *file_strip;     /* [STRIP_ROWS][in width][in channels] */
    uint8_t *network_strips; /* [2][STRIP_ROWS][in width][network channels]; NULL: rows of the file need no change */
    uint8_t *joined_row;     /* [out width][in channels]; NULL: rows of the network need no change */
    uint8_t *aux_row;        /* [in width][network channels]; NULL: rows of the second image need no change */
    swin2sr__alpha_ring alpha;
    enlarge_report report;
    swin2sr_status output_status; /* of the stages after the network; reterr already has its detail */
    swin2sr_error *reterr;
} enlarge_job;

static void job_done(enlarge_job *job) {
    swin2sr_stream_close(job->stream);
    ensemble_close(job->ensemble);
    image_writer_close(job->writer);
    image_writer_close(job->aux_writer);
    preview_done(&job->preview);
    metadata_done(&job->metadata);
    shrink_done(&job->shrink);
    bleed_done(&job->bleed);
    crop_done(&job->crop);
    mix_done(&job->mix);
    resample_close(job->resample);
    image_reader_close(job->reader);
    swin2sr__alpha_ring_done(&job->alpha);
    swin2sr_threads_free(job->own_threads);
    free(job->file_strip);
    free(job->network_strips);
    free(job->joined_row);
    free(job->aux_row);
}

static swin2sr_status out_of_memory(enlarge_job *job) {
    return swin2sr__error_set(job->reterr, SWIN2SR_NOMEM, "not enough memory to enlarge this image");
}

/* ---- after the network: join and encode ---- */

static swin2sr_status join_row(enlarge_job *job, int32_t y, const uint8_t *network) {
    size_t width = (size_t)job->full_width_px, sample_bytes = (size_t)job->to.sample_bytes;
    rows_join(&job->to, network, job->network_channels, width, job->joined_row);
    swin2sr_status status = mix_row(&job->mix, y, job->joined_row);
    if (!job->has_alpha && status == SWIN2SR_OK)
        return SWIN2SR_OK;
    size_t colour_bytes = (size_t)job->to.colours * sample_bytes;
    if (status == SWIN2SR_OK)
        status = swin2sr__alpha_ring_make(&job->alpha, y, job->joined_row + colour_bytes, colour_bytes + sample_bytes,
                                          colour_bytes);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(job->reterr, status, "row %d of the plain enlargement was not available", (int)y);
    if (job->is_alpha_dropped)
        rows_over_white(&job->to, job->joined_row, width);
    return SWIN2SR_OK;
}

/* To the file, and to the preview where there is one. */
static swin2sr_status write_sized(enlarge_job *job, int32_t n, const uint8_t *rows, size_t stride_bytes) {
    swin2sr_status status = image_writer_write(job->writer, rows, stride_bytes, n, job->reterr);
    for (int32_t row = 0; row < n && job->has_preview && status == SWIN2SR_OK; row++)
        status = preview_add(&job->preview, rows + (size_t)row * stride_bytes, job->reterr);
    return status;
}

static swin2sr_status write_out(enlarge_job *job, int32_t n, const uint8_t *rows, size_t stride_bytes) {
    if (job->resample == NULL)
        return write_sized(job, n, rows, stride_bytes);
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n; i++) {
        resample_push(job->resample, rows + (size_t)i * stride_bytes);
        const uint8_t *row = resample_next(job->resample);
        for (; row != NULL && status == SWIN2SR_OK; row = resample_next(job->resample))
            status = write_sized(job, 1, row, 0);
    }
    return status;
}

static swin2sr_status write_rows(enlarge_job *job, int32_t y, int32_t n, const uint8_t *rows, size_t stride_bytes) {
    if (n > job->full_height_px - y) /* the pad of a reduced image */
        n = job->full_height_px > y ? job->full_height_px - y : 0;
    if (job->joined_row == NULL)
        return write_out(job, n, rows, stride_bytes);
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t row = 0; row < n && status == SWIN2SR_OK; row++) {
        status = join_row(job, y + row, rows + (size_t)row * stride_bytes);
        if (status == SWIN2SR_OK)
            status = write_out(job, 1, job->joined_row, 0);
    }
    return status;
}

static swin2sr_status on_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    enlarge_job *job = context;
    uint64_t start_us = swin2sr__clock_us();
    job->output_status = write_rows(job, y, n, rows, stride_bytes);
    job->report.encode_us += swin2sr__clock_us() - start_us;
    return job->output_status;
}

static swin2sr_status on_aux_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    enlarge_job *job = context;
    const rows_kind kind = {job->network_channels, job->network_channels, job->to.sample_bytes};
    swin2sr_status status = SWIN2SR_OK;
    (void)y;
    if (job->aux_row == NULL)
        status = image_writer_write(job->aux_writer, rows, stride_bytes, n, job->reterr);
    for (int32_t row = 0; row < n && job->aux_row != NULL && status == SWIN2SR_OK; row++) {
        rows_join(&kind, (const uint8_t *)rows + (size_t)row * stride_bytes, job->network_channels,
                  (size_t)job->in->width_px, job->aux_row);
        status = image_writer_write(job->aux_writer, job->aux_row, 0, 1, job->reterr);
    }
    job->output_status = status;
    return status;
}

/* ---- before the network: open, decode and split ---- */

/* What the samples of input, network and output are. */
static void describe_rows(enlarge_job *job, int32_t network_channels) {
    const format_info *format = format_get(job->options->out.format);
    job->has_alpha = job->in->channels == 2 || job->in->channels == 4;
    job->is_alpha_dropped = job->has_alpha && !format->has_alpha;
    job->from = (rows_kind){job->in->channels, job->in->channels - job->has_alpha, job->in->sample_bytes};
    job->to = job->from;
    job->to.sample_bytes = format->has_16 ? job->from.sample_bytes : 1;
    job->network_channels = network_channels;
    job->report.channels = job->is_alpha_dropped ? job->to.colours : job->to.channels;
    job->report.notes |= job->is_alpha_dropped ? NOTE_ALPHA_DROPPED : 0;
    job->report.notes |= job->to.sample_bytes < job->from.sample_bytes ? NOTE_REDUCED_16 : 0;
    job->report.notes |= job->report.is_shrunk ? NOTE_SHRUNK : 0;
}

/* The size of the output. shown: the image without the pad of a reduced one. */
static swin2sr_status settle_size(enlarge_job *job, const image_info *shown, int32_t scale) {
    int64_t full_width = (int64_t)shown->width_px * scale, full_height = (int64_t)shown->height_px * scale;
    uint64_t max_pixels = job->options->out_pixels > 0 ? job->options->out_pixels : ENLARGE_DEFAULT_OUT_PIXELS;
    int32_t out_width, out_height;
    format_target_size(&job->options->target, shown->width_px, shown->height_px, scale, &out_width, &out_height);
    if (full_width > INT32_MAX || full_height > INT32_MAX || (uint64_t)out_width * (uint64_t)out_height > max_pixels)
        return swin2sr__error_set(job->reterr, SWIN2SR_TOO_LARGE,
                                  "the result would have %d x %d pixels; at most %llu are allowed", out_width,
                                  out_height, (unsigned long long)max_pixels);
    job->full_width_px = (int32_t)full_width;
    job->full_height_px = (int32_t)full_height;
    job->report.out_width_px = out_width;
    job->report.out_height_px = out_height;
    if (out_width == full_width && out_height == full_height)
        return SWIN2SR_OK;
    const rows_kind kind = {job->report.channels, job->to.colours, job->to.sample_bytes};
    swin2sr_status status =
        resample_open(&kind, job->full_width_px, job->full_height_px, out_width, out_height, &job->resample);
    return status == SWIN2SR_OK ? status : out_of_memory(job);
}

/* Choose the network by the picture, where there is a choice. */
static swin2sr_status choose_model(enlarge_job *job, const void *data, size_t size) {
    if (job->options->undamaged_model == NULL)
        return SWIN2SR_OK;
    uint64_t start_us = swin2sr__clock_us();
    swin2sr_status status = choose(&job->crop, data, size, &job->report.choice, job->reterr);
    job->report.decode_us += swin2sr__clock_us() - start_us;
    if (job->report.choice == CHOICE_UNDAMAGED)
        job->model = job->options->undamaged_model;
    return status;
}

static swin2sr_status open_input(enlarge_job *job, const void *data, size_t size) {
    uint64_t start_us = swin2sr__clock_us();
    image_limits limits = job->options->limits;
    limits.to_srgb =
        job->options->metadata & FORMAT_METADATA_SRGB || !format_get(job->options->out.format)->has_profile;
    swin2sr_status status =
        job->reader ? SWIN2SR_OK : image_reader_open(data, size, &limits, &job->reader, job->reterr);
    job->report.decode_us = swin2sr__clock_us() - start_us;
    if (status != SWIN2SR_OK)
        return status;
    status = crop_open(&job->crop, job->reader, &job->options->target, job->reterr);
    if (status == SWIN2SR_OK)
        status = choose_model(job, data, size);
    if (status != SWIN2SR_OK)
        return status;
    const swin2sr_model_info *network = swin2sr_model_get_info(job->model);
    job->in = &job->crop.info;
    job->report.in_width_px = job->in->width_px;
    job->report.in_height_px = job->in->height_px;
    image_info shown = *job->in; /* without the pad of a reduced image */
    if (job->options->shrink_px > 0 &&
        (job->in->width_px > job->options->shrink_px || job->in->height_px > job->options->shrink_px)) {
        status = shrink_open(&job->shrink, &job->crop, job->options->shrink_px, job->reterr);
        if (status != SWIN2SR_OK)
            return status;
        job->report.is_shrunk = true;
        job->in = &job->shrink.info;
        shown.width_px = job->shrink.width_px;
        shown.height_px = job->shrink.height_px;
    }
    describe_rows(job, network->channels);
    if (job->from.colours > job->network_channels)
        return swin2sr__error_set(job->reterr, SWIN2SR_UNSUPPORTED,
                                  "this model enlarges grey images only; the image has colour");
    return settle_size(job, &shown, network->scale);
}

static swin2sr_pixel pixel_of(int32_t channels, int32_t sample_bytes) {
    if (sample_bytes == 1)
        return channels == 1 ? SWIN2SR_PIXEL_GREY8 : SWIN2SR_PIXEL_RGB8;
    return channels == 1 ? SWIN2SR_PIXEL_GREYF32 : SWIN2SR_PIXEL_RGBF32;
}

static swin2sr_status open_threads(enlarge_job *job) {
    swin2sr_status status = SWIN2SR_OK;
    job->threads = job->options->engine.shared_threads;
    if (job->threads == NULL)
        status = swin2sr_threads_new(job->options->engine.threads, &job->own_threads, job->reterr);
    if (job->threads == NULL)
        job->threads = job->own_threads;
    return status;
}

static swin2sr_status open_network(enlarge_job *job) {
    swin2sr_options engine = job->options->engine;
    engine.shared_threads = job->threads;
    engine.input_pixel = pixel_of(job->network_channels, job->from.sample_bytes);
    engine.output_pixel = pixel_of(job->network_channels, job->to.sample_bytes);
    engine.on_progress = job->options->on_progress;
    engine.progress_context = job->options->progress_context;
    engine.on_aux_rows = job->options->aux_sink ? on_aux_rows : NULL;
    engine.aux_context = job;
    if (job->options->is_ensemble) {
        swin2sr_status status = ensemble_open(job->model, &engine, job->in->width_px, job->in->height_px, on_rows, job,
                                              &job->ensemble, job->reterr);
        if (status == SWIN2SR_OK)
            job->report.plan = *ensemble_get_plan(job->ensemble);
        return status;
    }
    swin2sr_status status = swin2sr_stream_open(job->model, &engine, job->in->width_px, job->in->height_px, on_rows,
                                                job, &job->stream, job->reterr);
    if (status == SWIN2SR_OK)
        job->report.plan = *swin2sr_stream_get_plan(job->stream);
    return status;
}

/* The next n rows of the input, reduced where it is too large. */
static swin2sr_status read_input(void *context, void *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    enlarge_job *job = context;
    return job->report.is_shrunk ? shrink_read(&job->shrink, rows, stride_bytes, n, reterr)
                                 : crop_read(&job->crop, rows, stride_bytes, n, reterr);
}

/* Bytes of a sample in the network's rows beside a file with sample_bytes. */
static size_t network_sample_bytes(int32_t sample_bytes) {
    return sample_bytes == 1 ? 1 : sizeof(float);
}

/* What is enlarged beside the network: alpha, and colours that are mixed with the network's. */
static swin2sr_status open_plain(enlarge_job *job, const swin2sr_model_info *network) {
    /* the network's latency, a step being filled, a step being emptied, and two strips */
    int32_t lag_rows = job->report.plan.latency_rows + 2 * job->report.plan.rows * network->window_px + 2 * STRIP_ROWS;
    swin2sr_status status = SWIN2SR_OK;
    if (job->has_alpha)
        status = swin2sr__alpha_ring_init(&job->alpha, job->in->width_px, job->in->height_px, network->scale, lag_rows,
                                          job->from.sample_bytes, job->to.sample_bytes);
    if (job->options->target.plain_parts > 0 && status == SWIN2SR_OK)
        status = mix_init(&job->mix, job->options->target.plain_parts, &job->from, &job->to, job->in->width_px,
                          job->in->height_px, network->scale, lag_rows);
    if (status == SWIN2SR_UNSUPPORTED)
        return swin2sr__error_set(job->reterr, status,
                                  "this model enlarges %d times; with transparency or strength at most %d times is "
                                  "possible",
                                  network->scale, SWIN2SR__ALPHA_MAX_SCALE);
    return status == SWIN2SR_OK ? status : out_of_memory(job);
}

static swin2sr_status allocate_rows(enlarge_job *job, const swin2sr_model_info *network) {
    bool is_split = job->from.channels != job->network_channels || job->from.sample_bytes == 2 ||
                    job->options->target.plain_parts > 0; /* it keeps two strips, as alpha does */
    bool is_mixed = job->options->target.plain_parts > 0;
    bool is_joined = job->to.channels != job->network_channels || job->to.sample_bytes == 2 || is_mixed;
    bool has_aux_row = job->options->aux_sink != NULL && job->to.sample_bytes == 2;
    size_t width = (size_t)job->in->width_px, strip_px = width * STRIP_ROWS, scale = (size_t)network->scale;
    size_t network_bytes = (size_t)job->network_channels * network_sample_bytes(job->from.sample_bytes);
    size_t out_bytes = (size_t)job->to.sample_bytes;
    job->file_strip = malloc(strip_px * (size_t)(job->from.channels * job->from.sample_bytes));
    if (is_split)
        job->network_strips = malloc(2 * strip_px * network_bytes);
    if (is_joined)
        job->joined_row = malloc(width * scale * (size_t)job->to.channels * out_bytes);
    if (has_aux_row)
        job->aux_row = malloc(width * (size_t)job->network_channels * out_bytes);
    if (job->file_strip == NULL || (is_split && job->network_strips == NULL) ||
        (is_joined && job->joined_row == NULL) || (has_aux_row && job->aux_row == NULL))
        return out_of_memory(job);
    swin2sr_status status = open_plain(job, network);
    if (!job->has_alpha || status != SWIN2SR_OK)
        return status;
    job->bleed.read = read_input;
    job->bleed.context = job;
    return bleed_open(&job->bleed, job->in, job->reterr);
}

/* Bytes of a row in the network's samples. */
static size_t network_row_bytes(const enlarge_job *job) {
    return (size_t)job->in->width_px * (size_t)job->network_channels * network_sample_bytes(job->from.sample_bytes);
}

/* The buffer for strip i in the network's samples. */
static uint8_t *network_strip(const enlarge_job *job, int32_t i) {
    return job->network_strips + (size_t)(i % 2 * STRIP_ROWS) * network_row_bytes(job);
}

/* Convert the colour of n rows to the network's samples, and push their alpha into the ring. */
static void split_strip(enlarge_job *job, int32_t i, int32_t n) {
    size_t sample_bytes = (size_t)job->from.sample_bytes, pixel_bytes = (size_t)job->from.channels * sample_bytes;
    size_t width = (size_t)job->in->width_px;
    for (int32_t row = 0; row < n && job->has_alpha; row++)
        swin2sr__alpha_ring_push(
            &job->alpha, job->file_strip + (size_t)row * width * pixel_bytes + (size_t)job->from.colours * sample_bytes,
            pixel_bytes);
    rows_split(&job->from, job->file_strip, (size_t)n * width, job->network_channels, network_strip(job, i));
}

static int32_t strip_rows(const enlarge_job *job, int32_t i) {
    int32_t left = job->in->height_px - i * STRIP_ROWS;
    return left < STRIP_ROWS ? left : STRIP_ROWS;
}

static swin2sr_status decode_strip(enlarge_job *job, int32_t i) {
    uint64_t start_us = swin2sr__clock_us();
    size_t row_bytes = (size_t)job->in->width_px * (size_t)(job->from.channels * job->from.sample_bytes);
    int32_t n = strip_rows(job, i);
    swin2sr_status status = job->has_alpha ? bleed_read(&job->bleed, job->file_strip, row_bytes, n, job->reterr)
                                           : read_input(job, job->file_strip, row_bytes, n, job->reterr);
    if (status == SWIN2SR_OK)
        mix_push(&job->mix, job->file_strip, row_bytes, n);
    if (status == SWIN2SR_OK && job->network_strips != NULL)
        split_strip(job, i, n);
    job->report.decode_us += swin2sr__clock_us() - start_us;
    return status;
}

static swin2sr_status push_strip(enlarge_job *job, int32_t i) {
    const uint8_t *rows = job->network_strips != NULL ? network_strip(job, i) : job->file_strip;
    size_t row_bytes = network_row_bytes(job);
    uint64_t start_us = swin2sr__clock_us(), encode_before_us = job->report.encode_us;
    int32_t n = strip_rows(job, i);
    swin2sr_status status = job->ensemble ? ensemble_push(job->ensemble, rows, row_bytes, n)
                                          : swin2sr_stream_push(job->stream, rows, row_bytes, n);
    job->report.infer_us += swin2sr__clock_us() - start_us - (job->report.encode_us - encode_before_us);
    if (status == SWIN2SR_OK || job->output_status != SWIN2SR_OK)
        return status;
    const char *detail = status == SWIN2SR_CANCELLED ? "cancelled"
                         : status == SWIN2SR_IO    ? "the GPU was lost: its driver has ended it, or it does not answer"
                         : status == SWIN2SR_NOMEM ? "other programs need the memory of the GPU"
                                                   : "the network stopped early";
    return swin2sr__error_set(job->reterr, status, "%s", detail);
}

/* What is enlarged beside the network is kept one strip ahead of it. Its filter needs two rows below each output row, but tiles
 * that do not overlap output all rows of a band before the next input row arrives. */
static swin2sr_status run_rows(enlarge_job *job) {
    int32_t strips = (job->in->height_px + STRIP_ROWS - 1) / STRIP_ROWS,
            ahead = job->has_alpha || job->mix.colours > 0 ? 1 : 0;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < strips + ahead && status == SWIN2SR_OK; i++) {
        if (i < strips)
            status = decode_strip(job, i);
        if (status == SWIN2SR_OK && i >= ahead)
            status = push_strip(job, i - ahead);
    }
    job->report.damage = job->in->damage;
    job->report.notes |= job->in->damage ? NOTE_DAMAGED : 0;
    return status;
}

static swin2sr_status finish_output(enlarge_job *job) {
    uint64_t start_us = swin2sr__clock_us();
    swin2sr_status status = image_writer_finish(job->writer, job->reterr);
    if (status == SWIN2SR_OK && job->aux_writer)
        status = image_writer_finish(job->aux_writer, job->reterr);
    if (status == SWIN2SR_OK && job->has_preview)
        status = preview_finish(&job->preview, job->reterr);
    job->report.encode_us += swin2sr__clock_us() - start_us;
    job->report.notes |= image_reader_info(job->reader)->notes | image_writer_notes(job->writer);
    if (job->options->metadata & FORMAT_METADATA_STRIP) /* what is missing is missing on purpose */
        job->report.notes &= ~(NOTE_EXIF_DROPPED | NOTE_XMP_DROPPED | NOTE_TEXT_DROPPED);
    return status;
}

static swin2sr_status open_preview(enlarge_job *job) {
    const enlarge_options *options = job->options;
    int32_t width_px = job->report.out_width_px, height_px = job->report.out_height_px;
    if (!preview_is_wanted(width_px, height_px, options->preview_side_px))
        return SWIN2SR_OK;
    job->has_preview = true;
    return preview_open(&job->preview, width_px, height_px, job->report.channels, job->to.sample_bytes,
                        options->preview_side_px, &job->metadata.data.icc, options->preview_sink,
                        options->preview_context, job->reterr);
}

static swin2sr_status make_metadata(enlarge_job *job, const swin2sr_model_info *network) {
    provenance_write(network, &job->report.plan, job->report.is_shrunk, job->provenance);
    const metadata_choice choice = {
        .format = job->options->out.format,
        .channels = job->report.channels,
        .width_px = job->report.out_width_px,
        .height_px = job->report.out_height_px,
        .times = (double)job->report.out_width_px / job->report.in_width_px,
        .is_stripped = job->options->metadata & FORMAT_METADATA_STRIP,
        .software = job->options->metadata & FORMAT_METADATA_PROVENANCE ? job->provenance : NULL,
    };
    return metadata_make(&job->metadata, image_reader_metadata(job->reader), &choice, &job->report.notes, job->reterr);
}

/* Of the second image, which has the network's channels: its colour only. */
static image_metadata aux_metadata_of(const enlarge_job *job) {
    image_metadata data = job->metadata.data;
    data.exif = data.xmp = (image_block){NULL, 0};
    data.x_per_metre = data.y_per_metre = 0;
    data.software = NULL;
    if (job->to.colours != job->network_channels)
        data.icc = data.exif;
    return data;
}

static swin2sr_status open_outputs(enlarge_job *job, const swin2sr_model_info *network, image_sink sink,
                                   void *context) {
    image_writer_options out = job->options->out;
    out.sample_bytes = job->to.sample_bytes;
    out.metadata = &job->metadata.data;
    out.threads = job->threads;
    swin2sr_status status = make_metadata(job, network);
    if (status == SWIN2SR_OK && job->writer == NULL)
        status = image_writer_open(&out, job->report.out_width_px, job->report.out_height_px, job->report.channels,
                                   sink, context, &job->writer, job->reterr);
    job->aux_metadata = aux_metadata_of(job);
    out.metadata = &job->aux_metadata;
    if (status == SWIN2SR_OK && job->options->aux_sink)
        status = image_writer_open(&out, job->in->width_px, job->in->height_px, job->network_channels,
                                   job->options->aux_sink, job->options->aux_context, &job->aux_writer, job->reterr);
    return status == SWIN2SR_OK ? open_preview(job) : status;
}

static swin2sr_status job_run(enlarge_job *job, const void *data, size_t size, image_sink sink, void *context) {
    swin2sr_status status = open_input(job, data, size);
    const swin2sr_model_info *network = swin2sr_model_get_info(job->model);
    if (status == SWIN2SR_OK)
        status = open_threads(job);
    if (status == SWIN2SR_OK)
        status = open_network(job);
    if (status == SWIN2SR_OK)
        status = allocate_rows(job, network);
    if (status == SWIN2SR_OK)
        status = open_outputs(job, network, sink, context);
    if (status == SWIN2SR_OK)
        status = run_rows(job);
    return status == SWIN2SR_OK ? finish_output(job) : status;
}

swin2sr_status enlarge_bytes(swin2sr_model *model, const void *data, size_t size, const enlarge_options *options,
                             image_sink sink, void *context, enlarge_report *ret_report, swin2sr_error *reterr) {
    enlarge_job job = {
        .options = options, .model = model, .reader = options->reader, .writer = options->writer, .reterr = reterr};
    swin2sr_status status = job_run(&job, data, size, sink, context);
    if (status == SWIN2SR_OK && ret_report != NULL)
        *ret_report = job.report;
    job_done(&job);
    return status;
}
