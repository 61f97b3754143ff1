/* SPDX-License-Identifier: Apache-2.0
 * base/cgroup.c - limits that the kernel sets for this process's control groups, and the use of memory.
 * In: /proc/self/cgroup, /proc/self/mountinfo and the files of the folders they name.  Out: numbers.
 * In a container the group's name may be that on the host, which does not exist here; its files are then at the mount
 * point. */
#include "base/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 65536 /* of a file of /proc */
#define PART_BYTES 4096  /* of the beginning of a file that is read repeatedly: the lines wanted are there */

typedef struct cgroup {
    char folder[3 * PATH_MAX];
    size_t mount_length; /* of the part of folder that is the mount point */
    bool is_v1;
} cgroup;

static FILE *open_under(const char *folder, const char *name) {
    char path[4 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "re");
}

static void read_text(const char *folder, const char *name, char ret_text[TEXT_BYTES]) {
    FILE *file = open_under(folder, name);
    ret_text[file ? fread(ret_text, 1, TEXT_BYTES - 1, file) : 0] = '\0';
    if (file)
        fclose(file);
}

/* True if word is in a list like "cpu,cpuacct". */
static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ',')) {
        if (strcspn(list, ",") == length && strncmp(list, word, length) == 0)
            return true;
    }
    return false;
}

/* The group's name from "4:cpu,cpuacct:/name" (version 1), or from "0::/name" (version 2) if no line of version 1 has
 * the controller. */
static bool find_name(const char *root, const char *controller, char ret_name[PATH_MAX], bool *ret_is_v1) {
    char text[TEXT_BYTES], *rest = text, *line;
    bool is_found = false;
    *ret_is_v1 = false;
    read_text(root, "proc/self/cgroup", text);
    while (!*ret_is_v1 && (line = strsep(&rest, "\n"))) {
        strsep(&line, ":");
        const char *controllers = strsep(&line, ":");
        if (!line || *line != '/' || (*controllers && !has_word(controllers, controller)))
            continue;
        is_found = true;
        *ret_is_v1 = *controllers;
        snprintf(ret_name, PATH_MAX, "%s", line);
    }
    return is_found;
}

/* The mount point of the controller's hierarchy, and the name of the group that is mounted there. */
static void find_mount(const char *root, const char *controller, bool is_v1, char ret_mount[PATH_MAX],
                       char ret_top[PATH_MAX]) {
    char text[TEXT_BYTES], *rest = text, *line, type[16], options[256];
    read_text(root, "proc/self/mountinfo", text);
    while ((line = strsep(&rest, "\n"))) { /* "32 31 0:29 / /sys/x rw - cgroup cgroup rw,cpu" */
        const char *behind = strstr(line, " - ");
        if (behind && sscanf(line, "%*s %*s %*s %4095s %4095s", ret_top, ret_mount) == 2 &&
            sscanf(behind, " - %15s %*s %255s", type, options) == 2 &&
            strcmp(type, is_v1 ? "cgroup" : "cgroup2") == 0 && (!is_v1 || has_word(options, controller)))
            return;
    }
    snprintf(ret_mount, PATH_MAX, is_v1 ? "/sys/fs/cgroup/%s" : "/sys/fs/cgroup", controller);
    snprintf(ret_top, PATH_MAX, "/");
}

static bool find_group(const char *root, const char *controller, cgroup *ret_group) {
    char name[PATH_MAX], mount[PATH_MAX], top[PATH_MAX];
    if (!find_name(root, controller, name, &ret_group->is_v1))
        return false;
    find_mount(root, controller, ret_group->is_v1, mount, top);
    size_t top_length = strcmp(top, "/") ? strlen(top) : 0;
    const char *below = strncmp(name, top, top_length) == 0 ? name + top_length : name;
    ret_group->mount_length = strlen(root) + strlen(mount);
    snprintf(ret_group->folder, sizeof ret_group->folder, "%s%s%s", root, mount, strcmp(below, "/") ? below : "");
    return true;
}

/* Go to the parent group; false at the mount point. */
static bool go_up(cgroup *group) {
    char *slash = strrchr(group->folder, '/');
    if (!slash || (size_t)(slash - group->folder) < group->mount_length)
        return false;
    *slash = '\0';
    return true;
}

/* The number after a name that begins a line. */
static bool read_value(const char *folder, const char *file_name, const char *name, uint64_t *ret_value) {
    char line[256];
    size_t length = strlen(name);
    bool is_found = false;
    FILE *file = open_under(folder, file_name);
    while (file && !is_found && fgets(line, sizeof line, file))
        is_found = strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNu64, ret_value) == 1;
    if (file)
        fclose(file);
    return is_found;
}

uint64_t swin2sr__cgroup_oom_kills(const char *root) {
    uint64_t kills = 0;
    cgroup group;
    bool is_there = find_group(root, "memory", &group);
    for (; is_there; is_there = go_up(&group)) {
        if (read_value(group.folder, group.is_v1 ? "memory.oom_control" : "memory.events", "oom_kill ", &kills))
            return kills;
    }
    return read_value(root, "proc/vmstat", "oom_kill ", &kills) ? kills : 0;
}

uint64_t swin2sr__cgroup_memory_bytes(const char *root) {
    uint64_t machine_kib, bytes = UINT64_MAX, limit;
    cgroup group;
    if (read_value(root, "proc/meminfo", "MemTotal:", &machine_kib) && machine_kib < UINT64_MAX >> 10)
        bytes = machine_kib << 10;
    for (bool is_there = find_group(root, "memory", &group); is_there; is_there = go_up(&group)) {
        /* a file that says "max" has no number */
        if (read_value(group.folder, group.is_v1 ? "memory.limit_in_bytes" : "memory.max", "", &limit) && limit < bytes)
            bytes = limit;
    }
    return bytes;
}

