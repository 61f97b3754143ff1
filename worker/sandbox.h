/* SPDX-License-Identifier: Apache-2.0
 * sandbox.h - what a worker may still do when it works for clients (stage 3 of 9, dispatch).
 * In: a worker that has loaded and tested its networks.  Out: a process without files, network, other processes, or
 * system calls beyond those that decoding, the engine and encoding need. A call outside this list ends the process with
 * SIGSYS. Landlock holds for the thread that asks and for threads that it starts later; seccomp holds for all threads
 * and forbids new ones. The engine's threads are therefore started between the two steps. A worker on a GPU has a step
 * before these, because the driver starts threads of its own, and a longer list of calls if the driver uses files of
 * /dev. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <swin2sr/status.h>

#define SANDBOX_TEXT_BYTES 32

/* Sanitizers report and look for leaks with calls that are not on the list. Programs that are built with one have a
 * longer list. */
#define SANDBOX_HAS_SANITIZER 0
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef SANDBOX_HAS_SANITIZER
#define SANDBOX_HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#undef SANDBOX_HAS_SANITIZER
#define SANDBOX_HAS_SANITIZER 1
#endif
#endif

typedef enum sandbox_mode {
    SANDBOX_AUTO = 0, /* what the kernel has */
    SANDBOX_REQUIRED, /* fail where seccomp or landlock is missing */
    SANDBOX_OFF,      /* nothing: for debuggers and core dumps */
} sandbox_mode;

typedef struct sandbox {
    sandbox_mode mode;
    bool is_device;        /* the worker computes with a driver */
    bool has_device_files; /* which has opened files of /dev */
    int landlock_abi;      /* 0: not in force */
    bool has_seccomp;
} sandbox;

/* false: there is no mode of this name. */
bool sandbox_mode_find(const char *name, sandbox_mode *ret_mode);

/* Before a driver is loaded, which also restricts the threads that the driver starts: files are read only where drivers
 * and their settings are, written only if they are devices of a GPU, never made, and nothing is executed; no TCP.
 * self    {.mode} before.
 * errors  As those of sandbox_close_paths. */
SWIN2SR_MUST_CHECK swin2sr_status sandbox_close_writes(sandbox *self, swin2sr_error *reterr);

/* The first step: no new privileges, not dumpable, no path but the devices of a GPU that are open.
 * self    {.mode} before, or as sandbox_close_writes has left it.
 * errors  _INVALID: it is required, and the system does not have it. */
SWIN2SR_MUST_CHECK swin2sr_status sandbox_close_paths(sandbox *self, swin2sr_error *reterr);

/* The second step, when all threads run: limits on resources, and no system call outside the list.
 * socket  The only one that messages may be sent to and received from.
 * errors  As those of sandbox_close_paths. */
SWIN2SR_MUST_CHECK swin2sr_status sandbox_close_calls(sandbox *self, int socket, swin2sr_error *reterr);

/* Write what is in force: "seccomp landlock-7" (the version of landlock's interface), "none", or "off". With the longer
 * list, it is "seccomp-device". */
void sandbox_describe(const sandbox *self, char *ret_text, size_t size);
