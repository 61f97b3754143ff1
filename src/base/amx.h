/* SPDX-License-Identifier: Apache-2.0
 * base/amx.h - whether this process may use AMX's matrix tiles: the processor must have them, the operating system must
 * save their registers, and the kernel must permit this process to use them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The functions that ask the processor and the kernel. Tests replace them. */
typedef struct swin2sr__amx_probe {
    /* ret_words: eax, ebx, ecx, edx; zeros if the processor has no such leaf. */
    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]);
    uint64_t (*xcr0)(void); /* called only if CPUID reports that XGETBV exists */
    /* arch_prctl(code, argument) with the two codes below: 0, or the errno. */
    int (*arch_prctl)(int code, unsigned long argument);
} swin2sr__amx_probe;

#define SWIN2SR__ARCH_GET_XCOMP_PERM 0x1022 /* argument: where to write the bits */
#define SWIN2SR__ARCH_REQ_XCOMP_PERM 0x1023 /* argument: the state component */
#define SWIN2SR__XFEATURE_TILES 18

typedef struct swin2sr__amx {
    bool is_there;   /* the processor has bf16 tiles of 16 rows of 64 bytes, and the system saves their registers */
    bool is_allowed; /* and the kernel permits this process to use them */
    int error;       /* errno of the refused request; 0: it succeeded, which need not mean that it had an effect */
} swin2sr__amx;

/* Check is_there. Requests nothing from the kernel; is_allowed is false. */
swin2sr__amx swin2sr__amx_look(const swin2sr__amx_probe *probe);
/* Check is_there, then request permission. It applies to the whole process, including threads that are running, and
 * cannot be returned. It makes signal frames larger, so the kernel refuses a process with a small sigaltstack. */
swin2sr__amx swin2sr__amx_ask(const swin2sr__amx_probe *probe);

/* The functions for this machine. */
extern const swin2sr__amx_probe swin2sr__amx_probe_here;
