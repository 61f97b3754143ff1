/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.c - may this work be taken? (stage 2 of 9, admit)
 * In: pool, upload.  Out: yes, or 413, 415, 422, 429, 503 with the reason. */
#include "admit/admit.h"

#include <unistd.h>

#include "admit/cost.h"
#include "admit/pace.h"
#include "config/limits.h"
#include "base/cgroup.h"

#define STARTING_RETRY_S 2
#define DRAINING_RETRY_S 10

static bool refuse(problem *ret_problem, problem what) {
    *ret_problem = what;
    return false;
}

static problem full(const pool *workers) {
    problem what = problem_of(PROBLEM_QUEUE_FULL, "the queue is full");
    what.limit = (uint64_t)workers->config->queue_max;
    what.actual = workers->queue.count;
    what.retry_after_s = pace_retry_after_s(workers);
    return what;
}

bool admit_request(const network *target, bool is_draining, problem *ret_problem) {
    const pool *workers = target->owner;
    problem what;
    if (is_draining) {
        what = problem_of(PROBLEM_DRAINING, "no new work is taken; try again, another instance may answer");
        what.retry_after_s = DRAINING_RETRY_S;
    } else if (!workers->was_ever_ready) {
        what = problem_of(PROBLEM_STARTING, "the network is being loaded");
        what.retry_after_s = STARTING_RETRY_S;
    } else if (pace_has_room(workers) && pace_wait_us(workers) < (uint64_t)workers->config->deadline_s * 1000000) {
        return true;
    } else {
        what = full(workers);
    }
    return refuse(ret_problem, what);
}

static bool read_upload(void *context, uint64_t at, void *bytes, size_t size) {
    const store_file *upload = context;
    return pread(upload->fd, bytes, size, (off_t)at) == (ssize_t)size;
}

/* The upload's header through the probe. */
static bool probe_upload(const store_file *upload, probe_info *ret_info, problem *ret_problem) {
    const probe_source source = {.read = read_upload, .context = (void *)upload, .size = upload->bytes};
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

static bool refuse_size(problem *ret_problem, const char *what, uint64_t limit, uint64_t actual) {
    *ret_problem = problem_of(PROBLEM_IMAGE_TOO_LARGE, "%s", what);
    ret_problem->limit = limit;
    ret_problem->actual = actual;
    return false;
}

/* Memory that one worker may use for a picture: its share, with a fifth left for what is not predicted. */
static uint64_t budget_bytes(const server_config *config, const ipc_ready *model) {
    uint64_t share = swin2sr__cgroup_memory_bytes("") / (uint64_t)config->worker_count / 5 * 4;
    return share > model->memory_bytes ? share - model->memory_bytes : 0;
}

/* Can a worker do this at all, in its memory and in the time that a request has? What the fastest worker seen could not
 * do is impossible; what the present pace would not do may come again. */
static bool can_afford(const network *target, const admit_cost *cost, problem *ret_problem) {
    const server_config *config = target->owner->config;
    uint64_t budget = budget_bytes(config, &target->facts), limit_s = (uint64_t)config->deadline_s;
    if (cost->bytes > budget) {
        *ret_problem = problem_of(PROBLEM_IMAGE_TOO_LARGE,
                                  "the image would take %llu MiB of memory, and a worker here has %llu MiB; send a "
                                  "narrower image",
                                  (unsigned long long)(cost->bytes >> 20), (unsigned long long)(budget >> 20));
        ret_problem->limit = budget;
        ret_problem->actual = cost->bytes;
        return false;
    }
    uint64_t us = cost->least_us > limit_s * 1000000 ? cost->least_us : cost->us;
    if (us <= limit_s * 1000000)
        return true;
    double megapixels = (double)limit_s * 1e6 / target->time.least_us_per_pixel / 1e6;
    *ret_problem = problem_of(us == cost->least_us ? PROBLEM_IMAGE_TOO_LARGE : PROBLEM_BUSY,
                              "the image would take about %llu seconds of computing, and a request here may take %llu; "
                              "images of up to about %.1f megapixels fit",
                              (unsigned long long)(us / 1000000), (unsigned long long)limit_s, megapixels);
    ret_problem->limit = limit_s;
    ret_problem->actual = us / 1000000;
    return false;
}

bool admit_image(const network *target, const store_file *upload, probe_info *ret_info, uint64_t *ret_cost_us,
                 problem *ret_problem) {
    const server_config *config = target->owner->config;
    const ipc_ready *model = &target->facts;
    if (!probe_upload(upload, ret_info, ret_problem))
        return false;
    uint64_t frames = (uint64_t)ret_info->frames;
    uint64_t in_pixels = (uint64_t)ret_info->width_px * (uint64_t)ret_info->height_px;
    uint64_t out_pixels = in_pixels * model->scale * model->scale;
    if (in_pixels > config->in_pixels_max)
        return refuse_size(ret_problem, "the image has more pixels than this service takes", config->in_pixels_max,
                           in_pixels);
    if (out_pixels > LIMIT_OUT_PIXELS)
        return refuse_size(ret_problem, "the result would have more pixels than this service makes", LIMIT_OUT_PIXELS,
                           out_pixels);
    if (frames > (uint64_t)config->frames_max)
        return refuse_size(ret_problem, "the animation has more frames than this service takes",
                           (uint64_t)config->frames_max, frames);
    admit_cost cost = admit_cost_of(target, ret_info);
    *ret_cost_us = cost.us;
    return can_afford(target, &cost, ret_problem);
}
