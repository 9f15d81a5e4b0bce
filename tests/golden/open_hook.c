/* SPDX-License-Identifier: MIT */
/* Preloaded into the command: prints how far the process is restricted whenever it opens an input for reading, and makes
 * the kernel one without a part of the sandbox.
 *
 *     HOOK_FOLDER  the inputs are below it; each open prints "HOOK PATH FILTERS PATHS": the number of seccomp filters,
 *                  and whether paths are restricted
 *     HOOK_HIDE    landlock, seccomp or both: these system calls do not exist */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET = 444 };

static int count_filters(void)
{
    char text[4096];
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY);
    const ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *found = strstr(text, "Seccomp_filters:");
    return found != NULL ? atoi(found + strlen("Seccomp_filters:")) : -1;
}

static void look(const char *path, int flags)
{
    const char *folder = getenv("HOOK_FOLDER");
    const int saved = errno;
    if (folder != NULL && (flags & (O_ACCMODE | O_PATH | O_DIRECTORY)) == O_RDONLY &&
        strncmp(path, folder, strlen(folder)) == 0) {
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
        dprintf(STDERR_FILENO, "HOOK %s %d %d\n", path, count_filters(), fd < 0);
        if (fd >= 0) {
            close(fd);
        }
    }
    errno = saved;
}

/* The command is compiled with offsets of 64 bits, as this is: this may be open64. */
__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    look(path, flags);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void hide(uint32_t call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
        _exit(77);
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *hidden = getenv("HOOK_HIDE");
    if (hidden != NULL && strstr(hidden, "landlock") != NULL) {
        hide(CREATE_RULESET);
    }
    if (hidden != NULL && strstr(hidden, "seccomp") != NULL) {
        hide(SYS_seccomp);
    }
}
