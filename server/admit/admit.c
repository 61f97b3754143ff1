/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.c - whether a request and its image are accepted (stage 2 of 9, admit).
 * In: pool, upload.  Out: yes, or 413, 415, 422, 429 or 503 with the reason. */
#include "admit/admit.h"

#include <inttypes.h>
#include <unistd.h>

#include "config/limits.h"
#include "format/choice.h"
#include "format/format.h"

#define STARTING_RETRY_S 2
#define DRAINING_RETRY_S 10

static bool refuse(problem *ret_problem, problem what) {
    *ret_problem = what;
    return false;
}

/* limit, actual: of the quantity that the problem names. */
static bool refuse_over(problem *ret_problem, problem what, uint64_t limit, uint64_t actual) {
    what.limit = limit;
    what.actual = actual;
    return refuse(ret_problem, what);
}

static bool refuse_until(problem *ret_problem, problem what, uint32_t retry_after_s) {
    what.retry_after_s = retry_after_s;
    return refuse(ret_problem, what);
}

bool admit_service(const network *target, bool is_draining, problem *ret_problem) {
    if (is_draining)
        return refuse_until(
            ret_problem, problem_of(PROBLEM_DRAINING, "this instance is shutting down; try again, another may answer"),
            DRAINING_RETRY_S);
    if (!target->owner->was_ever_ready)
        return refuse_until(ret_problem, problem_of(PROBLEM_STARTING, "the network is being loaded"), STARTING_RETRY_S);
    return true;
}

bool admit_level(const network *target, const degrade_state *level, bool is_job, problem *ret_problem) {
    if (level->level < DEGRADE_REFUSE || (is_job && level->reason == DEGRADE_BY_QUEUE))
        return true;
    uint32_t wait_s = pace_retry_after_s(target->owner), least_s = LIMIT_DEGRADE_END_MS / 1000;
    return refuse_until(
        ret_problem,
        level->reason == DEGRADE_BY_QUEUE
            ? problem_of(PROBLEM_BUSY,
                         "degraded to refuse: a new image would wait for most of the %d seconds that it may "
                         "take; a job may wait longer",
                         target->owner->config->deadline_s)
            : problem_of(PROBLEM_MEMORY, "degraded to refuse: %s; new work is refused until that is over",
                         level->reason == DEGRADE_BY_MEMORY ? "little memory is free" : "the system waits for memory"),
        wait_s > least_s ? wait_s : least_s);
}

bool admit_queue(const network *target, problem *ret_problem) {
    const pool *workers = target->owner;
    if (pace_has_room(workers) && pace_wait_us(workers) < (uint64_t)workers->config->deadline_s * 1000000)
        return true;
    problem full = problem_of(PROBLEM_QUEUE_FULL, "the queue is full");
    full.retry_after_s = pace_retry_after_s(workers);
    return refuse_over(ret_problem, full, (uint64_t)workers->config->queue_max, workers->queue.count);
}

static bool read_upload(void *context, uint64_t at, void *bytes, size_t size) {
    const admit_input *input = context;
    return pread(input->fd, bytes, size, (off_t)(input->at + at)) == (ssize_t)size;
}

/* Read the upload's header. */
static bool probe_upload(const admit_input *input, probe_info *ret_info, problem *ret_problem) {
    const probe_source source = {.read = read_upload, .context = (void *)input, .size = input->bytes};
    swin2sr_error error = {""};
    switch (probe_file(&source, ret_info, &error)) {
    case SWIN2SR_OK:
        return true;
    case SWIN2SR_UNSUPPORTED:
        return refuse(ret_problem, problem_of(PROBLEM_UNSUPPORTED, "%s", error.text));
    case SWIN2SR_IO:
        return refuse(ret_problem, problem_of(PROBLEM_STORAGE, "the upload could not be read back"));
    default:
        return refuse(ret_problem, problem_of(PROBLEM_CORRUPT, "%s", error.text));
    }
}

/* Memory that a worker may use for an image. Codecs take a little beside it, so it stays below the growth that ends a
 * worker. */
static uint64_t budget_bytes(const network *target) {
    uint64_t all = target->owner->config->worker_memory_bytes, loaded = target->facts.memory_bytes;
    uint64_t budget = all > loaded ? all - loaded : 0, growth = target->owner->growth_limit_bytes / 16 * 15;
    return growth > 0 && growth < budget ? growth : budget;
}

/* An image that is too wide for the memory is enlarged in strips, which take less. */
static bool has_memory(const network *target, const probe_info *info, admit_work *work, problem *ret_problem) {
    uint64_t budget = budget_bytes(target), held = cost_held_bytes(target, info, work);
    uint64_t strips = cost_strips_bytes(target, info),
             least = work->bytes - held < strips ? work->bytes - held : strips;
    if (held < budget && least <= budget - held) {
        work->memory_bytes = budget - held;
        return true;
    }
    return refuse_over(
        ret_problem,
        problem_of(PROBLEM_IMAGE_TOO_LARGE,
                   "the image would take %" PRIu64 " MiB of memory, and a worker here has %" PRIu64
                   " MiB; send a smaller image, or choose formats that need not be held whole: JPEG and PNG",
                   (held + least) >> 20, budget >> 20),
        budget, held + least);
}

