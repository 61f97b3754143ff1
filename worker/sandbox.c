/* SPDX-License-Identifier: Apache-2.0
 * sandbox.c - the two steps that lock a worker down (stage 3 of 9, dispatch).
 * In: a mode.  Out: a locked process, and what the kernel could give.
 * The tables below are the whole list of permitted system calls; the filter is made from them. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define FILES_MAX 32                     /* descriptors: three of a job, the socket, the standard ones, the weights */
#define DEVICE_FILES_MAX 1024            /* with a driver that opens files of /dev */
#define FILE_MAX_BYTES ((rlim_t)4 << 30) /* of a result: 800 million pixels with four samples of a byte, and more */

bool sandbox_mode_find(const char *name, sandbox_mode *ret_mode) {
    static const char *const names[] = {"auto", "required", "off"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret_mode = (sandbox_mode)i;
            return true;
        }
    return false;
}

/* What is missing counts only where it is required. */
static swin2sr_status missing(const sandbox *self, const char *what, int error, swin2sr_error *reterr) {
    if (self->mode != SANDBOX_REQUIRED)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_INVALID, "--sandbox required: this system does not allow %s: %s", what,
                              strerror(error));
}

/* ---- landlock: no path, no TCP, no signal to others ---- */

/* Of interface version 6; older kernels accept it with zeros in fields that they do not know. */
typedef struct landlock_rules {
    uint64_t fs, net, scopes;
} landlock_rules;

/* The rights that a version of the interface knows. Each right that is named here is taken away. */
static landlock_rules rules_of(int abi) {
    static const int fs_bits[] = {0, 13, 14, 15, 15, 16}; /* REFER came with 2, TRUNCATE with 3, IOCTL_DEV with 5 */
    const int newest = (int)(sizeof fs_bits / sizeof fs_bits[0]) - 1;
    return (landlock_rules){.fs = ((uint64_t)1 << fs_bits[abi < newest ? abi : newest]) - 1,
                            .net = abi >= 4 ? 3 : 0,     /* bind, connect */
                            .scopes = abi >= 6 ? 3 : 0}; /* abstract Unix sockets, signals */
}

#define READ_FILES ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define READ_FOLDERS ((uint64_t)LANDLOCK_ACCESS_FS_READ_DIR)
#define USE_DEVICES (READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | (uint64_t)1 << 15) /* IOCTL_DEV, of version 5 */

