/* SPDX-License-Identifier: Apache-2.0
 * image/trap.c - turn the jumps of libpng and libjpeg into statuses (stages 4 and 8 of 9).
 * image_trap_run has no local variables, so a jump cannot clobber any. */
#include "base/error.h"
#include "image/codec.h"

swin2sr_status image_trap_run(image_trap *trap, void (*step)(void *context), void *context, swin2sr_error *reterr) {
    if (setjmp(trap->jump) != 0)
        return swin2sr__error_set(reterr, trap->status, "%s", trap->detail);
    step(context);
    return SWIN2SR_OK;
}

void image_trap_spring(image_trap *trap, swin2sr_status status, const char *detail) {
    trap->status = status;
    trap->detail = detail;
    longjmp(trap->jump, 1);
}
