/* SPDX-License-Identifier: Apache-2.0
 * base/amx.h - may this process use AMX's matrix tiles: what the processor has, what the system keeps, what the kernel
 * allows. Tiles are used only where all three agree; until then none of their instructions is executed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The questions, or what a test puts in their place. */
typedef struct swin2sr__amx_probe {
    /* ret_words: eax, ebx, ecx, edx; zeros where the processor has no such leaf. */
    void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t ret_words[4]);
    uint64_t (*xcr0)(void); /* asked only where CPUID says that the instruction exists */
    /* arch_prctl(code, argument) with the two codes below: 0, or the errno. */
    int (*arch_prctl)(int code, unsigned long argument);
} swin2sr__amx_probe;

#define SWIN2SR__ARCH_GET_XCOMP_PERM 0x1022 /* argument: where to put the bits */
#define SWIN2SR__ARCH_REQ_XCOMP_PERM 0x1023 /* argument: the state component */
#define SWIN2SR__XFEATURE_TILES 18

typedef struct swin2sr__amx {
    bool is_there;   /* the processor has bf16 tiles of 16 rows of 64 bytes, and the system keeps them */
    bool is_allowed; /* and the kernel allows this process to use them */
    int error;       /* errno of the kernel where it does not; 0: it agreed, but without effect */
} swin2sr__amx;

/* Does the processor have them and the system keep them. Asks the kernel for nothing; is_allowed stays false. */
swin2sr__amx swin2sr__amx_look(const swin2sr__amx_probe *probe);
/* The same, and then the kernel is asked. Permission is the whole process's, for threads already running too, and cannot
 * be given back. It makes signal frames larger, so a process whose sigaltstack is small is refused. */
swin2sr__amx swin2sr__amx_ask(const swin2sr__amx_probe *probe);

/* Of this processor and system. */
extern const swin2sr__amx_probe swin2sr__amx_probe_here;