/* Give a right to a file, or to all that lies beneath a folder. A path that does not exist gets none. */
static void allow_path(int set, const landlock_rules *known, const char *path, uint64_t rights) {
    struct stat file;
    struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return;
    bool is_folder = fstat(rule.parent_fd, &file) == 0 && S_ISDIR(file.st_mode);
    rule.allowed_access = rights & known->fs & ~(is_folder ? 0 : READ_FOLDERS);
    syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

/* The folders of a list of files or folders in the environment. */
static void allow_variable(int set, const landlock_rules *known, const char *name) {
    const char *at = getenv(name);
    char path[4096];
    while (at && *at) {
        size_t length = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s", (int)length, at);
        struct stat file;
        char *slash = strrchr(path, '/');
        if (slash && slash > path && stat(path, &file) == 0 && !S_ISDIR(file.st_mode))
            *slash = '\0';
        allow_path(set, known, path, READ_FILES | READ_FOLDERS);
        at += length + (at[length] == ':');
    }
}

/* Where drivers and their settings are, and the files by which they reach a GPU. */
static void allow_driver(int set, const landlock_rules *known) {
    static const char *const readable[] = {"/usr",           "/lib",
                                           "/lib64",         "/opt",
                                           "/nix/store",     "/run/opengl-driver",
                                           "/sys",           "/proc/self",
                                           "/proc/cpuinfo",  "/proc/meminfo",
                                           "/proc/stat",     "/proc/driver",
                                           "/proc/sys",      "/proc/devices",
                                           "/proc/modules",  "/etc/vulkan",
                                           "/etc/glvnd",     "/etc/nvidia",
                                           "/etc/drirc",     "/etc/ld.so.cache",
                                           "/etc/localtime", "/dev/urandom"};
    static const char *const variables[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES",
                                            "VK_LAYER_PATH", "LD_LIBRARY_PATH"};
    static const char *const devices[] = {"/dev/dri", "/dev/nvidia*", "/dev/kfd", "/dev/dxg", "/dev/null"};
    for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++)
        allow_path(set, known, readable[i], READ_FILES | READ_FOLDERS);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        allow_variable(set, known, variables[i]);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        glob_t found;
        if (glob(devices[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            allow_path(set, known, found.gl_pathv[k], USE_DEVICES | READ_FOLDERS);
        globfree(&found);
    }
}

/* The device of this descriptor; false: it is none, or one of memory like /dev/null. */
static bool find_device_file(int fd, char *ret_path, size_t size) {
    struct stat file;
    char link[40];
    if (fstat(fd, &file) != 0 || !S_ISCHR(file.st_mode) || major(file.st_rdev) == 1)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, ret_path, size - 1);
    ret_path[length > 0 ? length : 0] = '\0';
    return strncmp(ret_path, "/dev/", 5) == 0 && strncmp(ret_path, "/dev/tty", 8) != 0 &&
           strncmp(ret_path, "/dev/pts", 8) != 0;
}

static bool has_device_files(void) {
    char path[256];
    for (int fd = 0; fd < DEVICE_FILES_MAX; fd++)
        if (find_device_file(fd, path, sizeof path))
            return true;
    return false;
}

/* Some drivers open their files again for each piece of memory. */
static void allow_open_devices(int set, const landlock_rules *known) {
    char path[256];
    for (int fd = 0; fd < DEVICE_FILES_MAX; fd++)
        if (find_device_file(fd, path, sizeof path))
            allow_path(set, known, path, USE_DEVICES);
}

/* is_first: before a driver is loaded.  returns 0 or an errno. */
static int enter_landlock(sandbox *self, bool is_first) {
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        return abi < 0 ? errno : EOPNOTSUPP;
    landlock_rules rules = rules_of(abi);
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (set < 0)
        return errno;
    if (SANDBOX_HAS_SANITIZER) /* one for leaks reads what /proc says about its own process */
        allow_path(set, &rules, "/proc", READ_FILES | READ_FOLDERS);
    if (is_first)
        allow_driver(set, &rules);
    else if (self->is_device)
        allow_open_devices(set, &rules);
    int error = syscall(SYS_landlock_restrict_self, set, 0) == 0 ? 0 : errno;
    close(set);
    if (!error && !is_first)
        self->landlock_abi = abi;
    return error;
}

swin2sr_status sandbox_close_writes(sandbox *self, swin2sr_error *reterr) {
    self->is_device = true;
    if (self->mode == SANDBOX_OFF)
        return SWIN2SR_OK;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return missing(self, "no_new_privs", errno, reterr);
    int error = enter_landlock(self, true);
    return error ? missing(self, "landlock", error, reterr) : SWIN2SR_OK;
}

swin2sr_status sandbox_close_paths(sandbox *self, swin2sr_error *reterr) {
    if (self->mode == SANDBOX_OFF)
        return SWIN2SR_OK;
    tzset(); /* Little CMS dates the profiles that it makes, and glibc opens the file of the time zone the first time */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return missing(self, "no_new_privs", errno, reterr);
    self->has_device_files = self->is_device && has_device_files();
    prctl(PR_SET_DUMPABLE, 0); /* no process of this user can read the memory or attach */
    int error = enter_landlock(self, false);
    return error ? missing(self, "landlock", error, reterr) : SWIN2SR_OK;
}

/* ---- limits ---- */

static void limit(int resource, rlim_t most) {
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return;
    most = most < now.rlim_max ? most : now.rlim_max;
    setrlimit(resource, &(struct rlimit){most, most});
}

static void limit_resources(const sandbox *self) {
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit is an error like that of a full disk */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, FILE_MAX_BYTES);
    limit(RLIMIT_NOFILE, self->has_device_files ? DEVICE_FILES_MAX : FILES_MAX);
    if (!SANDBOX_HAS_SANITIZER)
        limit(RLIMIT_NPROC, 0);
}

/* ---- seccomp: the list of system calls ---- */

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#else
#define OWN_ARCH 0 /* there is no filter */
#endif

