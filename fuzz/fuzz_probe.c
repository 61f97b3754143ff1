/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_probe.c - any bytes through the header probe, as a whole file and as a beginning.
 * Beside memory errors it checks what callers rely on: ranges of the answer, and that asking for more makes sense. */
#include <stdlib.h>

#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
    if (!is_true)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int is_whole = 0; is_whole <= 1; is_whole++) {
        probe_info info = {0};
        size_t need = 0;
        swin2sr_status status = probe_bytes(data, size, is_whole, &info, &need);
        if (status == SWIN2SR_BUSY)
            check(!is_whole && need > size && need <= PROBE_MAX_BYTES);
        if (status != SWIN2SR_OK)
            continue;
        check(info.width_px >= 1 && info.height_px >= 1 && info.channels >= 1 && info.channels <= 4);
        check(info.orientation >= 1 && info.orientation <= 8 && info.frames >= 1);
        check(format_get(info.format)->can_read);
    }
    return 0;
}
