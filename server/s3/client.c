/* SPDX-License-Identifier: Apache-2.0
 * s3/client.c - open and close a client, and end its calls.
 * In: settings.  Out: a client. Settings are checked here, so that a call fails only by what the store does. */
#include "s3/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/digest.h"
#include "base/error.h"

static swin2sr_status check(const s3_settings *settings, swin2sr_error *reterr) {
    const char *region = settings->region;
    if (strlen(region) > LIMIT_S3_REGION_BYTES - 1 || !region[0] ||
        region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return swin2sr__error_set(reterr, SWIN2SR_INVALID,
                                  "'%.100s' is not a region: must be lower-case letters, digits and '-'", region);
    if (settings->kms_key && settings->encryption != S3_ENCRYPTION_KMS)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "a key of the key service needs --s3-encryption kms");
    for (const char *c = settings->kms_key ? settings->kms_key : ""; *c; c++)
        if (*c <= ' ' || *c > '~' || c - settings->kms_key >= LIMIT_S3_KMS_KEY_BYTES - 1)
            return swin2sr__error_set(
                reterr, SWIN2SR_INVALID,
                "'%.100s' is not a key of the key service: must be at most %d characters of ASCII", settings->kms_key,
                LIMIT_S3_KMS_KEY_BYTES - 1);
    if (settings->part_bytes < LIMIT_S3_PART_MIN_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "parts of %llu bytes: must be at least %u",
                                  (unsigned long long)settings->part_bytes, LIMIT_S3_PART_MIN_BYTES);
    return SWIN2SR_OK;
}

static void set_defaults(s3_settings *settings) {
    settings->region = settings->region ? settings->region : "us-east-1";
    settings->prefix = settings->prefix ? settings->prefix : "";
    settings->request_s = settings->request_s ? settings->request_s : LIMIT_S3_REQUEST_S;
    settings->part_bytes = settings->part_bytes ? settings->part_bytes : LIMIT_S3_PART_BYTES;
}

static void init_wait(s3_client *self) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&self->lock, NULL);
}

swin2sr_status s3_open(const s3_settings *settings, s3_client **ret_client, swin2sr_error *reterr) {
    s3_client *self = calloc(1, sizeof *self);
    if (!self)
        return SWIN2SR_NOMEM;
    self->settings = *settings;
    set_defaults(&self->settings);
    init_wait(self);
    swin2sr_status status = check(&self->settings, reterr);
    if (status == SWIN2SR_OK)
        status = s3_place_parse(settings->endpoint, settings->bucket, self->settings.prefix, settings->is_virtual,
                                &self->place, reterr);
    if (status == SWIN2SR_OK)
        status = s3_credentials_open(&self->credentials, settings->credentials, reterr);
    if (status == SWIN2SR_OK)
        status = curl_api_load(&self->curl, reterr);
    if (status != SWIN2SR_OK) {
        s3_close(self);
        return status;
    }
    *ret_client = self;
    return SWIN2SR_OK;
}

void s3_close(s3_client *self) {
    if (!self)
        return;
    while (self->idle_count > 0)
        self->curl.easy_cleanup(self->idle[--self->idle_count]);
    s3_credentials_close(&self->credentials);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void s3_interrupt(s3_client *self) {
    pthread_mutex_lock(&self->lock);
    self->is_interrupted = true;
    pthread_cond_broadcast(&self->wake);
    pthread_mutex_unlock(&self->lock);
}

CURL *s3_take_handle(s3_client *self) {
    pthread_mutex_lock(&self->lock);
    CURL *handle = self->idle_count > 0 ? self->idle[--self->idle_count] : NULL;
    pthread_mutex_unlock(&self->lock);
    return handle ? handle : self->curl.easy_init();
}

void s3_return_handle(s3_client *self, CURL *handle) {
    self->curl.easy_reset(handle); /* its connections stay open */
    pthread_mutex_lock(&self->lock);
    bool is_kept = self->idle_count < LIMIT_S3_CONNECTIONS;
    if (is_kept)
        self->idle[self->idle_count++] = handle;
    pthread_mutex_unlock(&self->lock);
    if (!is_kept)
        self->curl.easy_cleanup(handle);
}

bool s3_sleep(s3_client *self, uint64_t wait_us) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + wait_us % 1000000 * 1000;
    until.tv_sec += (time_t)(wait_us / 1000000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_mutex_lock(&self->lock);
    while (!self->is_interrupted && pthread_cond_timedwait(&self->wake, &self->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&self->lock);
    return !self->is_interrupted;
}

void s3_make_nonce(char ret_text[S3_NONCE_BYTES]) {
    unsigned char bytes[(S3_NONCE_BYTES - 1) / 2] = {0};
    while (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) /* interrupted before the pool of the kernel is ready */
        ;
    swin2sr__hex(bytes, sizeof bytes, ret_text);
}
