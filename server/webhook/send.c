/* SPDX-License-Identifier: Apache-2.0
 * webhook/send.c - a round of webhooks, all at the same time, by libcurl.
 * In: notes.  Out: requests, and the outcome of each. The answer counts by its code; no redirect is followed, no proxy
 * used, and no address connected to that --webhook-hosts does not permit. */
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/error.h"
#include "libcurl/libcurl.h"
#include "store/io.h"
#include "webhook/webhook.h"

#define POLL_MS 200

/* One request of a round. */
typedef struct transfer {
    webhook_sender *owner;
    webhook_note *note;
    CURL *handle; /* NULL: it is not sent */
    struct curl_slist *headers;
    char detail[CURL_ERROR_SIZE];
    char refused[LIMIT_ADDRESS_BYTES]; /* the address that must not be connected to; "": none */
    size_t received;
} transfer;

struct webhook_sender {
    webhook_settings settings;
    curl_api curl;
    io_thread io;
    io_task task;
    webhook_note notes[LIMIT_WEBHOOK_ROUND];
    size_t count;
    bool is_busy;
    atomic_bool is_ending;

    /* of the thread */
    webhook_secrets secrets;
    CURLM *multi;
    transfer transfers[LIMIT_WEBHOOK_ROUND];
};

/* ---- calls of libcurl ---- */

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *peer) {
    transfer *self = context;
    client_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    if (peer->family == AF_INET)
        memcpy(address.bytes + 12, &((const struct sockaddr_in *)&peer->addr)->sin_addr, 4);
    else if (peer->family == AF_INET6)
        memcpy(address.bytes, &((const struct sockaddr_in6 *)&peer->addr)->sin6_addr, 16);
    else
        return CURL_SOCKET_BAD;
    if (hosts_may_reach(self->owner->settings.hosts, &address))
        return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
    address_write(&address, self->refused);
    return CURL_SOCKET_BAD;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    return size * count;
}

/* Nothing of the answer but its code is used. */
static size_t on_body(char *data, size_t size, size_t count, void *context) {
    transfer *self = context;
    self->received += size * count;
    return self->received <= LIMIT_WEBHOOK_ANSWER_BYTES ? size * count : 0;
}

static int on_progress(void *context, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out) {
    return ((const transfer *)context)->owner->is_ending;
}

/* ---- one request ---- */

/* false: out of memory. */
static bool add_headers(transfer *self, int64_t now_s) {
    const webhook_note *note = self->note;
    char lines[4][WEBHOOK_SIGNATURES_BYTES + 32], signatures[WEBHOOK_SIGNATURES_BYTES];
    webhook_sign(&self->owner->secrets, note->id, now_s, note->body, signatures);
    snprintf(lines[0], sizeof lines[0], "Content-Type: application/json");
    snprintf(lines[1], sizeof lines[1], "webhook-id: %s", note->id);
    snprintf(lines[2], sizeof lines[2], "webhook-timestamp: %lld", (long long)now_s);
    snprintf(lines[3], sizeof lines[3], "webhook-signature: %s", signatures);
    self->headers = self->owner->curl.slist_append(NULL, "Expect:");
    for (size_t i = 0; i < 4 && self->headers; i++) {
        struct curl_slist *longer = self->owner->curl.slist_append(self->headers, lines[i]);
        if (!longer)
            self->owner->curl.slist_free_all(self->headers);
        self->headers = longer;
    }
    return self->headers;
}

