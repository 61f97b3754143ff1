/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/test_sandbox.c - what a locked process can and cannot do, each case in a process of its own.
 * A kernel without seccomp or landlock skips the tests that need it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "sandbox.h"

#define WORKED 0
#define NOT_LOCKED 200 /* exit code of a child that could not enter the sandbox */

typedef struct child {
    sandbox box;
    int socket, upload;
    pid_t parent;
} child;

/* Run a function in a new process.  returns its exit code, or the negated signal that ended it. */
static int end_of(int (*run)(child *self, const void *argument), const void *argument) {
    int pair[2], status;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child self = {.socket = pair[1], .upload = open("/etc/passwd", O_RDONLY), .parent = getpid()};
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(&self, argument));
    close(pair[0]);
    close(pair[1]);
    close(self.upload);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool lock(child *self) {
    return sandbox_close_paths(&self->box, NULL) == SWIN2SR_OK &&
           sandbox_close_calls(&self->box, self->socket, NULL) == SWIN2SR_OK;
}

static int enter_required(child *self, const void *argument) {
    self->box.mode = SANDBOX_REQUIRED;
    return lock(self) ? WORKED : NOT_LOCKED;
}

static void need_all(void) {
    if (end_of(enter_required, NULL) == NOT_LOCKED)
        skip();
}

static int try_locked(child *self, const void *argument) {
    const attempt *each = argument;
    return lock(self) ? each->run(self->upload, self->parent) : NOT_LOCKED;
}

/* With sanitizers the list is longer, and landlock refuses some of these. */
static void attempts_end_the_process(void **state) {
    need_all();
    for (size_t i = 0; i < attempts_count; i++) {
        int end = end_of(try_locked, &attempts[i]);
        bool is_upload = strcmp(attempts[i].name, "write to the upload") == 0;
        bool is_refused = is_upload ? end == EBADF : end == -SIGSYS || (SANDBOX_HAS_SANITIZER && end > 0);
        if (!is_refused)
            print_error("%s: %d\n", attempts[i].name, end);
        assert_true(is_refused);
    }
}

/* ---- the first step alone ---- */

static int try_without_paths(child *self, const void *argument) {
    const attempt *each = argument;
    if (sandbox_close_paths(&self->box, NULL) != SWIN2SR_OK || !self->box.landlock_abi)
        return NOT_LOCKED;
    return each->run(self->upload, self->parent);
}

static void landlock_alone_refuses_paths_and_signals(void **state) {
    static const struct {
        const char *name;
        int error;
    } expected[] = {{"open a file", EACCES}, {"create a file", EACCES}, {"open /proc/self/mem", EACCES},
                    {"connect", EACCES},     {"exec", EACCES},          {"kill the server", EPERM}};
    need_all();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        for (size_t k = 0; k < attempts_count; k++)
            if (strcmp(attempts[k].name, expected[i].name) == 0)
                assert_int_equal(end_of(try_without_paths, &attempts[k]), expected[i].error);
}

static int describe_first_step(child *self, const void *argument) {
    if (sandbox_close_paths(&self->box, NULL) != SWIN2SR_OK)
        return NOT_LOCKED;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE) == 0 ? WORKED : 1;
}

static void no_new_privileges_and_not_dumpable(void **state) {
    assert_int_equal(end_of(describe_first_step, NULL), WORKED);
}

/* ---- a worker on a GPU ---- */

static int try_before_the_driver(child *self, const void *argument) {
    const attempt *each = argument;
    return sandbox_close_writes(&self->box, NULL) == SWIN2SR_OK ? each->run(self->upload, self->parent) : NOT_LOCKED;
}

/* What a driver needs works: its library, the settings of the kernel, random numbers. */
static int read_as_a_driver(child *self, const void *argument) {
    if (sandbox_close_writes(&self->box, NULL) != SWIN2SR_OK)
        return NOT_LOCKED;
    return open("/usr/bin/env", O_RDONLY) >= 0 && open("/proc/self/maps", O_RDONLY) >= 0 &&
                   open("/dev/null", O_RDWR) >= 0 && open("/etc/passwd", O_RDONLY) < 0
               ? WORKED
               : 1;
}

static void a_driver_finds_only_what_it_needs(void **state) {
    static const char *const refused[] = {"open a file", "create a file", "connect", "exec"};
    need_all();
    assert_int_equal(end_of(read_as_a_driver, NULL), WORKED);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        for (size_t k = 0; k < attempts_count; k++)
            if (strcmp(attempts[k].name, refused[i]) == 0)
                assert_int_equal(end_of(try_before_the_driver, &attempts[k]), EACCES);
}

