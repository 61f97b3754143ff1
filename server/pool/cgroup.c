/* SPDX-License-Identifier: Apache-2.0
 * pool/cgroup.c - memory limit and out-of-memory kills of our cgroup.
 * In: /proc/self/cgroup and the files of the folder it names.  Out: numbers.
 * Inside a container that name may be the host's: then the mount point itself is our folder. */
#include "pool/cgroup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 1024

static FILE *open_under(const char *root, const char *folder, const char *name) {
    char path[2 * PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    return length < (int)sizeof path ? fopen(path, "re") : NULL;
}

/* The cgroup of the memory controller: "5:memory:/path", or "0::/path" where there is but version 2. */
static void find_group(const char *root, char ret_v1[PATH_BYTES], char ret_v2[PATH_BYTES]) {
    char line[PATH_BYTES];
    ret_v1[0] = ret_v2[0] = '\0';
    FILE *file = open_under(root, "/proc/self", "cgroup");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        if (controllers[1] == '\0')
            snprintf(ret_v2, PATH_BYTES, "%s", group);
        else if (strcmp(controllers + 1, "memory") == 0)
            snprintf(ret_v1, PATH_BYTES, "%s", group);
    }
    if (file)
        fclose(file);
}

/* A file of our group: version 2's name or version 1's, in our folder or at the mount point. NULL: none. */
static FILE *open_group_file(const char *root, const char *v2_name, const char *v1_name) {
    char v1[PATH_BYTES], v2[PATH_BYTES], folder[PATH_BYTES + 32];
    find_group(root, v1, v2);
    snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", v2);
    FILE *file = open_under(root, folder, v2_name);
    snprintf(folder, sizeof folder, "/sys/fs/cgroup/memory%s", v1);
    file = file ? file : open_under(root, folder, v1_name);
    file = file ? file : open_under(root, "/sys/fs/cgroup", v2_name);
    return file ? file : open_under(root, "/sys/fs/cgroup/memory", v1_name);
}

/* The number after a name that begins a line; closes the file, which may be NULL. false: not there. */
static bool take_value(FILE *file, const char *name, uint64_t *ret_value) {
    char line[256];
    size_t length = strlen(name);
    bool is_found = false;
    while (file && !is_found && fgets(line, sizeof line, file))
        is_found = strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNu64, ret_value) == 1;
    if (file)
        fclose(file);
    return is_found;
}

uint64_t cgroup_oom_kills(const char *root) {
    uint64_t kills = 0;
    if (!take_value(open_group_file(root, "memory.events", "memory.oom_control"), "oom_kill ", &kills) &&
        !take_value(open_under(root, "/proc", "vmstat"), "oom_kill ", &kills))
        return 0;
    return kills;
}

uint64_t cgroup_memory_bytes(const char *root) {
    uint64_t machine_kib, bytes = UINT64_MAX, limit;
    if (take_value(open_under(root, "/proc", "meminfo"), "MemTotal:", &machine_kib) && machine_kib < UINT64_MAX >> 10)
        bytes = machine_kib << 10;
    /* "max" is no number */
    if (take_value(open_group_file(root, "memory.max", "memory.limit_in_bytes"), "", &limit) && limit < bytes)
        bytes = limit;
    return bytes;
}
