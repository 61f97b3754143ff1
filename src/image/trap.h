/* SPDX-License-Identifier: Apache-2.0
 * image/trap.h - the only setjmp of the project: libpng and libjpeg report failure by jumping out.
 * A codec runs each call into its library as a step. The step owns nothing; what has to survive a jump lives in
 * the codec's own struct and is freed by its close. */
#ifndef SWIN2SR_IMAGE_TRAP_H
#define SWIN2SR_IMAGE_TRAP_H

#include <setjmp.h>

#include <swin2sr/status.h>

typedef struct image_trap {
    jmp_buf jump;
    swin2sr_status status;
    const char *detail; /* constant text, fit for the client */
} image_trap;

/* Run step(context); when it springs the trap, return the status given there and fill reterr. */
swin2sr_status image_trap_run(image_trap *trap, void (*step)(void *context), void *context, swin2sr_error *reterr);

/* Leave the running step. Only inside image_trap_run. */
void image_trap_spring(image_trap *trap, swin2sr_status status, const char *detail) __attribute__((noreturn));

#endif
