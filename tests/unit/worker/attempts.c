/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/worker/attempts.c - calls that a locked worker must not get through. */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int outcome(long result) {
    return result < 0 ? errno : 0;
}

static int open_file(int upload, pid_t parent) {
    return outcome(open("/etc/passwd", O_RDONLY));
}

static int create_file(int upload, pid_t parent) {
    return outcome(open("/tmp", O_TMPFILE | O_RDWR, 0600));
}

static int open_own_memory(int upload, pid_t parent) {
    return outcome(open("/proc/self/mem", O_RDWR));
}

static int connect_out(int upload, pid_t parent) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? errno : outcome(connect(fd, (struct sockaddr *)&to, sizeof to));
}

static int send_elsewhere(int upload, pid_t parent) {
    struct iovec part = {.iov_base = "x", .iov_len = 1};
    return outcome(sendmsg(STDERR_FILENO, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, MSG_NOSIGNAL));
}

static int fork_child(int upload, pid_t parent) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int execute(int upload, pid_t parent) {
    char *arguments[] = {"true", NULL};
    return outcome(execv("/bin/true", arguments));
}

static int trace_parent(int upload, pid_t parent) {
    return outcome(ptrace(PTRACE_SEIZE, parent, NULL, NULL));
}

static int kill_parent(int upload, pid_t parent) {
    return outcome(kill(parent, SIGURG)); /* which would do no harm */
}

static int signal_parent_thread(int upload, pid_t parent) {
    return outcome(syscall(SYS_tgkill, parent, parent, SIGURG));
}

static int set_up_io_uring(int upload, pid_t parent) {
    uint32_t parameters[30] = {0};
    return outcome(syscall(SYS_io_uring_setup, 1, parameters));
}

static int make_code(int upload, pid_t parent) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

static int turn_into_code(int upload, pid_t parent) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int write_to_upload(int upload, pid_t parent) {
    return outcome(pwrite(upload, "x", 1, 0));
}

const attempt attempts[] = {
    {"open a file", open_file},
    {"create a file", create_file},
    {"open /proc/self/mem", open_own_memory},
    {"connect", connect_out},
    {"send to another descriptor", send_elsewhere},
    {"fork", fork_child},
    {"exec", execute},
    {"ptrace the server", trace_parent},
    {"kill the server", kill_parent},
    {"signal a thread of the server", signal_parent_thread},
    {"io_uring_setup", set_up_io_uring},
    {"map code", make_code},
    {"turn memory into code", turn_into_code},
    {"write to the upload", write_to_upload},
};
const size_t attempts_count = sizeof attempts / sizeof attempts[0];