/* The cores' worth of time that a group's quota allows; 0: no quota, written as "max" in version 2, -1 in version 1. */
static uint64_t cores_of_group(const cgroup *group) {
    int64_t quota_us = -1, period_us = -1;
    const char *names[2] = {group->is_v1 ? "cpu.cfs_quota_us" : "cpu.max", "cpu.cfs_period_us"};
    for (int i = 0; i <= group->is_v1; i++) {
        FILE *file = open_under(group->folder, names[i]);
        if (file && fscanf(file, "%" SCNd64 " %" SCNd64, i ? &period_us : &quota_us, &period_us) < 1)
            quota_us = -1;
        if (file)
            fclose(file);
    }
    return quota_us > 0 && period_us > 0 ? (uint64_t)(quota_us - 1) / (uint64_t)period_us + 1 : 0;
}

int swin2sr__cgroup_cores(const char *root) {
    uint64_t cores = 0;
    cgroup group;
    for (bool is_there = find_group(root, "cpu", &group); is_there; is_there = go_up(&group)) {
        uint64_t here = cores_of_group(&group);
        cores = here && (!cores || here < cores) ? here : cores;
    }
    return cores < INT_MAX ? (int)cores : 0;
}

/* ---- the use of memory ---- */

static int open_fd(const char *folder, const char *name) {
    char path[4 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void read_part(int fd, char ret_text[PART_BYTES]) {
    ssize_t size = fd >= 0 ? pread(fd, ret_text, PART_BYTES - 1, 0) : 0;
    ret_text[size > 0 ? size : 0] = '\0';
}

/* The number after a name that begins a line; "": the number at the beginning. 0: there is none. */
static uint64_t number_after(const char *text, const char *name) {
    size_t length = strlen(name);
    while (text && strncmp(text, name, length) != 0) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text ? strtoull(text + length, NULL, 10) : 0;
}

static uint64_t read_number(int fd) {
    char text[PART_BYTES];
    read_part(fd, text);
    return *text == '-' ? 0 : number_after(text, "");
}

/* The smallest limit of a group or its parents decides. */
static bool find_binding_group(const char *root, cgroup *ret_group) {
    cgroup group;
    uint64_t least = UINT64_MAX, limit;
    bool is_there = find_group(root, "memory", &group);
    *ret_group = group;
    for (bool is_left = is_there; is_left; is_left = go_up(&group))
        if (read_value(group.folder, group.is_v1 ? "memory.limit_in_bytes" : "memory.max", "", &limit) &&
            limit < least) {
            least = limit;
            *ret_group = group;
        }
    return is_there;
}

void swin2sr__memory_open(swin2sr__memory_files *self, const char *root) {
    cgroup group;
    *self = (swin2sr__memory_files){.limit_fd = -1, .usage_fd = -1, .stat_fd = -1, .stalls_fd = -1};
    if (find_binding_group(root, &group)) {
        self->is_v1 = group.is_v1;
        self->limit_fd = open_fd(group.folder, group.is_v1 ? "memory.limit_in_bytes" : "memory.max");
        self->usage_fd = open_fd(group.folder, group.is_v1 ? "memory.usage_in_bytes" : "memory.current");
        self->stat_fd = open_fd(group.folder, "memory.stat");
        self->stalls_fd = group.is_v1 ? -1 : open_fd(group.folder, "memory.pressure");
    }
    char text[PART_BYTES];
    self->machine_fd = open_fd(root, "proc/meminfo");
    read_part(self->machine_fd, text);
    self->machine_bytes = number_after(text, "MemTotal:") << 10;
    if (self->stalls_fd < 0)
        self->stalls_fd = open_fd(root, "proc/pressure/memory");
}

static uint64_t above(uint64_t all, uint64_t part) {
    return all > part ? all - part : 0;
}

/* false: the group has no limit below the machine's memory, or it cannot be read. */
static bool read_group(const swin2sr__memory_files *self, swin2sr__memory_use *ret_use) {
    char stat[PART_BYTES];
    uint64_t limit = read_number(self->limit_fd), usage;
    if (limit == 0 || (self->machine_bytes && limit >= self->machine_bytes) || !(usage = read_number(self->usage_fd)))
        return false;
    read_part(self->stat_fd, stat);
    uint64_t files = number_after(stat, self->is_v1 ? "total_inactive_file " : "inactive_file ") +
                     number_after(stat, self->is_v1 ? "total_active_file " : "active_file ");
    *ret_use = (swin2sr__memory_use){.limit_bytes = limit, .used_bytes = above(usage, files)};
    return true;
}

void swin2sr__memory_read(const swin2sr__memory_files *self, swin2sr__memory_use *ret_use) {
    char text[PART_BYTES];
    if (!read_group(self, ret_use)) {
        read_part(self->machine_fd, text);
        uint64_t free = number_after(text, "MemAvailable:") << 10;
        *ret_use =
            (swin2sr__memory_use){.limit_bytes = self->machine_bytes, .used_bytes = above(self->machine_bytes, free)};
    }
    read_part(self->stalls_fd, text);
    const char *total = strncmp(text, "some ", 5) == 0 ? strstr(text, "total=") : NULL;
    ret_use->stalled_us = total ? strtoull(total + strlen("total="), NULL, 10) : 0;
}

void swin2sr__memory_close(swin2sr__memory_files *self) {
    const int fds[] = {self->limit_fd, self->usage_fd, self->stat_fd, self->machine_fd, self->stalls_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}
