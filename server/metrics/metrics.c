/* SPDX-License-Identifier: Apache-2.0
 * metrics/metrics.c - counters and histograms as Prometheus text, exposition format 0.0.4.
 * In: observations from every stage.  Out: text. Label values come from fixed sets, so its length is bounded. */
#include "metrics/metrics.h"

#include <inttypes.h>
#include <string.h>

#define LABELS_BYTES 128 /* of a model's name and a stage, or of a route */

static const double bounds[METRICS_BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                               2.5,   5,    10,    30,   60,  120,  300};
static const char *const stage_names[METRICS_STAGE_COUNT] = {"queue", "decode", "infer", "encode"};
static const char *const restart_names[METRICS_RESTART_COUNT] = {
    "exit", "signal", "deadline", "stalled", "stuck", "protocol", "oom", "memory", "seccomp", "recycled", "device"};

void metrics_observe(metrics_histogram *histogram, uint64_t duration_us) {
    double seconds = (double)duration_us / 1e6;
    size_t bucket = 0;
    while (bucket < METRICS_BUCKETS && seconds > bounds[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum_seconds += seconds;
}

static key_metrics *key_of(server_metrics *self, const char *owner) {
    key_metrics *key = self->keys, *end = self->keys + self->key_count;
    while (key < end && strcmp(key->id, owner) != 0)
        key++;
    if (key < end || self->key_count > LIMIT_KEY_METRICS)
        return key < end ? key : end - 1;
    strcpy(key->id, self->key_count++ < LIMIT_KEY_METRICS ? owner : "other");
    return key;
}

void metrics_count_use(server_metrics *self, const char *owner, uint64_t in_pixels, uint64_t duration_us) {
    if (!*owner)
        return;
    key_metrics *key = key_of(self, owner);
    key->pictures++;
    key->in_pixels += in_pixels;
    key->seconds += (double)duration_us / 1e6;
}

const char *metrics_restart_name(metrics_restart reason) {
    return restart_names[reason];
}

void metrics_write_family(FILE *out, const char *name, const char *type, const char *help) {
    fprintf(out, "# HELP swin2sr_%s %s\n# TYPE swin2sr_%s %s\n", name, help, name, type);
}

void metrics_write_number(FILE *out, const char *name, const char *type, const char *help, uint64_t number) {
    metrics_write_family(out, name, type, help);
    fprintf(out, "swin2sr_%s %" PRIu64 "\n", name, number);
}

/* labels: one or more, without the braces. */
static void write_histogram(FILE *out, const char *name, const char *labels, const metrics_histogram *histogram) {
    uint64_t total = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        total += histogram->counts[i];
        fprintf(out, "swin2sr_%s_bucket{%s,le=\"%g\"} %" PRIu64 "\n", name, labels, bounds[i], total);
    }
    total += histogram->counts[METRICS_BUCKETS];
    fprintf(out, "swin2sr_%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels, total);
    fprintf(out, "swin2sr_%s_sum{%s} %.6f\n", name, labels, histogram->sum_seconds);
    fprintf(out, "swin2sr_%s_count{%s} %" PRIu64 "\n", name, labels, total);
}

static void write_requests(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out) {
    metrics_write_family(out, "requests_total", "counter",
                         "Requests answered, by path and HTTP code; 499: the client went away.");
    for (size_t route = 0; route < route_count; route++)
        for (size_t code = 0; code < METRICS_CODES; code++)
            if (self->requests[route][code])
                fprintf(out, "swin2sr_requests_total{route=\"%s\",code=\"%zu\"} %" PRIu32 "\n", routes[route], code,
                        self->requests[route][code]);
    metrics_write_family(out, "request_seconds", "histogram", "From the request's header to the end of the answer.");
    for (size_t route = 0; route < route_count; route++) {
        if (!routes[route])
            continue;
        char labels[LABELS_BYTES];
        snprintf(labels, sizeof labels, "route=\"%s\"", routes[route]);
        write_histogram(out, "request_seconds", labels, &self->request_seconds[route]);
    }
}

static void write_stages(const server_metrics *self, FILE *out) {
    metrics_write_family(out, "stage_seconds", "histogram", "Time of one request in each stage.");
    for (const model_metrics *model = self->models; model < self->models + self->model_count; model++)
        for (size_t stage = 0; stage < METRICS_STAGE_COUNT; stage++) {
            char labels[LABELS_BYTES];
            snprintf(labels, sizeof labels, "model=\"%s\",stage=\"%s\"", model->name, stage_names[stage]);
            write_histogram(out, "stage_seconds", labels, &model->stage_seconds[stage]);
        }
    write_histogram(out, "stage_seconds", "stage=\"send\"", &self->send_seconds);
}

static void write_models(const server_metrics *self, FILE *out) {
    const model_metrics *end = self->models + self->model_count;
    metrics_write_family(out, "worker_restarts_total", "counter", "Worker restarts, by reason.");
    for (const model_metrics *model = self->models; model < end; model++)
        for (size_t reason = 0; reason < METRICS_RESTART_COUNT; reason++)
            fprintf(out, "swin2sr_worker_restarts_total{model=\"%s\",reason=\"%s\"} %" PRIu64 "\n", model->name,
                    restart_names[reason], model->worker_restarts[reason]);
    metrics_write_family(out, "pixels_total", "counter", "Pixels of images before and after enlarging.");
    for (const model_metrics *model = self->models; model < end; model++) {
        fprintf(out, "swin2sr_pixels_total{model=\"%s\",dir=\"in\"} %" PRIu64 "\n", model->name, model->in_pixels);
        fprintf(out, "swin2sr_pixels_total{model=\"%s\",dir=\"out\"} %" PRIu64 "\n", model->name, model->out_pixels);
    }
}

static void write_degraded(const server_metrics *self, FILE *out) {
    metrics_write_family(out, "degraded_total", "counter", "Answers that are less than what was asked for, by mode.");
    for (const model_metrics *model = self->models; model < self->models + self->model_count; model++) {
        fprintf(out, "swin2sr_degraded_total{model=\"%s\",mode=\"fast\"} %" PRIu64 "\n", model->name, model->hurried);
        fprintf(out, "swin2sr_degraded_total{model=\"%s\",mode=\"shrink\"} %" PRIu64 "\n", model->name, model->shrunk);
        fprintf(out, "swin2sr_degraded_total{model=\"%s\",mode=\"refuse\"} %" PRIu64 "\n", model->name, model->refused);
    }
}

static void write_keys(const server_metrics *self, FILE *out) {
    const key_metrics *end = self->keys + self->key_count;
    if (self->key_count == 0)
        return;
    metrics_write_family(out, "key_pictures_total", "counter", "Pictures enlarged, by API key.");
    for (const key_metrics *key = self->keys; key < end; key++)
        fprintf(out, "swin2sr_key_pictures_total{key=\"%s\"} %" PRIu64 "\n", key->id, key->pictures);
    metrics_write_family(out, "key_pixels_total", "counter", "Pixels of those pictures before they were enlarged.");
    for (const key_metrics *key = self->keys; key < end; key++)
        fprintf(out, "swin2sr_key_pixels_total{key=\"%s\"} %" PRIu64 "\n", key->id, key->in_pixels);
    metrics_write_family(out, "key_seconds_total", "counter", "Seconds that workers took for them.");
    for (const key_metrics *key = self->keys; key < end; key++)
        fprintf(out, "swin2sr_key_seconds_total{key=\"%s\"} %.6f\n", key->id, key->seconds);
}

void metrics_write(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out) {
    write_requests(self, routes, route_count, out);
    write_stages(self, out);
    write_models(self, out);
    write_degraded(self, out);
    write_keys(self, out);
    metrics_write_number(out, "upload_bytes_total", "counter", "Bytes of request bodies received.", self->upload_bytes);
}
