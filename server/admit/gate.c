/* SPDX-License-Identifier: Apache-2.0
 * admit/gate.c - keys, places and rates (stage 2 of 9, admit).
 * Only POST requests are limited: an image, a job, an upload, an estimate. Polling a job or sending pieces of an upload
 * needs the key but does not count. */
#include "admit/gate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "admit/client.h"
#include "admit/cors.h"
#include "base/clock.h"

#define CHALLENGE "Bearer realm=\"swin2sr\""

/* ---- the key ---- */

/* The text of the key that a request names; NULL: none. */
static const char *key_text(const http_request *request) {
    static const char scheme[] = "Bearer ";
    const char *text = http_request_header(request, "Authorization");
    if (!text || strncasecmp(text, scheme, sizeof scheme - 1) != 0)
        return http_request_header(request, "X-API-Key");
    text += sizeof scheme - 1;
    return text + strspn(text, " ");
}

/* challenge: value of WWW-Authenticate; NULL: asking the client for another key would not help. */
static bool refuse_key(http_request *request, problem what, const char *challenge) {
    http_answer_problem(request, &what);
    if (challenge)
        http_answer_header(request, "WWW-Authenticate", challenge);
    return false;
}

/* Set the owner. false: the request may not have this route, and is answered. */
static bool check_key(const gate *self, http_request *request, http_access access) {
    const char *text = key_text(request);
    if (!text && access == HTTP_ACCESS_TOKEN) {
        request->is_anonymous = true;
        return true;
    }
    if (!text)
        return refuse_key(
            request, problem_of(PROBLEM_KEY_MISSING, "send an API key: Authorization: Bearer KEY, or X-API-Key: KEY"),
            CHALLENGE);
    const key_row *row = key_table_match(&self->keys, text);
    if (!row)
        return refuse_key(request, problem_of(PROBLEM_KEY_UNKNOWN, "the API key is not one of this service"),
                          CHALLENGE ", error=\"invalid_token\"");
    if (row->key.revoked[0])
        return refuse_key(request, problem_of(PROBLEM_KEY_REVOKED, "the API key was revoked at %s", row->key.revoked),
                          NULL);
    strcpy(request->owner, row->key.id);
    return true;
}

/* The address of this machine; not of a proxy on it, which would make everybody local. */
static bool is_local(const http_request *request) {
    static const unsigned char v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127}, v6[16] = {[15] = 1};
    client_address address;
    if (http_request_header(request, "X-Forwarded-For") || http_request_header(request, "Forwarded"))
        return false;
    return !address_parse(request->client, &address) || memcmp(address.bytes, v4, sizeof v4) == 0 ||
           memcmp(address.bytes, v6, sizeof v6) == 0;
}

/* For HTTP_ACCESS_ADMIN. false: the request is answered. */
static bool check_admin(const gate *self, http_request *request) {
    problem what = problem_of(PROBLEM_NOT_ADMIN, "this key is not one of an operator; make one with: swin2sr key new "
                                                 "NAME --admin");
    if (self->config->keys) {
        const key_row *row = key_table_find(&self->keys, request->owner);
        if (row && row->key.is_admin)
            return true;
    } else {
        if (request->is_inner || is_local(request))
            return true;
        what = problem_of(PROBLEM_NOT_ADMIN, "without API keys, this is shown on the service's own machine and on the "
                                             "addresses of --metrics-listen only");
    }
    http_answer_problem(request, &what);
    return false;
}

/* ---- limits ---- */

/* Take a token. false: there is none, and the request is answered. */
static bool take_token(http_request *request, rate_bucket *bucket, int32_t per_minute, const char *policy) {
    uint32_t wait_s = rate_take(bucket, per_minute, swin2sr__clock_us(), &request->quota);
    request->quota.policy = policy;
    if (wait_s == 0)
        return true;
    problem what = problem_of(PROBLEM_RATE, "this %s may make %d requests per minute", policy, (int)per_minute);
    what.retry_after_s = wait_s < LIMIT_RETRY_AFTER_S ? wait_s : LIMIT_RETRY_AFTER_S;
    http_answer_problem(request, &what);
    return false;
}