/* If even the fastest speed seen would take too long, the image is too large; if only the present speed would, the
 * service is busy. */
static bool has_time(const network *target, const admit_work *work, uint64_t limit_us, problem *ret_problem) {
    bool is_impossible = work->least_us > limit_us;
    uint64_t us = is_impossible ? work->least_us : work->us;
    if (us <= limit_us)
        return true;
    return refuse_over(ret_problem,
                       problem_of(is_impossible ? PROBLEM_IMAGE_TOO_LARGE : PROBLEM_BUSY,
                                  "the image would take about %" PRIu64 " seconds of computing, and a request here may "
                                  "take %" PRIu64 "; images of up to about %.1f megapixels fit",
                                  us / 1000000, limit_us / 1000000,
                                  (double)limit_us / 1e6 / target->time.least_us_per_pixel),
                       limit_us / 1000000, us / 1000000);
}

typedef struct quantity {
    const char *fault;
    uint64_t limit, actual;
} quantity;

static bool has_all(const quantity *rows, size_t count, problem *ret_problem) {
    for (size_t i = 0; i < count; i++)
        if (rows[i].actual > rows[i].limit)
            return refuse_over(ret_problem, problem_of(PROBLEM_IMAGE_TOO_LARGE, "%s", rows[i].fault), rows[i].limit,
                               rows[i].actual);
    return true;
}

static bool has_sizes(const network *target, const probe_info *info, bool is_batch, problem *ret_problem) {
    const server_config *config = target->owner->config;
    uint64_t pixels = (uint64_t)info->width_px * (uint64_t)info->height_px, frames = (uint64_t)info->frames;
    int32_t longer_px = info->width_px > info->height_px ? info->width_px : info->height_px;
    const quantity rows[] = {
        {"a side of the image has more pixels than this service takes", LIMIT_SIDE_PX, (uint64_t)longer_px},
        {"the image has more pixels than this service takes", config->in_pixels_max, pixels},
        {"the animation has more frames than this service takes", (uint64_t)config->frames_max, frames},
        {"the frames of the animation have more pixels together than this service takes", LIMIT_ANIMATION_PIXELS,
         is_batch ? frames * pixels : 0}};
    return has_all(rows, sizeof rows / sizeof rows[0], ret_problem);
}

/* Sizes of the result, which is smaller for an image that is reduced first. */
static bool has_result_sizes(const network *target, const probe_info *info, format_id format,
                             const format_target *wanted, uint32_t shrink_px, problem *ret_problem) {
    const admit_work work = {.target = *wanted, .shrink_px = shrink_px};
    int32_t width_px, height_px;
    cost_out_size(target, info, &work, &width_px, &height_px);
    uint64_t width = (uint64_t)width_px, height = (uint64_t)height_px;
    const quantity rows[] = {
        {"the result would have more pixels than this service makes; oversize=shrink makes a smaller one",
         LIMIT_OUT_PIXELS, width * height},
        {"a side of the result would have more pixels than its format holds; another format may hold it",
         (uint64_t)format_get(format)->max_side_px, width > height ? width : height}};
    return has_all(rows, sizeof rows / sizeof rows[0], ret_problem);
}

/* The network sees a whole square of a reduced image: a long and narrow one may take more time or memory than before.
 * work: of the image in full size. */
static bool is_better_reduced(const network *target, const probe_info *info, const admit_terms *terms,
                              const admit_work *work) {
    bool is_slow = work->us > (uint64_t)target->owner->config->sync_limit_s * 1000000;
    admit_work reduced = *work;
    reduced.shrink_px = LIMIT_OVERSIZE_PX;
    cost_predict(target, info, &reduced);
    return reduced.us < work->us && (is_slow || (terms->is_degraded && reduced.bytes <= work->bytes));
}

