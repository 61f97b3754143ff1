/* SPDX-License-Identifier: Apache-2.0
 * base/cores.c - usable cores: the affinity mask, cut by the processor time a cgroup allows.
 * In: /proc/self/cgroup and the files it points to.  Out: a count of at least 1. */
#include "base/cores.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Cores that quota microseconds per period buy, rounded up; 0 where there is no limit. */
static int cores_of_quota(long long quota_us, long long period_us) {
    if (quota_us <= 0 || period_us <= 0)
        return 0;
    long long cores = (quota_us + period_us - 1) / period_us;
    return cores > 4096 ? 0 : (int)cores;
}

static long long read_number(const char *path) {
    long long value = -1;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    if (fscanf(file, "%lld", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

/* The limit of one cgroup folder, version 2 (cpu.max) or 1 (cpu.cfs_*); 0: none. */
static int cores_of_folder(const char *folder) {
    char path[768];
    long long quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    FILE *file = fopen(path, "re");
    if (file) {
        int found = fscanf(file, "%lld %lld", &quota, &period); /* "max" stops the scan */
        fclose(file);
        return found == 2 ? cores_of_quota(quota, period) : 0;
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    quota = read_number(path);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    return cores_of_quota(quota, read_number(path));
}

/* The tightest limit from this folder up to the mount point (length root_length). */
static int cores_up_to_root(char *folder, size_t root_length, int cores) {
    for (;;) {
        int here = cores_of_folder(folder);
        if (here && here < cores)
            cores = here;
        if (strlen(folder) <= root_length)
            return cores;
        *strrchr(folder, '/') = 0;
    }
}

int swin2sr__cores_usable(void) {
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[512];
    while (file && fgets(line, sizeof line, file)) { /* "4:cpu,cpuacct:/path" or "0::/path" */
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = 0;
        group[strcspn(group, "\n")] = 0;
        controllers++;
        const char *root = !*controllers ? "/sys/fs/cgroup" : strstr(controllers, "cpu") ? "/sys/fs/cgroup/cpu" : NULL;
        if (!root || strstr(controllers, "cpuset"))
            continue;
        char folder[640];
        snprintf(folder, sizeof folder, "%s%s", root, strcmp(group, "/") ? group : "");
        cores = cores_up_to_root(folder, strlen(root), cores);
    }
    if (file)
        fclose(file);
    return cores < 1 ? 1 : cores;
}
