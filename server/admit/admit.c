/* SPDX-License-Identifier: Apache-2.0
 * admit/admit.c - whether a request and its image are accepted (stage 2 of 9, admit).
 * In: pool, upload.  Out: yes, or 413, 415, 422, 429 or 503 with the reason. */
#include "admit/admit.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "config/limits.h"

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

bool admit_queue(const network *target, problem *ret_problem) {
    const pool *workers = target->owner;
    if (pace_has_room(workers) && pace_wait_us(workers) < (uint64_t)workers->config->deadline_s * 1000000)
        return true;
    problem full = problem_of(PROBLEM_QUEUE_FULL, "the queue is full");
    full.retry_after_s = pace_retry_after_s(workers);
    return refuse_over(ret_problem, full, (uint64_t)workers->config->queue_max, workers->queue.count);
}

static bool read_upload(void *context, uint64_t at, void *bytes, size_t size) {
    const store_file *upload = context;
    return pread(upload->fd, bytes, size, (off_t)at) == (ssize_t)size;
}

/* Read the upload's header. */
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

/* Memory that a worker may use for an image: its share of the machine, less a fifth for what is not predicted. */
static uint64_t budget_bytes(const server_config *config, const ipc_ready *model) {
    uint64_t share = swin2sr__cgroup_memory_bytes("") / (uint64_t)config->worker_count / 5 * 4;
    return share > model->memory_bytes ? share - model->memory_bytes : 0;
}

/* Is there enough memory in a worker, and enough time for the request? If even the fastest speed seen would take too
 * long, the image is too large; if only the present speed would, the service is busy. */
static bool can_afford(const network *target, const admit_cost *cost, uint64_t limit_us, problem *ret_problem) {
    const server_config *config = target->owner->config;
    uint64_t budget = budget_bytes(config, &target->facts);
    if (cost->bytes > budget)
        return refuse_over(ret_problem,
                           problem_of(PROBLEM_IMAGE_TOO_LARGE,
                                      "the image would take %" PRIu64 " MiB of memory, and a worker here has %" PRIu64
                                      " MiB; send a narrower image",
                                      cost->bytes >> 20, budget >> 20),
                           budget, cost->bytes);
    bool is_impossible = cost->least_us > limit_us;
    uint64_t us = is_impossible ? cost->least_us : cost->us;
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

bool admit_image(const network *target, const store_file *upload, uint64_t limit_us, probe_info *ret_info,
                 uint64_t *ret_cost_us, problem *ret_problem) {
    if (!probe_upload(upload, ret_info, ret_problem))
        return false;
    uint64_t scale = target->facts.scale, frames = (uint64_t)ret_info->frames;
    uint64_t in_pixels = (uint64_t)ret_info->width_px * (uint64_t)ret_info->height_px;
    const struct {
        const char *fault;
        uint64_t limit, actual;
    } sizes[] = {
        {"the image has more pixels than this service takes", target->owner->config->in_pixels_max, in_pixels},
        {"the result would have more pixels than this service makes", LIMIT_OUT_PIXELS, in_pixels * scale * scale},
        {"the animation has more frames than this service takes", (uint64_t)target->owner->config->frames_max, frames}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].actual > sizes[i].limit)
            return refuse_over(ret_problem, problem_of(PROBLEM_IMAGE_TOO_LARGE, "%s", sizes[i].fault), sizes[i].limit,
                               sizes[i].actual);
    admit_cost cost = admit_cost_of(target, ret_info);
    *ret_cost_us = cost.us;
    return can_afford(target, &cost, limit_us, ret_problem);
}
