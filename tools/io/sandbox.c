/* SPDX-License-Identifier: MIT */
/* The sandbox: rules of Landlock say which paths are read and written, seccomp.c which system calls there are.
 *
 * Landlock is the kernel's from 5.13 on, if it is switched on. Each version handles more rights; those that a kernel
 * does not know are left out. Its header is not used: older ones lack what newer kernels have. */
#include "io/sandbox.h"

#include "io/sanitized.h"
#include "io/seccomp.h"

bool sandbox_is_built(void)
{
    return !SANITIZED;
}

#if !SANITIZED

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset /* the same numbers on every architecture but Alpha */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { GET_VERSION = 1, RULE_PATH_BENEATH = 1 };

/* Rights of files and folders, as the kernel numbers them. */
enum {
    CAN_WRITE = 1 << 1,
    CAN_READ = 1 << 2,
    CAN_LIST = 1 << 3,
    CAN_REMOVE_FILE = 1 << 5,
    CAN_MAKE_FILE = 1 << 8,
    CAN_TRUNCATE = 1 << 14,
};

struct ruleset {
    uint64_t files, network, scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t folder;
};

/* The rights that a version knows, all of which are refused where no rule allows them. */
static struct ruleset choose_handled(long version)
{
    struct ruleset handled = {.files = (1 << 13) - 1}; /* from execute to make a link */
    handled.files |= version >= 2 ? 1 << 13 : 0;       /* move to another folder */
    handled.files |= version >= 3 ? CAN_TRUNCATE : 0;
    handled.files |= version >= 5 ? 1 << 15 : 0; /* control devices */
    handled.network = version >= 4 ? 3 : 0;      /* bind and connect TCP */
    handled.scoped = version >= 6 ? 3 : 0; /* abstract sockets of others, and signals to others */
    return handled;
}

/* What is refused to all, so that a rule does not allow what the kernel does not know. */
static uint64_t handled_files;

void sandbox_allow(struct sandbox *sandbox, const char *path, enum sandbox_right right)
{
    static const uint64_t rights[] = {
        [SANDBOX_READ] = CAN_READ | CAN_LIST,
        [SANDBOX_WRITE] = CAN_WRITE | CAN_TRUNCATE,
        [SANDBOX_REPLACE] =
            CAN_READ | CAN_LIST | CAN_WRITE | CAN_TRUNCATE | CAN_MAKE_FILE | CAN_REMOVE_FILE,
    };
    struct stat info;
    sandbox->may_create = sandbox->may_create || right != SANDBOX_READ;
    const int fd = sandbox->rules >= 0 ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &info) == 0) {
        const uint64_t of_files = CAN_WRITE | CAN_READ | CAN_TRUNCATE;
        const struct path_rule rule = {
            .allowed =
                rights[right] & handled_files & (S_ISDIR(info.st_mode) ? UINT64_MAX : of_files),
            .folder = fd,
        };
        /* Fails for pipes without a name, to which no rule applies. */
        (void)syscall(SYS_landlock_add_rule, sandbox->rules, RULE_PATH_BENEATH, &rule, 0);
    }
    close(fd);
}

void sandbox_begin(struct sandbox *sandbox)
{
    static const char *const system_paths[] = {
        "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/dev/null"};
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);
    const struct ruleset handled = choose_handled(version);
    handled_files = handled.files;
    *sandbox = (struct sandbox){.rules = -1, .self = -1};
    if (version >= 1) {
        sandbox->rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    }
    /* Landlock's rules are about files as long as the kernel remembers them: it does while this is open. */
    sandbox->self = open("/proc/self", O_PATH | O_CLOEXEC);
    sandbox_allow(sandbox, "/proc/self", SANDBOX_READ);
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++) {
        sandbox_allow(sandbox, system_paths[i], SANDBOX_READ);
    }
#ifdef COVERAGE
    sandbox_allow(sandbox, "/",
                  SANDBOX_REPLACE); /* gcov writes its counters when the process ends */
#endif
}

unsigned sandbox_enter(struct sandbox *sandbox)
{
    unsigned parts = 0;
    if (sandbox->rules >= 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
            syscall(SYS_landlock_restrict_self, sandbox->rules, 0) == 0) {
            parts |= SANDBOX_PATHS;
        }
        close(sandbox->rules);
        sandbox->rules = -1;
    }
    return parts | (seccomp_enter(sandbox->may_create) ? SANDBOX_CALLS : 0);
}

#else

void sandbox_begin(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){.rules = -1, .self = -1};
}

void sandbox_allow(struct sandbox *sandbox, const char *path, enum sandbox_right right)
{
    (void)sandbox;
    (void)path;
    (void)right;
}

unsigned sandbox_enter(struct sandbox *sandbox)
{
    (void)sandbox;
    return 0;
}

#endif
