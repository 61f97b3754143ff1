/* SPDX-License-Identifier: Apache-2.0
 * base/cgroup.h - limits that the kernel sets for this process's control groups, version 1 or 2, and the use of memory.
 * Each call reads a few short files. A limit of a parent group counts like one of the group itself.
 * root is put before /proc and /sys: "" except in tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Processes of this cgroup that the kernel has killed for lack of memory; of the machine if no cgroup counts them. */
uint64_t swin2sr__cgroup_oom_kills(const char *root);

/* The smaller of the cgroup's memory limit and the machine's memory; UINT64_MAX if neither is known. */
uint64_t swin2sr__cgroup_memory_bytes(const char *root);

/* How many cores' worth of processor time the cgroup may use, rounded up; 0: no limit. */
int swin2sr__cgroup_cores(const char *root);

/* Where the use of memory is read again and again. The files stay open and are read with pread, because opening them
 * would cost several times as much. A descriptor is -1 where there is no such file. */
typedef struct swin2sr__memory_files {
    int limit_fd, usage_fd, stat_fd; /* of the cgroup with the smallest limit, or of the own one if none has a limit */
    int machine_fd;                  /* meminfo, which is read where that limit does not count */
    uint64_t machine_bytes;
    int stalls_fd; /* the pressure of that cgroup, or of the machine */
    bool is_v1;
} swin2sr__memory_files;

typedef struct swin2sr__memory_use {
    uint64_t limit_bytes; /* of the cgroup, or the machine's memory if that is smaller; 0: unknown */
    uint64_t used_bytes;  /* without pages of files, which the kernel can drop; those of a tmpfs count */
    uint64_t stalled_us;  /* time since boot in which some task waited for memory; 0: unknown */
} swin2sr__memory_use;

void swin2sr__memory_open(swin2sr__memory_files *self, const char *root);
void swin2sr__memory_read(const swin2sr__memory_files *self, swin2sr__memory_use *ret_use);
void swin2sr__memory_close(swin2sr__memory_files *self);