/* A request that gets no place takes no token. false: the request is answered. */
static bool take_place(http_request *request, key_row *row) {
    int32_t limit = row->key.concurrency;
    if (limit > 0 && row->running >= limit) {
        problem what = problem_of(PROBLEM_CONCURRENCY, "this key may have %d requests at work at a time", (int)limit);
        what.limit = (uint64_t)limit;
        what.actual = (uint64_t)row->running + 1;
        what.retry_after_s = 1;
        http_answer_problem(request, &what);
        return false;
    }
    if (row->key.per_minute > 0 && !take_token(request, &row->bucket, row->key.per_minute, "key"))
        return false;
    row->running++;
    request->has_place = true;
    return true;
}

static bool check_limits(gate *self, http_request *request) {
    client_address address;
    int32_t per_minute = self->config->rate_per_minute;
    key_row *row = key_table_find(&self->keys, request->owner);
    if (self->config->keys)
        return !row || take_place(request, row);                      /* without an owner: is_anonymous */
    if (per_minute == 0 || !address_parse(request->client, &address)) /* a local socket has no address */
        return true;
    return take_token(request, rate_table_find(&self->addresses, &address), per_minute, "address");
}

/* ---- the hooks ---- */

static void find_client(const gate *self, http_request *request) {
    char forwarded[LIMIT_FORWARDED_BYTES];
    http_request_list(request, "X-Forwarded-For", forwarded, sizeof forwarded);
    client_find(&self->config->proxies, forwarded, request->client);
}

static bool on_request(void *context, http_request *request, const http_route *route) {
    gate *self = context;
    find_client(self, request);
    if (cors_answer_preflight(self->config->cors_origins, request))
        return false;
    if (!route || route->access == HTTP_ACCESS_OPEN)
        return true;
    if (self->config->keys && !check_key(self, request, route->access))
        return false;
    if (route->access == HTTP_ACCESS_ADMIN && !check_admin(self, request))
        return false;
    return strcmp(route->method, "POST") != 0 || check_limits(self, request);
}

static void on_answer(void *context, http_request *request) {
    const gate *self = context;
    const http_quota *quota = &request->quota;
    char text[80];
    cors_add(self->config->cors_origins, request);
    if (quota->per_minute == 0)
        return;
    snprintf(text, sizeof text, "\"%s\";q=%d;w=60", quota->policy, (int)quota->per_minute);
    http_answer_header(request, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"%s\";r=%d;t=%u", quota->policy, (int)quota->remaining, (unsigned int)quota->reset_s);
    http_answer_header(request, "RateLimit", text);
}

/* The key may have been removed from the file in the meantime. */
static void on_leave(void *context, http_request *request) {
    gate *self = context;
    key_row *row = request->has_place ? key_table_find(&self->keys, request->owner) : NULL;
    if (row && row->running > 0)
        row->running--;
    request->has_place = false;
}

http_gate gate_hooks(gate *self) {
    return (http_gate){.on_request = on_request, .on_answer = on_answer, .on_leave = on_leave, .context = self};
}

/* ---- the file ---- */

swin2sr_status gate_open(gate *self, const server_config *config, server_log *log, swin2sr_error *reterr) {
    self->config = config;
    self->log = log;
    if (getrandom(&self->addresses.seed, sizeof self->addresses.seed, GRND_NONBLOCK) < 0)
        self->addresses.seed = swin2sr__clock_us();
    return config->keys ? key_table_read(&self->keys, config->keys, reterr) : SWIN2SR_OK;
}

void gate_close(gate *self) {
    key_table_done(&self->keys);
}

void gate_reload(gate *self) {
    swin2sr_error error = {""};
    if (!self->config->keys)
        return;
    if (key_table_read(&self->keys, self->config->keys, &error) == SWIN2SR_OK)
        log_event(self->log, LOG_LEVEL_INFO, "keys_read", "s:i", "keys", (int)self->keys.count);
    else
        log_event(self->log, LOG_LEVEL_ERROR, "keys_not_read", "s:s", "detail", error.text);
}
