/* SPDX-License-Identifier: MIT */
/* Runs a program and prints its exit code, time and memory.
 *
 *     measure OUT ERR PROGRAM [ARGUMENT]...
 *
 * Its standard output goes to the file OUT, its standard error to ERR, its input is empty. Writes
 * "STATUS MILLISECONDS PEAK_KIB": the exit code or 128 and the signal, its CPU time in user and kernel mode
 * together, and the largest resident set. CPU time is that of all its threads, and unlike time on the clock
 * it does not grow when other programs need the processor. A large parent would add its own to the resident
 * set, as the kernel counts it up to exec; that is why this is no part of the script. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program that runs on is stopped by the first, one that waits for something by the second. */
enum { CPU_SECONDS_MAX = 60, SECONDS_MAX = 600 };

static double to_ms(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec * 1e-3;
}

static void redirect(const char *path, int flags, int fd)
{
    int opened = open(path, flags, 0600);
    if (opened < 0 || dup2(opened, fd) < 0) {
        perror(path);
        _exit(127);
    }
    close(opened);
}

static void run(char **argv)
{
    const struct rlimit limit = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(argv[1], O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(argv[2], O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    setrlimit(RLIMIT_CPU, &limit);
    alarm(SECONDS_MAX);
    execv(argv[3], argv + 3);
    perror(argv[3]);
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: measure OUT ERR PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        run(argv);
    }
    int status = 0;
    struct rusage usage = {0};
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 2;
    }
    printf("%d %.3f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           to_ms(usage.ru_utime) + to_ms(usage.ru_stime), usage.ru_maxrss);
    return 0;
}
