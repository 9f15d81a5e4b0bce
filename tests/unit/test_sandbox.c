/* SPDX-License-Identifier: MIT */
/* tools/sandbox: what is forbidden dies or is refused, what is needed works. Each in a process of its own. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sandbox.h"

enum { NO_SANDBOX = 99 };

/* Runs fn in a child with the sandbox; returns the status of waitpid, or -1 where there is none. */
static int run(int (*fn)(void), bool may_write)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (!sandbox_enter(true) || (!may_write && !sandbox_enter(false))) {
            _exit(NO_SANDBOX);
        }
        _exit(fn());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX ? -1 : status;
}

static int do_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static int do_exec(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 0;
}
static int do_fork(void)
{
    pid_t child = fork();
    return child > 0;
}
static int do_kill(void)
{
    return kill(getppid(), 0) == 0;
}
static int do_ptrace(void)
{
    return syscall(SYS_ptrace, 0, 0, 0, 0) == 0;
}

START_TEST(kills_what_tries_to_get_out)
{
    static int (*const attempts[])(void) = {do_socket, do_exec, do_fork, do_kill, do_ptrace};
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        for (int may_write = 0; may_write < 2; may_write++) {
            const int status = run(attempts[i], may_write);
            ck_assert_msg(status == -1 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS),
                          "attempt %zu: status %x", i, (unsigned)status);
        }
    }
}
END_TEST

static char path[UNIT_FOLDER_BYTES];

static int do_write(void)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) {
        return errno == EACCES ? 1 : 2;
    }
    return write(fd, "x", 1) == 1 && rename(path, path) == 0 ? 0 : 3;
}

static int do_remove(void)
{
    return unlink(path) == 0 ? 0 : 1;
}

START_TEST(writes_only_while_it_may)
{
    ck_assert_int_eq(close(mkstemp(unit_temporary(path, "vgg-sandbox"))), 0);
    unlink(path);
    int status = run(do_write, false);
    if (status != -1) {
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 1);
        ck_assert_int_ne(access(path, F_OK), 0);
        ck_assert_int_eq(WEXITSTATUS(run(do_write, true)), 0);
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_int_eq(WEXITSTATUS(run(do_remove, false)), 1);
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_int_eq(WEXITSTATUS(run(do_remove, true)), 0);
        ck_assert_int_ne(access(path, F_OK), 0);
    }
}
END_TEST

static void *add_one(void *number)
{
    ++*(int *)number;
    return NULL;
}

static int out_fd;

/* What a run needs: threads, memory, files to read, files that are open already. */
static int do_work(void)
{
    int number = 0;
    pthread_t thread;
    char byte;
    if (pthread_create(&thread, NULL, add_one, &number) != 0 || pthread_join(thread, NULL) != 0 ||
        number != 1) {
        return 1;
    }
    int fd = open("/proc/self/status", O_RDONLY);
    if (fd < 0 || read(fd, &byte, 1) != 1) {
        return 2;
    }
    char *block = malloc(64 << 20);
    void *map = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == NULL || map == MAP_FAILED) {
        return 3;
    }
    memset(block, 1, 64 << 20);
    free(block);
    FILE *file = fdopen(out_fd, "w");
    if (file == NULL || fputs("result\n", file) < 0 || fflush(file) != 0) {
        return 4;
    }
    return isatty(out_fd) ? 5 : 0;
}

static int do_work_aborted(void)
{
    abort();
}

START_TEST(lets_it_work)
{
    char name[UNIT_FOLDER_BYTES];
    out_fd = mkstemp(unit_temporary(name, "vgg-sandbox"));
    ck_assert_int_ge(out_fd, 0);
    int status = run(do_work, false);
    ck_assert_msg(status == -1 || status == 0, "status %x", (unsigned)status);
    ck_assert_int_eq(lseek(out_fd, 0, SEEK_END), status == -1 ? 0 : 7);
    status = run(do_work_aborted, false);
    ck_assert(status == -1 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    unlink(name);
}
END_TEST

/* Typing into the caller's terminal is how a process without rights gets them back. */
static int do_type(void)
{
    return ioctl(0, TIOCSTI, "x") == 0 ? 1 : errno == ENOTTY ? 0 : 2;
}

START_TEST(cannot_type)
{
    const int status = run(do_type, true);
    ck_assert(status == -1 || status == 0);
}
END_TEST

/* Threads that were there before are in the sandbox too. */
static int pipe_ends[2];

static void *try_later(void *unused)
{
    char byte;
    (void)unused;
    if (read(pipe_ends[0], &byte, 1) == 1) {
        (void)socket(AF_INET, SOCK_STREAM, 0);
    }
    return NULL;
}

START_TEST(holds_older_threads)
{
    int status;
    ck_assert_int_eq(pipe(pipe_ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, try_later, NULL) != 0) {
            _exit(1);
        }
        if (!sandbox_enter(false)) {
            _exit(NO_SANDBOX);
        }
        _exit(write(pipe_ends[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0 ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != NO_SANDBOX) {
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    }
}
END_TEST

UNIT_MAIN("sandbox", kills_what_tries_to_get_out, writes_only_while_it_may, lets_it_work,
          cannot_type, holds_older_threads)
