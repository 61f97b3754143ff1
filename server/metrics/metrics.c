/* SPDX-License-Identifier: Apache-2.0
 * metrics/metrics.c - counters and histograms, and their text form (Prometheus exposition format 0.0.4).
 * In: observations from every stage.  Out: text. Label values come from fixed sets, so the text is bounded. */
#include "metrics/metrics.h"

#include <inttypes.h>

static const double bounds[METRICS_BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                               2.5,   5,    10,    30,   60,  120,  300};
static const char *const stage_names[METRICS_STAGE_COUNT] = {"queue", "decode", "infer", "encode", "send"};
static const char *const restart_names[METRICS_RESTART_COUNT] = {"exit",     "signal", "deadline", "stuck",
                                                                 "protocol", "oom",    "recycled"};

void metrics_observe(metrics_histogram *histogram, uint64_t duration_us) {
    double seconds = (double)duration_us / 1e6;
    size_t bucket = 0;
    while (bucket < METRICS_BUCKETS && seconds > bounds[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum_seconds += seconds;
}

const char *metrics_restart_name(metrics_restart reason) {
    return restart_names[reason];
}

void metrics_write_family(FILE *out, const char *name, const char *type, const char *help) {
    fprintf(out, "# HELP swin2sr_%s %s\n# TYPE swin2sr_%s %s\n", name, help, name, type);
}

static void write_histogram(FILE *out, const char *name, const char *label, const char *value,
                            const metrics_histogram *histogram) {
    uint64_t total = 0;
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        total += histogram->counts[i];
        fprintf(out, "swin2sr_%s_bucket{%s=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, label, value, bounds[i], total);
    }
    total += histogram->counts[METRICS_BUCKETS];
    fprintf(out, "swin2sr_%s_bucket{%s=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, label, value, total);
    fprintf(out, "swin2sr_%s_sum{%s=\"%s\"} %.6f\n", name, label, value, histogram->sum_seconds);
    fprintf(out, "swin2sr_%s_count{%s=\"%s\"} %" PRIu64 "\n", name, label, value, total);
}

static const char *route_name(const char *const *routes, size_t route_count, size_t route) {
    return route < route_count ? routes[route] : "other";
}

static void write_requests(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out) {
    metrics_write_family(out, "requests_total", "counter",
                         "Requests answered, by path and HTTP code; 499: the client went away.");
    for (size_t route = 0; route <= route_count; route++)
        for (size_t code = 0; code < METRICS_CODES; code++)
            if (self->requests[route][code])
                fprintf(out, "swin2sr_requests_total{route=\"%s\",code=\"%zu\"} %" PRIu32 "\n",
                        route_name(routes, route_count, route), code, self->requests[route][code]);
    metrics_write_family(out, "request_seconds", "histogram", "From the request's header to the end of the answer.");
    for (size_t route = 0; route <= route_count; route++)
        write_histogram(out, "request_seconds", "route", route_name(routes, route_count, route),
                        &self->request_seconds[route]);
}

void metrics_write(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out) {
    write_requests(self, routes, route_count, out);
    metrics_write_family(out, "stage_seconds", "histogram", "Time of one request in each stage.");
    for (size_t stage = 0; stage < METRICS_STAGE_COUNT; stage++)
        write_histogram(out, "stage_seconds", "stage", stage_names[stage], &self->stage_seconds[stage]);
    metrics_write_family(out, "worker_restarts_total", "counter", "Workers that had to be started again, by reason.");
    for (size_t reason = 0; reason < METRICS_RESTART_COUNT; reason++)
        fprintf(out, "swin2sr_worker_restarts_total{reason=\"%s\"} %" PRIu64 "\n", restart_names[reason],
                self->worker_restarts[reason]);
    metrics_write_family(out, "pixels_total", "counter", "Pixels of enlarged images, in and out.");
    fprintf(out, "swin2sr_pixels_total{dir=\"in\"} %" PRIu64 "\nswin2sr_pixels_total{dir=\"out\"} %" PRIu64 "\n",
            self->in_pixels, self->out_pixels);
    metrics_write_family(out, "upload_bytes_total", "counter", "Bytes of request bodies taken in.");
    fprintf(out, "swin2sr_upload_bytes_total %" PRIu64 "\n", self->upload_bytes);
}
