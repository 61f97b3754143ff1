/* SPDX-License-Identifier: Apache-2.0
 * webhook/webhook.h - tell an address of a client that its job has ended (Standard Webhooks 1.0.0).
 * In: URLs and messages.  Out: signed POST requests to hosts in a list, and what became of them. They are sent in rounds
 * by a thread of their own: a server elsewhere may take its time, and the threads for files have jobs to write.
 * Functions are called on the loop's thread and never wait, but for webhook_close. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "loop/loop.h"
#include <swin2sr/status.h>

typedef enum webhook_outcome {
    WEBHOOK_TAKEN = 0, /* answered with 2xx */
    WEBHOOK_FAILED,    /* it may succeed later */
    WEBHOOK_REFUSED,   /* it must not be tried again: 410, or the host is not in the list */
    WEBHOOK_STOPPED,   /* webhook_close came first; it may have arrived */
} webhook_outcome;

#define WEBHOOK_FAULT_BYTES 160

typedef struct webhook_note {
    char id[LIMIT_JOB_ID_BYTES]; /* of the message: receivers know by it what they have had */
    char url[LIMIT_WEBHOOK_BYTES];
    char *body; /* freed with the round */

    /* afterwards */
    webhook_outcome outcome;
    char host[LIMIT_WEBHOOK_BYTES];
    char fault[WEBHOOK_FAULT_BYTES]; /* why it was not taken; "": it was */
} webhook_note;

typedef struct webhook_sender webhook_sender;

/* on_sent  Once for each note of a round. May call back in. */
typedef struct webhook_settings {
    const host_list *hosts; /* borrowed, as is the next one */
    const char *secret;     /* path of a file */
    event_loop *loop;
    void (*on_sent)(void *context, const webhook_note *note);
    void *context;
} webhook_settings;

/* Read the secrets, load libcurl and start the thread.
 * errors  _UNSUPPORTED (not in this build, or libcurl is not installed), _INVALID (the secrets), _IO (their file),
 *         _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status webhook_open(const webhook_settings *settings, webhook_sender **ret_sender,
                                               swin2sr_error *reterr);
void webhook_close(webhook_sender *self); /* on_sent is called for what is under way. NULL is fine */

/* true: a round is under way; webhook_add and webhook_send wait for its end. */
bool webhook_is_busy(const webhook_sender *self);

/* Add a note to the next round: id, url and body, which is taken.  false: there is no room; body is the caller's. */
bool webhook_add(webhook_sender *self, const char *id, const char *url, char *body);
void webhook_send(webhook_sender *self); /* without notes: nothing */

/* ---- url.c ---- */

/* Is this a URL that can be sent to: http or https, a host, perhaps a port, path and query, in ASCII?
 * ret_host  [LIMIT_WEBHOOK_BYTES]: in lower case, without brackets.
 * returns   NULL, or what is wrong. */
const char *webhook_parse_url(const char *url, char *ret_host);

/* ---- secrets.c ---- */

typedef struct webhook_secrets {
    unsigned char bytes[LIMIT_WEBHOOK_SECRETS][LIMIT_WEBHOOK_SECRET_BYTES];
    size_t sizes[LIMIT_WEBHOOK_SECRETS], count;
} webhook_secrets;

/* Read the lines of a text: whsec_BASE64, empty ones, and comments, which begin with '#'.
 * errors  _INVALID; the detail has the number of the line and not its text. ret_secrets is untouched. */
SWIN2SR_MUST_CHECK swin2sr_status webhook_parse_secrets(const char *text, webhook_secrets *ret_secrets,
                                                        swin2sr_error *reterr);

/* The same for a file.  errors  also _IO. */
SWIN2SR_MUST_CHECK swin2sr_status webhook_read_secrets(const char *path, webhook_secrets *ret_secrets,
                                                       swin2sr_error *reterr);

/* Bytes of all signatures, "v1,BASE64", with a blank between two, terminator included. */
#define WEBHOOK_SIGNATURES_BYTES (LIMIT_WEBHOOK_SECRETS * 48u)

/* Sign a message with each secret.
 * sent_s  Unix time of this try. */
void webhook_sign(const webhook_secrets *secrets, const char *id, int64_t sent_s, const char *body,
                  char ret_text[WEBHOOK_SIGNATURES_BYTES]);
