/* SPDX-License-Identifier: Apache-2.0
 * webhook/absent.c - in place of send.c, in a build with -Dcluster=disabled. */
#include "base/error.h"
#include "webhook/webhook.h"

swin2sr_status webhook_open(const webhook_settings *settings, webhook_sender **ret_sender, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED,
                              "--webhook-hosts: this program was built without webhooks (-Dcluster=disabled)");
}

void webhook_close(webhook_sender *self) {
}

bool webhook_is_busy(const webhook_sender *self) {
    return true;
}

bool webhook_add(webhook_sender *self, const char *id, const char *url, char *body) {
    return false;
}

void webhook_send(webhook_sender *self) {
}