#define THE_SOCKET UINT32_MAX        /* in the column `value` */
#define THE_PROCESS (UINT32_MAX - 1) /* in the column `value` */

/* A call is permitted if its argument, masked, has this value. Only the low half of an argument is looked at: these are
 * ints and flags. Mask 0: whatever the arguments are. */
typedef struct permitted_call {
    uint32_t number, argument, mask, value;
} permitted_call;

/* clang-format off */
static const permitted_call permitted[] = {
    /* jobs: messages on the one socket, the upload mapped, the result written, both closed */
    {SYS_recvmsg,           0, UINT32_MAX, THE_SOCKET},
    {SYS_sendmsg,           0, UINT32_MAX, THE_SOCKET},
    {SYS_pwrite64,          0, 0, 0},
    {SYS_close,             0, 0, 0},
    /* malloc, and the upload; no memory becomes code */
    {SYS_mmap,              2, PROT_EXEC, 0},
    {SYS_mprotect,          2, PROT_EXEC, 0},
    {SYS_munmap,            0, 0, 0},
    {SYS_mremap,            0, 0, 0},
    {SYS_brk,               0, 0, 0},
    {SYS_madvise,           0, 0, 0},
    {SYS_getrandom,         0, 0, 0}, /* the key of malloc's cache of a thread */
    {SYS_sched_getaffinity, 0, 0, 0}, /* malloc counts the cores when it has made many arenas */
    {SYS_sysinfo,           0, 0, 0}, /* the first qsort of more than 1 KiB asks how much memory there is */
    /* threads: locks, waits, the time where the vDSO does not have it, and their end */
    {SYS_futex,             0, 0, 0},
    {SYS_sched_yield,       0, 0, 0},
    {SYS_clock_gettime,     0, 0, 0},
    {SYS_rt_sigprocmask,    0, 0, 0}, /* also of abort */
    {SYS_rseq,              0, 0, 0}, /* this and the next: the first two calls of a thread that is still starting */
    {SYS_set_robust_list,   0, 0, 0},
    {SYS_exit,              0, 0, 0},
    {SYS_exit_group,        0, 0, 0},
    /* the last words of a process that finds itself broken, so that its end is logged as SIGABRT and not as SIGSYS */
    {SYS_write,             0, UINT32_MAX, STDERR_FILENO},
    {SYS_writev,            0, UINT32_MAX, STDERR_FILENO},
    {SYS_rt_sigaction,      0, 0, 0},
    {SYS_getpid,            0, 0, 0},
    {SYS_gettid,            0, 0, 0},
    {SYS_tgkill,            0, UINT32_MAX, THE_PROCESS},
#if SANDBOX_HAS_SANITIZER
    /* reports; and at the end the search for leaks, which a copy of the process makes that stops all its threads */
    {SYS_read,              0, 0, 0},
    {SYS_openat,            0, 0, 0}, /* landlock leaves only /proc */
    {SYS_readlinkat,        0, 0, 0},
    {SYS_fstat,             0, 0, 0},
    {SYS_newfstatat,        0, 0, 0},
    {SYS_getdents64,        0, 0, 0},
    {SYS_lseek,             0, 0, 0},
    {SYS_ioctl,             0, 0, 0},
    {SYS_prlimit64,         0, 0, 0},
    {SYS_sigaltstack,       0, 0, 0},
    {SYS_rt_sigreturn,      0, 0, 0},
    {SYS_prctl,             0, 0, 0},
    {SYS_clone,             0, CLONE_VM, CLONE_VM}, /* not fork */
    {SYS_ptrace,            0, 0, 0},
    {SYS_wait4,             0, 0, 0},
    {SYS_getppid,           0, 0, 0},
#ifdef __x86_64__
    {SYS_open,              0, 0, 0},
    {SYS_readlink,          0, 0, 0},
    {SYS_arch_prctl,        0, 0, 0},
    {SYS_getdents,          0, 0, 0},
#endif
#endif
};

/* Beside those above, what a driver of Vulkan needs that reaches its GPU through files of /dev: only if it has opened such
 * files. Landlock leaves no others to be opened. Mesa's lavapipe, which computes on the processor, needs none of these
 * (seen under strace). The list follows what drivers are known to do and has not been run on a GPU. */