static int lock_with_device(child *self, const char *path, char *ret_text) {
    int fd = path ? open(path, O_RDWR | O_NOCTTY) : -1;
    if ((path && fd < 0) || sandbox_close_writes(&self->box, NULL) != SWIN2SR_OK || !lock(self))
        _exit(NOT_LOCKED);
    sandbox_describe(&self->box, ret_text, SANDBOX_TEXT_BYTES);
    return fd;
}

/* A device file that is no GPU stands for one. */
static int use_device_file(child *self, const void *argument) {
    char text[SANDBOX_TEXT_BYTES];
    int fd = lock_with_device(self, "/dev/ptmx", text);
    bool is_named = strncmp(text, "seccomp-device landlock-", 24) == 0;
    bool is_usable = ioctl(fd, FIONREAD, &(int){0}) == 0 && fcntl(fd, F_GETFD) >= 0;
    bool is_limited = open("/etc/passwd", O_RDONLY) < 0 && open("/proc/self/mem", O_RDWR) < 0;
    return is_named && is_usable && is_limited ? WORKED : 1;
}

static int attempt_with_device_file(child *self, const void *argument) {
    char text[SANDBOX_TEXT_BYTES];
    lock_with_device(self, "/dev/ptmx", text);
    return fork() == 0 ? WORKED : 2;
}

/* A driver that computes on the processor gets the list of the CPU. */
static int call_without_device_file(child *self, const void *argument) {
    char text[SANDBOX_TEXT_BYTES];
    lock_with_device(self, NULL, text);
    return strncmp(text, "seccomp landlock-", 17) == 0 ? ioctl(self->socket, FIONREAD, &(int){0}) : 1;
}

static void files_of_a_gpu_make_the_list_longer(void **state) {
    need_all();
    if (SANDBOX_HAS_SANITIZER || access("/dev/ptmx", R_OK | W_OK) != 0)
        skip();
    assert_int_equal(end_of(use_device_file, NULL), WORKED);
    assert_int_equal(end_of(attempt_with_device_file, NULL), -SIGSYS);
    assert_int_equal(end_of(call_without_device_file, NULL), -SIGSYS);
}

/* ---- threads ---- */

static atomic_bool is_locked;

static void *open_when_locked(void *argument) {
    while (!atomic_load(&is_locked))
        sched_yield();
    const attempt *each = argument;
    _exit(each->run(-1, 0));
}

static int lock_between_threads(child *self, const void *argument) {
    pthread_t thread;
    if (sandbox_close_paths(&self->box, NULL) != SWIN2SR_OK ||
        pthread_create(&thread, NULL, open_when_locked, (void *)argument) != 0 ||
        sandbox_close_calls(&self->box, self->socket, NULL) != SWIN2SR_OK)
        return NOT_LOCKED;
    atomic_store(&is_locked, true);
    pthread_join(thread, NULL);
    return WORKED;
}

static void threads_are_locked_too(void **state) {
    need_all();
    int end = end_of(lock_between_threads, &attempts[0]);
    assert_true(end == -SIGSYS || (SANDBOX_HAS_SANITIZER && end == EACCES));
}

static void *nothing(void *argument) {
    return NULL;
}

static int start_thread(child *self, const void *argument) {
    pthread_t thread;
    return lock(self) ? pthread_create(&thread, NULL, nothing, NULL) : NOT_LOCKED;
}

static void no_thread_can_be_started(void **state) {
    need_all();
    if (SANDBOX_HAS_SANITIZER)
        skip();
    assert_int_equal(end_of(start_thread, NULL), -SIGSYS);
}

/* ---- what works ---- */

static int use_memory(child *self, const void *argument) {
    if (!lock(self))
        return NOT_LOCKED;
    for (size_t size = 1; size < (size_t)64 << 20; size *= 3) {
        char *block = malloc(size), *larger = block ? realloc(block, 2 * size) : NULL;
        if (!larger)
            return 1;
        memset(larger, 1, 2 * size);
        free(larger);
    }
    void *upload = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, self->upload, 0);
    return upload != MAP_FAILED && munmap(upload, 1) == 0 && close(self->upload) == 0 ? WORKED : 2;
}

/* malloc then tries all that it can: brk, mmap, another arena. */
static int run_out_of_memory(child *self, const void *argument) {
    const rlim_t most = (rlim_t)256 << 20;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){most, most}) != 0 || !lock(self))
        return NOT_LOCKED;
    for (size_t size = (size_t)64 << 20; size > 16; size /= 2)
        while (malloc(size))
            ;
    return WORKED;
}