static bool prepare(transfer *self, int64_t now_s) {
    const curl_api *curl = &self->owner->curl;
    webhook_note *note = self->note;
    const curl_taker taker = {.on_header = on_header, .on_body = on_body, .on_progress = on_progress, .context = self};
    if (webhook_parse_url(note->url, note->host) || !hosts_have(self->owner->settings.hosts, note->host)) {
        note->outcome = WEBHOOK_REFUSED;
        snprintf(note->fault, sizeof note->fault, "the host is not in --webhook-hosts");
        return false;
    }
    self->handle = add_headers(self, now_s) ? curl->easy_init() : NULL;
    if (!self->handle) {
        snprintf(note->fault, sizeof note->fault, "out of memory");
        return false;
    }
    curl_prepare(curl, self->handle, note->url, self->headers, self->detail, &taker);
    curl->easy_setopt(self->handle, CURLOPT_POSTFIELDS, note->body);
    curl->easy_setopt(self->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(note->body));
    curl->easy_setopt(self->handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(self->handle, CURLOPT_PROXY, ""); /* through one, the address could not be looked at */
    curl->easy_setopt(self->handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(self->handle, CURLOPT_CONNECTTIMEOUT, (long)LIMIT_WEBHOOK_CONNECT_S);
    curl->easy_setopt(self->handle, CURLOPT_TIMEOUT, (long)LIMIT_WEBHOOK_S);
    curl->easy_setopt(self->handle, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl->easy_setopt(self->handle, CURLOPT_OPENSOCKETDATA, self);
    curl->easy_setopt(self->handle, CURLOPT_PRIVATE, self);
    return true;
}

/* An answer that is too long has come all the same. */
static void judge(transfer *self, CURLcode result) {
    webhook_note *note = self->note;
    long code = 0;
    self->owner->curl.easy_getinfo(self->handle, CURLINFO_RESPONSE_CODE, &code);
    bool is_answered = result == CURLE_OK || (result == CURLE_WRITE_ERROR && code > 0);
    note->fault[0] = '\0';
    if (is_answered && code >= 200 && code < 300)
        note->outcome = WEBHOOK_TAKEN;
    else if (is_answered && code == 410)
        note->outcome = WEBHOOK_REFUSED;
    if (is_answered && note->outcome != WEBHOOK_TAKEN)
        snprintf(note->fault, sizeof note->fault, "it answered %ld", code);
    else if (self->refused[0] && !is_answered)
        snprintf(note->fault, sizeof note->fault, "its address %s is private, and not in --webhook-hosts",
                 self->refused);
    else if (!is_answered)
        snprintf(note->fault, sizeof note->fault, "%.150s",
                 self->detail[0] ? self->detail : self->owner->curl.easy_strerror(result));
}

/* ---- the round ---- */

static void take_messages(webhook_sender *self) {
    int left;
    for (CURLMsg *message; (message = self->curl.multi_info_read(self->multi, &left));) {
        char *context = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        self->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        judge((transfer *)context, message->data.result);
    }
}

static void exchange_all(webhook_sender *self) {
    int running = 1;
    while (running > 0 && !self->is_ending && self->curl.multi_perform(self->multi, &running) == CURLM_OK) {
        take_messages(self);
        if (running > 0)
            (void)self->curl.multi_poll(self->multi, NULL, 0, POLL_MS, NULL);
    }
}

/* A file of secrets that cannot be read does not count: the earlier ones are used. */
static void work(io_task *task) {
    webhook_sender *self = (webhook_sender *)((char *)task - offsetof(webhook_sender, task));
    webhook_secrets secrets;
    if (webhook_read_secrets(self->settings.secret, &secrets, NULL) == SWIN2SR_OK)
        self->secrets = secrets;
    explicit_bzero(&secrets, sizeof secrets);
    self->multi = self->multi ? self->multi : self->curl.multi_init();
    for (size_t i = 0; i < self->count; i++) {
        transfer *each = &self->transfers[i];
        *each = (transfer){.owner = self, .note = &self->notes[i]};
        each->note->outcome = self->is_ending ? WEBHOOK_STOPPED : WEBHOOK_FAILED;
        snprintf(each->note->fault, sizeof each->note->fault, "it was not sent");
        if (self->multi && !self->is_ending && prepare(each, (int64_t)time(NULL)))
            (void)self->curl.multi_add_handle(self->multi, each->handle);
    }
    if (self->multi)
        exchange_all(self);
    for (transfer *each = self->transfers; each < self->transfers + self->count; each++) {
        if (self->is_ending && each->note->outcome == WEBHOOK_FAILED)
            each->note->outcome = WEBHOOK_STOPPED;
        if (each->handle) {
            (void)self->curl.multi_remove_handle(self->multi, each->handle);
            self->curl.easy_cleanup(each->handle);
        }
        self->curl.slist_free_all(each->headers);
    }
}

static void done(io_task *task) {
    webhook_sender *self = (webhook_sender *)((char *)task - offsetof(webhook_sender, task));
    size_t count = self->count;
    for (size_t i = 0; i < count; i++) {
        self->settings.on_sent(self->settings.context, &self->notes[i]);
        free(self->notes[i].body);
    }
    self->count = 0;
    self->is_busy = false;
}

bool webhook_is_busy(const webhook_sender *self) {
    return self->is_busy;
}

bool webhook_add(webhook_sender *self, const char *id, const char *url, char *body) {
    if (self->is_busy || self->count == LIMIT_WEBHOOK_ROUND)
        return false;
    webhook_note *note = &self->notes[self->count++];
    *note = (webhook_note){.body = body};
    snprintf(note->id, sizeof note->id, "%s", id);
    snprintf(note->url, sizeof note->url, "%s", url);
    return true;
}

void webhook_send(webhook_sender *self) {
    if (self->is_busy || self->count == 0)
        return;
    self->is_busy = true;
    self->task = (io_task){.work = work, .done = done};
    io_submit(&self->io, &self->task);
}

/* ---- opening and closing ---- */

swin2sr_status webhook_open(const webhook_settings *settings, webhook_sender **ret_sender, swin2sr_error *reterr) {
    swin2sr_error fault = {""};
    webhook_sender *self = calloc(1, sizeof *self);
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "out of memory");
    self->settings = *settings;
    swin2sr_status status = webhook_read_secrets(settings->secret, &self->secrets, &fault);
    if (status != SWIN2SR_OK)
        (void)swin2sr__error_set(reterr, status, "--webhook-secret %s: %s", settings->secret, fault.text);
    else if ((status = curl_api_load(&self->curl, &fault)) != SWIN2SR_OK)
        (void)swin2sr__error_set(reterr, status, "--webhook-hosts: %s", fault.text);
    else if (!io_start(&self->io, settings->loop))
        status =
            swin2sr__error_set(reterr, SWIN2SR_NOMEM, "--webhook-hosts: no thread or descriptor: %s", strerror(errno));
    if (status == SWIN2SR_OK)
        *ret_sender = self;
    else
        webhook_close(self);
    return status;
}

void webhook_close(webhook_sender *self) {
    if (!self)
        return;
    self->is_ending = true;
    io_stop(&self->io);
    for (size_t i = 0; i < self->count; i++)
        free(self->notes[i].body);
    if (self->multi)
        self->curl.multi_cleanup(self->multi);
    explicit_bzero(&self->secrets, sizeof self->secrets);
    free(self);
}