static const permitted_call permitted_device[] = {
    {SYS_ioctl,             0, 0, 0}, /* all work of the GPU */
    {SYS_openat,            0, 0, 0}, /* NVIDIA: a descriptor for each piece of memory that the host reads */
    {SYS_newfstatat,        0, 0, 0}, /* that the file is still the device */
    {SYS_fstat,             0, 0, 0},
    {SYS_fcntl,             0, 0, 0}, /* copies of descriptors that are closed in new programs */
    {SYS_dup,               0, 0, 0},
    {SYS_clock_nanosleep,   0, 0, 0}, /* this and the next: waits for the end of work */
    {SYS_ppoll,             0, 0, 0},
#ifdef __x86_64__
    {SYS_poll,              0, 0, 0},
#endif
    {SYS_read,              0, 0, 0}, /* events of the GPU, and counters of events */
    {SYS_eventfd2,          0, 0, 0},
};
/* clang-format on */

#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])
#define CALL_COUNT (COUNT_OF(permitted) + COUNT_OF(permitted_device))
#define STEPS_PER_CALL 6
#define STEPS_AROUND 5

static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
static const struct sock_filter end_process = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);

static struct sock_filter load(size_t offset) {
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* Go on with the next step if the loaded value equals this one, else leave out so many. */
static struct sock_filter unless_equal_skip(uint32_t value, uint8_t steps) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps);
}

/* Write the steps for one call.  returns their number. */
static size_t write_call(const permitted_call *call, int socket, struct sock_filter *step) {
    uint32_t value = call->value == THE_SOCKET    ? (uint32_t)socket
                     : call->value == THE_PROCESS ? (uint32_t)getpid()
                                                  : call->value;
    size_t count = 0;
    step[count++] = unless_equal_skip(call->number, call->mask ? STEPS_PER_CALL - 1 : 1);
    if (call->mask) {
        step[count++] = load(offsetof(struct seccomp_data, args) + call->argument * sizeof(uint64_t));
        step[count++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call->mask);
        step[count++] = unless_equal_skip(value, 1);
    }
    step[count++] = allow;
    if (call->mask)
        step[count++] = end_process;
    return count;
}

/* returns 0 or an errno. */
static int enter_seccomp(const sandbox *self, int socket) {
    struct sock_filter steps[STEPS_AROUND + CALL_COUNT * STEPS_PER_CALL];
    size_t count = 0;
    steps[count++] = load(offsetof(struct seccomp_data, arch));
    steps[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
    steps[count++] = end_process;
    steps[count++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT_OF(permitted); i++)
        count += write_call(&permitted[i], socket, steps + count);
    for (size_t i = 0; i < COUNT_OF(permitted_device) && self->has_device_files; i++)
        count += write_call(&permitted_device[i], socket, steps + count);
    steps[count++] = end_process;
    struct sock_fprog filter = {.len = (unsigned short)count, .filter = steps};
    /* SPEC_ALLOW: before Linux 5.16 a filter would otherwise turn off store bypass, which slows the engine. */
    long result = OWN_ARCH ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                     SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter)
                           : EOPNOTSUPP;
    return result < 0 ? errno : result > 0 ? EOPNOTSUPP : 0; /* above 0: a thread could not be locked */
}

swin2sr_status sandbox_close_calls(sandbox *self, int socket, swin2sr_error *reterr) {
    if (self->mode == SANDBOX_OFF)
        return SWIN2SR_OK;
    limit_resources(self);
    int error = enter_seccomp(self, socket);
    self->has_seccomp = !error;
    return error ? missing(self, "seccomp", error, reterr) : SWIN2SR_OK;
}

void sandbox_describe(const sandbox *self, char *ret_text, size_t size) {
    const char *seccomp = !self->has_seccomp ? "" : self->has_device_files ? "seccomp-device" : "seccomp";
    if (self->mode == SANDBOX_OFF)
        snprintf(ret_text, size, "off");
    else if (self->landlock_abi)
        snprintf(ret_text, size, "%s%slandlock-%d", seccomp, *seccomp ? " " : "", self->landlock_abi);
    else
        snprintf(ret_text, size, "%s", *seccomp ? seccomp : "none");
}