static int abort_locked(child *self, const void *argument) {
    if (lock(self))
        abort();
    return NOT_LOCKED;
}

static void memory_can_be_used_up(void **state) {
    assert_int_equal(end_of(use_memory, NULL), WORKED);
    if (!SANDBOX_HAS_SANITIZER)
        assert_int_equal(end_of(run_out_of_memory, NULL), WORKED);
}

static void broken_process_can_abort(void **state) {
    assert_int_equal(end_of(abort_locked, NULL), -SIGABRT);
}

/* ---- limits ---- */

/* Send a byte to the server and wait for its end, as a worker does. */
static int wait_locked(child *self, const void *argument) {
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (!lock(self))
        return NOT_LOCKED;
    sendmsg(self->socket, &message, MSG_NOSIGNAL);
    recvmsg(self->socket, &message, 0);
    return WORKED;
}

static void resources_are_limited(void **state) {
    int pair[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        _exit(wait_locked(&(child){.socket = pair[1]}, NULL));
    }
    close(pair[1]);
    assert_int_equal(recv(pair[0], &byte, 1, 0), 1);
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_FSIZE, (rlim_t)4 << 30}, {RLIMIT_NPROC, 0}};
    for (size_t i = 0; i < 4 - SANDBOX_HAS_SANITIZER; i++) {
        struct rlimit now;
        assert_int_equal(prlimit(pid, limits[i].resource, NULL, &now), 0);
        assert_true(now.rlim_cur <= limits[i].most && now.rlim_max <= limits[i].most);
    }
    close(pair[0]);
    waitpid(pid, NULL, 0);
}

/* ---- modes ---- */

/* Let a system call fail, as on a kernel without it. */
static void take_away(int call) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

typedef struct lack {
    int call; /* that is missing */
    sandbox_mode mode;
    const char *description; /* NULL: the sandbox cannot be entered */
    const char *fault;
} lack;

static int enter_without(child *self, const void *argument) {
    const lack *what = argument;
    char text[SANDBOX_TEXT_BYTES];
    swin2sr_error error = {""};
    take_away(what->call);
    self->box.mode = what->mode;
    swin2sr_status status = sandbox_close_paths(&self->box, &error);
    if (status == SWIN2SR_OK)
        status = sandbox_close_calls(&self->box, self->socket, &error);
    if (!what->description)
        return status == SWIN2SR_INVALID && strstr(error.text, what->fault) ? WORKED : 1;
    sandbox_describe(&self->box, text, sizeof text);
    size_t length = strlen(what->description);
    return status == SWIN2SR_OK && strncmp(text, what->description, length) == 0 &&
                   (text[length] == '\0' || what->description[length - 1] == '-')
               ? WORKED
               : 2;
}

static void kernels_that_lack_a_part(void **state) {
    static const lack cases[] = {
        {SYS_landlock_create_ruleset, SANDBOX_AUTO, "seccomp", NULL},
        {SYS_landlock_create_ruleset, SANDBOX_REQUIRED, NULL, "does not allow landlock: Function not implemented"},
        {SYS_seccomp, SANDBOX_AUTO, "landlock-", NULL},
        {SYS_seccomp, SANDBOX_REQUIRED, NULL, "does not allow seccomp: Function not implemented"},
        {SYS_reboot, SANDBOX_REQUIRED, "seccomp landlock-", NULL},
        {SYS_reboot, SANDBOX_OFF, "off", NULL},
    };
    need_all();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(end_of(enter_without, &cases[i]), WORKED);
}

static void modes_have_names(void **state) {
    sandbox_mode mode = SANDBOX_AUTO;
    assert_true(sandbox_mode_find("off", &mode));
    assert_int_equal(mode, SANDBOX_OFF);
    assert_true(sandbox_mode_find("required", &mode));
    assert_int_equal(mode, SANDBOX_REQUIRED);
    assert_false(sandbox_mode_find("on", &mode));
    assert_int_equal(mode, SANDBOX_REQUIRED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_end_the_process),
        cmocka_unit_test(landlock_alone_refuses_paths_and_signals),
        cmocka_unit_test(no_new_privileges_and_not_dumpable),
        cmocka_unit_test(a_driver_finds_only_what_it_needs),
        cmocka_unit_test(files_of_a_gpu_make_the_list_longer),
        cmocka_unit_test(threads_are_locked_too),
        cmocka_unit_test(no_thread_can_be_started),
        cmocka_unit_test(memory_can_be_used_up),
        cmocka_unit_test(broken_process_can_abort),
        cmocka_unit_test(resources_are_limited),
        cmocka_unit_test(kernels_that_lack_a_part),
        cmocka_unit_test(modes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
