/* SPDX-License-Identifier: Apache-2.0
 * base/cores.c - usable cores: those of the affinity mask, limited by the cgroup. */
#include "base/cores.h"

#include <sched.h>

#include "base/cgroup.h"

int swin2sr__cores_usable(void) {
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int limit = swin2sr__cgroup_cores("");
    return limit && limit < cores ? limit : cores;
}