/* Choose what is done with an image that has a side over LIMIT_OVERSIZE_PX. */
static bool choose_work(const network *target, const probe_info *info, const admit_terms *terms, admit_work *ret_work,
                        problem *ret_problem) {
    int32_t longer_px = info->width_px > info->height_px ? info->width_px : info->height_px;
    ret_work->is_animation = terms->is_batch && info->frames > 1;
    ret_work->format = terms->format;
    if (ret_work->is_animation && !terms->is_format_given)
        ret_work->format = info->format;
    if (ret_work->is_animation && !format_get(ret_work->format)->can_animate)
        return refuse(ret_problem,
                      problem_of(PROBLEM_OPTION, "format: %s cannot hold an animation; give png, webp or gif, or none",
                                 format_get(ret_work->format)->name));
    ret_work->writer_pixel_bytes = format_held_bytes(ret_work->format, info->has_alpha, terms->quality);
    cost_predict(target, info, ret_work);
    if (longer_px <= LIMIT_OVERSIZE_PX)
        return true;
    if (terms->oversize == OVERSIZE_REJECT)
        return refuse_over(ret_problem,
                           problem_of(PROBLEM_IMAGE_TOO_LARGE, "a side has more than %d pixels, and oversize is reject",
                                      LIMIT_OVERSIZE_PX),
                           LIMIT_OVERSIZE_PX, (uint64_t)longer_px);
    bool is_too_large = !has_result_sizes(target, info, ret_work->format, &terms->target, 0, ret_problem);
    if (terms->oversize == OVERSIZE_TILE)
        ret_work->tile_px = LIMIT_TILE_PX;
    else if (!terms->is_job && !ret_work->is_animation &&
             (terms->oversize == OVERSIZE_SHRINK || is_too_large || is_better_reduced(target, info, terms, ret_work)))
        ret_work->shrink_px = LIMIT_OVERSIZE_PX;
    ret_work->may_shrink = !terms->is_job && !ret_work->is_animation && terms->oversize != OVERSIZE_TILE;
    cost_predict(target, info, ret_work);
    return true;
}

/* Take the part of the image that the crop names for the image. */
static bool cut_image(const format_target *crop, probe_info *info, problem *ret_problem) {
    bool is_turned = info->orientation > 4;
    int32_t width_px = is_turned ? info->height_px : info->width_px, part_width_px;
    int32_t height_px = is_turned ? info->width_px : info->height_px, part_height_px;
    if (!crop->crop_width_px)
        return true;
    if (!format_target_part(crop, width_px, height_px, &part_width_px, &part_height_px))
        return refuse(ret_problem, problem_of(PROBLEM_OPTION,
                                              "crop: %u,%u,%u,%u is not inside of the image, which has %d x %d pixels",
                                              crop->crop_x_px, crop->crop_y_px, crop->crop_width_px,
                                              crop->crop_height_px, (int)width_px, (int)height_px));
    info->width_px = part_width_px;
    info->height_px = part_height_px;
    info->orientation = 1;
    uint64_t most = (uint64_t)info->frames * (uint64_t)part_width_px * (uint64_t)part_height_px;
    info->frame_pixels = info->frame_pixels < most ? info->frame_pixels : most;
    return true;
}

bool admit_image(const network *target, const admit_input *input, const admit_terms *terms, probe_info *ret_info,
                 admit_work *ret_work, problem *ret_problem) {
    if (!probe_upload(input, ret_info, ret_problem) || !has_sizes(target, ret_info, terms->is_batch, ret_problem))
        return false;
    *ret_work = (admit_work){.target = terms->target,
                             .decoder_bytes = cost_decoder_bytes(ret_info, terms->is_batch && ret_info->frames > 1) +
                                              (terms->is_chosen ? CHOICE_HELD_BYTES : 0)};
    return cut_image(&terms->target, ret_info, ret_problem) &&
           choose_work(target, ret_info, terms, ret_work, ret_problem) &&
           has_result_sizes(target, ret_info, ret_work->format, &terms->target, ret_work->shrink_px, ret_problem) &&
           has_memory(target, ret_info, ret_work, ret_problem) &&
           has_time(target, ret_work, terms->limit_us, ret_problem);
}

bool admit_chosen(const network *target, const network *other, const admit_input *input, const admit_terms *terms,
                  probe_info *ret_info, admit_work *ret_work, problem *ret_problem) {
    probe_info info;
    admit_work work;
    if (!admit_image(target, input, terms, ret_info, ret_work, ret_problem) ||
        (other && !admit_image(other, input, terms, &info, &work, ret_problem)))
        return false;
    if (other && work.us > ret_work->us)
        *ret_work = work;
    return true;
}

void admit_sum_add(admit_sum *self, const network *target, const probe_info *info, const admit_work *work) {
    int32_t width_px, height_px;
    cost_out_size(target, info, work, &width_px, &height_px);
    self->in_pixels += (uint64_t)info->width_px * (uint64_t)info->height_px;
    self->out_pixels += (uint64_t)width_px * (uint64_t)height_px;
    self->work.us += work->us;
    self->work.least_us += work->least_us;
    self->work.may_shrink |= work->may_shrink;
    self->work.bytes = self->work.bytes > work->bytes ? self->work.bytes : work->bytes;
}

bool admit_sum_check(const admit_sum *self, const network *target, uint64_t limit_us, problem *ret_problem) {
    const quantity rows[] = {
        {"the files have more pixels together than this service takes at a time; send fewer",
         target->owner->config->in_pixels_max, self->in_pixels},
        {"the results would have more pixels together than this service makes at a time; send fewer files",
         LIMIT_OUT_PIXELS, self->out_pixels}};
    return has_all(rows, sizeof rows / sizeof rows[0], ret_problem) &&
           has_time(target, &self->work, limit_us, ret_problem);
}
