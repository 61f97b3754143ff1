/* SPDX-License-Identifier: Apache-2.0
 * tests/faults/preload.c - a library for LD_PRELOAD that lets an allocation fail, or the clock jump, at a moment that
 * the test chooses. Other faults: tests/unit/server/store/disk_faults.c.
 * In: SWIN2SR_FAULTS, a file that is a `control`, mapped by the server, its workers and the test (tests/faults/inject.py).
 * It is mapped when the program starts, so that a locked worker needs no further call. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef struct counts {
    atomic_llong left;   /* 0: none fails; N: allocation N from now on fails, and no other */
    atomic_llong failed; /* allocations that have failed */
} counts;

typedef struct control {
    counts server, worker;
    atomic_llong clock_s; /* added to the wall clock; the monotonic clock is as it is */
} control;

static control *told;
static counts *own; /* NULL: neither a server nor a worker */

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("SWIN2SR_FAULTS"), *program = program_invocation_short_name;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return;
    told = at;
    own = strstr(program, "worker") ? &told->worker : strstr(program, "server") ? &told->server : NULL;
}

/* ---- allocations ---- */

static int is_failing(void) {
    if (!own || atomic_load(&own->left) <= 0 || atomic_fetch_sub(&own->left, 1) != 1)
        return 0;
    atomic_fetch_add(&own->failed, 1);
    errno = ENOMEM;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRAP(result, name, parameters, arguments, failure)          \
    __attribute__((visibility("default"))) result name parameters { \
        static __typeof__(&name) next;                              \
        if (!next)                                                  \
            next = NEXT(name);                                      \
        return is_failing() ? (failure) : next arguments;           \
    }

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(void *, realloc, (void *old, size_t size), (old, size), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL)
WRAP(int, posix_memalign, (void **at, size_t alignment, size_t size), (at, alignment, size), ENOMEM)

/* The C library's own calls do not come here, so only memory that the program itself maps is meant. */
__attribute__((visibility("default"))) void *mmap(void *at, size_t size, int protection, int flags, int fd,
                                                  off_t offset) {
    static __typeof__(&mmap) next;
    if (!next)
        next = NEXT(mmap);
    return is_failing() ? MAP_FAILED : next(at, size, protection, flags, fd, offset);
}

/* ---- the wall clock ---- */

static time_t jump_s(void) {
    return told ? (time_t)atomic_load(&told->clock_s) : 0;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret_time) {
    static __typeof__(&clock_gettime) next;
    if (!next)
        next = NEXT(clock_gettime);
    int status = next(clock, ret_time);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret_time->tv_sec += jump_s();
    return status;
}

__attribute__((visibility("default"))) time_t time(time_t *ret_time) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *ret_time, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret_time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
