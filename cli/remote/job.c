/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/job.c - read a job. */
#include <jansson.h>
#include <string.h>

#include "base/printable.h"
#include "job.h"

#define MAX_ETA_S 1e7
#define MAX_QUEUE 1000000

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *name, double max) {
    double value = json_number_value(json_object_get(object, name));
    return value >= 0 ? (value < max ? value : max) : 0; /* a value that is not a number is 0 */
}

static void copy(char *ret_text, size_t size, const char *text) {
    swin2sr__printable_copy(text, strlen(text), ret_text, size);
}

static job_status status_of(const char *text) {
    static const char *const NAMES[] = {[JOB_QUEUED] = "queued",
                                        [JOB_RUNNING] = "running",
                                        [JOB_SUCCEEDED] = "succeeded",
                                        [JOB_FAILED] = "failed",
                                        [JOB_CANCELED] = "canceled"};
    int i = 0;
    while (i < JOB_STATUS_COUNT && strcmp(NAMES[i], text) != 0)
        i++;
    return (job_status)i;
}

/* false: a succeeded job whose result has no size. */
static bool take_result(const json_t *result, remote_job *job) {
    json_int_t bytes = json_integer_value(json_object_get(result, "bytes"));
    job->has_result = job->status == JOB_SUCCEEDED && json_is_object(result);
    if (job->has_result)
        job->result_bytes = (uint64_t)bytes;
    return !job->has_result || bytes > 0;
}

bool job_parse(const remote_answer *answer, remote_job *ret_job) {
    remote_job job = {.progress = 0};
    json_t *root = json_loadb(answer->text, answer->text_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *error = json_object_get(root, "error");
    job.status = status_of(text_of(root, "status"));
    job.progress = number_of(root, "progress", 1);
    job.eta_s = number_of(root, "eta_seconds", MAX_ETA_S);
    job.queue_position = (int32_t)number_of(root, "queue_position", MAX_QUEUE);
    copy(job.notes, sizeof(job.notes), text_of(root, "notes"));
    copy(job.model, sizeof(job.model), text_of(root, "model"));
    job.choice = choice_find(text_of(root, "choice"));
    copy(job.error, sizeof(job.error), text_of(error, "detail"));
    job.error_code = (long)number_of(error, "status", 599);
    bool is_job = address_take_id(text_of(root, "id"), job.id) && job.status != JOB_STATUS_COUNT &&
                  take_result(json_object_get(root, "result"), &job);
    json_decref(root);
    if (is_job)
        *ret_job = job;
    return is_job;
}
