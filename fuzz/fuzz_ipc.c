/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_ipc.c - decode any datagram as a frame between server and worker, and any text as a list of pictures.
 * Checks that encoding an accepted message gives the datagram again: each message has only one encoding. What is accepted
 * as a list can be written and read again. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/bundle.h"
#include "ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

static void fuzz_list(const uint8_t *data, size_t size) {
    static bundle found, again;
    uint64_t bytes = 0;
    size_t list_size = 0;
    if (size < 1 || bundle_read((const char *)data + 1, size - 1, data[0], &found) != SWIN2SR_OK)
        return;
    for (size_t i = 0; i < found.count; i++)
        bytes += found.files[i].bytes;
    char *list = bundle_write(&found, &list_size);
    check(bytes == data[0] && list && bundle_read(list, list_size, bytes, &again) == SWIN2SR_OK);
    check(again.count == found.count && strcmp(again.files[0].result, found.files[0].result) == 0);
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_list(data, size);
    ipc_message message;
    uint8_t frame[IPC_FRAME_MAX_BYTES];
    if (ipc_decode(data, size, &message) != SWIN2SR_OK)
        return 0;
    check(ipc_encode(&message, frame) == size);
    check(memcmp(frame, data, size) == 0);
    return 0;
}
