/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_ipc.c - decode any datagram as a frame between server and worker.
 * Checks that encoding an accepted message gives the datagram again: each message has only one encoding. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ipc_message message;
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    if (ipc_decode(data, size, &message) != SWIN2SR_OK)
        return 0;
    check(ipc_encode(&message, frame) == size);
    check(memcmp(frame, data, size) == 0);
    return 0;
}
