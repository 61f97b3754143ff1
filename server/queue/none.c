/* SPDX-License-Identifier: Apache-2.0
 * queue/none.c - the queue of a build without the headers of NATS: there is none. */
#include "base/error.h"
#include "queue/queue.h"

swin2sr_status queue_open(const queue_settings *settings, queue **ret_queue, swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "--nats: this program was built without NATS");
}

void queue_close(queue *self) {
}

bool queue_is_working(const queue *self) {
    return false;
}

void queue_put(queue *self, const char *id, uint32_t attempt) {
}

void queue_want(queue *self, size_t count) {
}

void queue_settle(queue *self, const char *id, bool is_over) {
}

void queue_tell(queue *self, const char *id, uint32_t millionths) {
}
