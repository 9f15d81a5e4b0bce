/* SPDX-License-Identifier: MIT */
/* Runs a command and kills it at one of its system calls.
 *
 *     kill_at N COMMAND [ARGUMENT]...
 *
 * Counts each entry to and each return from a system call, of all threads of the command. At the N-th the
 * command is killed, and the program writes "killed"; where it ends before, or N is 0, the program writes how
 * many there were. So a test kills a command at the same points on any machine, however busy it is. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSTEM_CALL = SIGTRAP | 0x80 }; /* what PTRACE_O_TRACESYSGOOD makes of such a stop */

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static pid_t start(char **command)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        fail(command[0]);
    }
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, options) != 0) {
        fail("ptrace");
    }
    return child;
}

/* The signal that a stopped thread is to be given when it goes on. Stops of ptrace's own, and the SIGSTOP that
 * a new thread begins with, are no signals of the command. */
static int signal_of(int status)
{
    const int signal = WSTOPSIG(status);
    return signal == SYSTEM_CALL || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

/* Waits for the command's threads until none is left. Returns whether it was killed; *count is the number of
 * stops at system calls. */
static bool trace(pid_t child, long n, long *count)
{
    int status;
    pid_t thread = child;
    *count = 0;
    if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0) {
        fail("ptrace");
    }
    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            continue;
        }
        if (WSTOPSIG(status) == SYSTEM_CALL && ++*count == n) {
            kill(child, SIGKILL);
            continue;
        }
        const long signal = signal_of(status);
        if (ptrace(PTRACE_SYSCALL, thread, NULL, signal) != 0 && errno != ESRCH) {
            fail("ptrace");
        }
    }
    return n > 0 && *count >= n;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: kill_at N COMMAND [ARGUMENT]...\n");
        return 2;
    }
    long count;
    if (trace(start(argv + 2), atol(argv[1]), &count)) {
        printf("killed\n");
    } else {
        printf("%ld\n", count);
    }
    return 0;
}
