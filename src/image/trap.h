/* SPDX-License-Identifier: Apache-2.0
 * image/trap.h - the only setjmp of the project, because libpng and libjpeg report failures by longjmp.
 * A codec makes its calls into the library in functions called steps. A step owns nothing: what must survive a jump is
 * kept in the codec's struct and freed by its close. */
#pragma once

#include <setjmp.h>

#include <swin2sr/status.h>

typedef struct image_trap {
    jmp_buf jump;
    swin2sr_status status;
    const char *detail; /* constant text that may be shown to clients */
} image_trap;

/* Run step(context). If it springs the trap, return the status given there and fill reterr. */
swin2sr_status image_trap_run(image_trap *trap, void (*step)(void *context), void *context, swin2sr_error *reterr);

/* Leave the running step. May be called only within image_trap_run. */
void image_trap_spring(image_trap *trap, swin2sr_status status, const char *detail) __attribute__((noreturn));
