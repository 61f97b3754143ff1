/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/store/disk_faults.c - a library for LD_PRELOAD that kills the process at one of the calls that
 * change what a crash leaves on the disk, or makes them fail.
 * Only calls on names or files in the folder SWIN2SR_FAULTS_IN count, from 0.
 * SWIN2SR_CRASH_AT=N  an even N kills before call N / 2, an odd one after it; a line on descriptor 2 says which.
 * SWIN2SR_FAIL_AT=N   call N and all after it fail with ENOSPC.
 * SWIN2SR_FREE_FROM=F  every disk has 1 TiB, and as many bytes of it are free as the file F says. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static atomic_long calls;

static int is_inside(int fd) {
    const char *folder = getenv("SWIN2SR_FAULTS_IN");
    char link[40], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length <= 0)
        return 0;
    path[length] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void crash_if(const char *call, long now) {
    const char *at = getenv("SWIN2SR_CRASH_AT");
    char text[80];
    if (!at || now != atol(at))
        return;
    int length = snprintf(text, sizeof text, "crash %ld %s %s\n", now, now % 2 ? "after" : "before", call);
    if (write(2, text, (size_t)length) == length)
        kill(getpid(), SIGKILL);
}

static int is_failing(long call) {
    const char *from = getenv("SWIN2SR_FAIL_AT");
    errno = ENOSPC;
    return from && call >= atol(from);
}

#define WRAP(result, name, folder_fd, parameters, arguments)                      \
    __attribute__((visibility("default"))) result name parameters;                \
    result name parameters {                                                      \
        result(*next) parameters = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (!is_inside(folder_fd))                                                \
            return next arguments;                                                \
        long call = atomic_fetch_add(&calls, 1), now = 2 * call;                  \
        if (is_failing(call))                                                     \
            return -1;                                                            \
        crash_if(#name, now);                                                     \
        result value = next arguments;                                            \
        crash_if(#name, now + 1);                                                 \
        return value;                                                             \
    }

WRAP(int, fsync, fd, (int fd), (fd))
WRAP(int, linkat, to, (int from, const char *path, int to, const char *name, int flags), (from, path, to, name, flags))
WRAP(int, renameat2, to, (int from, const char *old, int to, const char *name, unsigned int flags),
     (from, old, to, name, flags))
WRAP(int, unlinkat, folder, (int folder, const char *name, int flags), (folder, name, flags))

/* With 64-bit file offsets the header gives it the symbol statvfs64. */
__attribute__((visibility("default"))) int statvfs(const char *restrict path, struct statvfs *restrict ret_info) {
    int (*next)(const char *, struct statvfs *) =
        (int (*)(const char *, struct statvfs *))dlsym(RTLD_NEXT, "statvfs64");
    const char *says = getenv("SWIN2SR_FREE_FROM");
    FILE *file = says ? fopen(says, "re") : NULL;
    unsigned long long free_bytes;
    if (!file)
        return next(path, ret_info);
    *ret_info = (struct statvfs){.f_frsize = 1, .f_blocks = 1ull << 40};
    if (fscanf(file, "%llu", &free_bytes) == 1)
        ret_info->f_bavail = free_bytes;
    fclose(file);
    return 0;
}
