/* SPDX-License-Identifier: MIT */
/* tools/sandbox: what is forbidden dies or is refused, what is needed works. Each in a process of its own. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/sandbox.h"

enum { NO_SANDBOX = 99, NO_LANDLOCK_CALL = 444 };

/* What may be read, what may not, and a log that is open for appending. */
static char folder[UNIT_FOLDER_BYTES];
static char allowed[UNIT_PATH_BYTES], inside[UNIT_PATH_BYTES], secret[UNIT_PATH_BYTES];
static int log_fd;

static void put(const char *path)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("text", file);
    fclose(file);
}

static void setup(void)
{
    char name[UNIT_PATH_BYTES];
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-sandbox")));
    snprintf(allowed, sizeof allowed, "%s/allowed", folder);
    snprintf(secret, sizeof secret, "%s/secret", folder);
    snprintf(name, sizeof name, "%s/folder", folder);
    snprintf(inside, sizeof inside, "%s/folder/inside", folder);
    ck_assert_int_eq(mkdir(name, 0700), 0);
    put(allowed);
    put(inside);
    put(secret);
    log_fd = open(secret, O_WRONLY | O_APPEND);
    ck_assert_int_ge(log_fd, 0);
}

static void teardown(void)
{
    char command[UNIT_PATH_BYTES];
    close(log_fd);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Makes this kernel one without Landlock. */
static void hide_landlock(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NO_LANDLOCK_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
        _exit(NO_SANDBOX);
    }
}

enum {
    REPLACES = 1,         /* the folder's files may be replaced */
    WITHOUT_LANDLOCK = 2, /* as on an older kernel */
};

static void enter_or_exit(int how, unsigned needed)
{
    struct sandbox sandbox;
    char name[UNIT_PATH_BYTES];
    if ((how & WITHOUT_LANDLOCK) != 0) {
        hide_landlock();
    }
    sandbox_begin(&sandbox);
    snprintf(name, sizeof name, "%s/folder", folder);
    sandbox_allow(&sandbox, allowed, SANDBOX_READ);
    sandbox_allow(&sandbox, name, (how & REPLACES) != 0 ? SANDBOX_REPLACE : SANDBOX_READ);
    sandbox_allow(&sandbox, "/no/such", SANDBOX_READ);
    const unsigned parts = sandbox_enter(&sandbox);
    if ((how & WITHOUT_LANDLOCK) != 0 && (parts & SANDBOX_PATHS) != 0) {
        _exit(98);
    }
    if ((parts & needed) != needed) {
        _exit(NO_SANDBOX);
    }
}

/* Runs fn in a child with the sandbox; returns the status of waitpid, or -1 where those parts of it are lacking. */
static int run(int (*fn)(void), int how, unsigned needed)
{
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        enter_or_exit(how, needed);
        _exit(fn());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX ? -1 : status;
}

/* --- what dies -------------------------------------------------------------------------------- */

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
    return fork() > 0;
}
static int do_kill(void)
{
    return kill(getppid(), 0) == 0;
}
static int do_ptrace(void)
{
    return syscall(SYS_ptrace, 0, 0, 0, 0) == 0;
}
/* These send any signal to any process of the user. */
static int do_own(void)
{
    return fcntl(log_fd, F_SETOWN, getppid());
}
static int do_own_more(void)
{
    const struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = getppid()};
    return fcntl(log_fd, F_SETOWN_EX, &owner);
}
static int do_signal(void)
{
    return fcntl(log_fd, F_SETSIG, SIGKILL);
}
static int do_notify(void)
{
    return fcntl(log_fd, F_NOTIFY, DN_ACCESS | DN_MULTISHOT);
}
static int do_lease(void)
{
    return fcntl(log_fd, F_SETLEASE, F_UNLCK);
}
/* After which the log's old text can be overwritten. */
static int do_overwrite(void)
{
    return fcntl(log_fd, F_SETFL, 0);
}
static int do_asynchronous(void)
{
    return fcntl(log_fd, F_SETFL, O_APPEND | O_ASYNC);
}
static int do_limit(void)
{
    const struct rlimit none = {0, 0};
    return prlimit(getppid(), RLIMIT_CORE, &none, NULL);
}
static int do_place(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return sched_setaffinity(getppid(), sizeof set, &set);
}
static int do_look_at_place(void)
{
    cpu_set_t set;
    return sched_getaffinity(getppid(), sizeof set, &set);
}
static int do_map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED;
}
static int do_map_code_of_file(void)
{
    const int fd = open(allowed, O_RDONLY);
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED;
}
static int do_make_code(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(map, 4096, PROT_READ | PROT_EXEC);
}

START_TEST(kills_what_tries_to_get_out)
{
    static int (*const attempts[])(void) = {
        do_socket,   do_exec,   do_fork,          do_kill,     do_ptrace,           do_own,
        do_own_more, do_signal, do_notify,        do_lease,    do_overwrite,        do_asynchronous,
        do_limit,    do_place,  do_look_at_place, do_map_code, do_map_code_of_file, do_make_code};
    setup();
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        for (int how = 0; how <= (REPLACES | WITHOUT_LANDLOCK); how++) {
            const int status = run(attempts[i], how, SANDBOX_CALLS);
            ck_assert_msg(status == -1 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS),
                          "attempt %zu, %d: status %x", i, how, (unsigned)status);
        }
    }
    teardown();
}
END_TEST

/* --- what is refused -------------------------------------------------------------------------- */

static int failed(long result)
{
    return result >= 0 ? 1 : 0;
}
static int do_create(void)
{
    return failed(open(secret, O_WRONLY | O_CREAT, 0600));
}
static int do_open_to_write(void)
{
    return failed(open(inside, O_RDWR));
}
static int do_open_nameless(void)
{
    return failed(open(folder, O_TMPFILE | O_RDWR, 0600));
}
static int do_open_in_another_way(void)
{
    const uint64_t how[3] = {O_WRONLY, 0, 0};
    return failed(syscall(437, AT_FDCWD, inside, how, sizeof how)); /* openat2 */
}
static int do_truncate(void)
{
    return failed(truncate(inside, 0));
}
/* O_APPEND does not keep the text of a log from that. */
static int do_truncate_log(void)
{
    return failed(ftruncate(log_fd, 0));
}
static int do_remove(void)
{
    return failed(unlink(secret));
}
static int do_rename(void)
{
    return failed(rename(secret, allowed));
}
static int do_link(void)
{
    return failed(link(allowed, secret));
}
static int do_symlink(void)
{
    return failed(symlink("/", secret));
}
static int do_make_folder(void)
{
    return failed(mkdir(secret, 0700));
}
static int do_chmod(void)
{
    return failed(chmod(secret, 0777));
}
static int do_utime(void)
{
    return failed(utimensat(AT_FDCWD, secret, NULL, 0));
}
static int do_attribute(void)
{
    return failed(syscall(SYS_setxattr, secret, "user.a", "b", 1, 0));
}
static int do_thread_signal(void)
{
    return failed(syscall(SYS_tkill, getppid(), 0));
}
static int do_queue_signal(void)
{
    siginfo_t info = {.si_code = SI_QUEUE};
    return failed(syscall(SYS_rt_sigqueueinfo, getppid(), SIGCHLD, &info));
}
static int do_hold_process(void)
{
    return failed(syscall(434, getppid(), 0)); /* pidfd_open */
}
static int do_memory_file(void)
{
    return failed(syscall(SYS_memfd_create, "x", 0));
}
static int do_shared_memory(void)
{
    return failed(shmget(IPC_PRIVATE, 4096, 0600));
}
/* Typing into the caller's terminal is how a process without rights gets them back. */
static int do_type(void)
{
    return failed(syscall(SYS_ioctl, 0, TIOCSTI, "x"));
}
static int do_type_with_high_bits(void)
{
    return failed(syscall(SYS_ioctl, 0, TIOCSTI | 1UL << (sizeof(long) * 8 - 1), "x"));
}
static int do_write_own_memory(void)
{
    return failed(open("/proc/self/mem", O_RDWR));
}

START_TEST(refuses_to_write)
{
    static int (*const attempts[])(void) = {do_create,
                                            do_open_to_write,
                                            do_open_nameless,
                                            do_open_in_another_way,
                                            do_truncate,
                                            do_truncate_log,
                                            do_remove,
                                            do_rename,
                                            do_link,
                                            do_symlink,
                                            do_make_folder,
                                            do_chmod,
                                            do_utime,
                                            do_attribute,
                                            do_thread_signal,
                                            do_queue_signal,
                                            do_hold_process,
                                            do_memory_file,
                                            do_shared_memory,
                                            do_type,
                                            do_type_with_high_bits,
                                            do_write_own_memory};
    char name[UNIT_PATH_BYTES];
    struct stat info;
    setup();
    snprintf(name, sizeof name, "%s", secret);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        for (int how = 0; how <= WITHOUT_LANDLOCK; how += WITHOUT_LANDLOCK) {
            const int status = run(attempts[i], how, SANDBOX_CALLS);
            ck_assert_msg(status == -1 || status == 0, "attempt %zu, %d: status %x", i, how,
                          (unsigned)status);
            ck_assert_int_eq(stat(name, &info), 0);
            ck_assert_int_eq(info.st_size, 4);
        }
    }
    teardown();
}
END_TEST

/* --- paths ------------------------------------------------------------------------------------ */

static int can_read(const char *path)
{
    char byte;
    const int fd = open(path, O_RDONLY);
    return fd >= 0 && read(fd, &byte, 1) == 1;
}

static int do_read_all(void)
{
    char name[64];
    if (!can_read(allowed) || !can_read(inside) || !can_read("/proc/self/status") ||
        !can_read("/proc/cpuinfo")) {
        return 1;
    }
    if (can_read(secret) || errno != EACCES || can_read("/etc/passwd")) {
        return 2;
    }
    /* The memory, variables and maps of another process. */
    static const char *const parts[] = {"mem", "environ", "maps", "root/etc/passwd", "status"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(name, sizeof name, "/proc/%d/%s", getppid(), parts[i]);
        if (open(name, O_RDONLY) >= 0) {
            return 3;
        }
    }
    return open("/proc/self/root/etc/passwd", O_RDONLY) >= 0 ? 4 : 0;
}

START_TEST(reads_what_is_allowed)
{
    setup();
    const int status = run(do_read_all, 0, SANDBOX_PATHS);
    ck_assert_msg(status == -1 || status == 0, "status %x", (unsigned)status);
    teardown();
}
END_TEST

static int do_replace(void)
{
    char name[UNIT_PATH_BYTES], other[UNIT_PATH_BYTES];
    snprintf(name, sizeof name, "%s/folder/new", folder);
    snprintf(other, sizeof other, "%s/new", folder);
    const int fd = open(name, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || rename(name, inside) != 0 || unlink(inside) != 0) {
        return 1;
    }
    if (open(other, O_WRONLY | O_CREAT, 0600) >= 0 || rename(secret, other) == 0 ||
        unlink(allowed) == 0 || open(allowed, O_WRONLY) >= 0 || link(allowed, other) == 0) {
        return 2;
    }
    return 0;
}

START_TEST(replaces_where_it_may)
{
    setup();
    const int status = run(do_replace, REPLACES, SANDBOX_PATHS | SANDBOX_CALLS);
    ck_assert_msg(status == -1 || status == 0, "status %x", (unsigned)status);
    teardown();
}
END_TEST

/* --- what works ------------------------------------------------------------------------------- */

static void *add_one(void *number)
{
    ++*(int *)number;
    return NULL;
}

/* What a run needs: threads, memory, files to read, files that are open already. */
static int do_work(void)
{
    int number = 0;
    pthread_t thread;
    cpu_set_t set;
    struct rlimit limit;
    if (pthread_create(&thread, NULL, add_one, &number) != 0 || pthread_join(thread, NULL) != 0 ||
        number != 1) {
        return 1;
    }
    if (!can_read("/proc/self/status") || sched_getaffinity(0, sizeof set, &set) != 0 ||
        getrlimit(RLIMIT_STACK, &limit) != 0) {
        return 2;
    }
    char *block = malloc(64 << 20);
    void *map = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == NULL || map == MAP_FAILED) {
        return 3;
    }
    memset(block, 1, 64 << 20);
    free(block);
    FILE *file = fdopen(log_fd, "w");
    if (file == NULL || fputs("result\n", file) < 0 || fflush(file) != 0) {
        return 4;
    }
    return isatty(log_fd) ? 5 : 0;
}

static int do_work_aborted(void)
{
    abort();
}

START_TEST(lets_it_work)
{
    for (int how = 0; how <= WITHOUT_LANDLOCK; how += WITHOUT_LANDLOCK) {
        setup();
        int status = run(do_work, how, SANDBOX_CALLS);
        ck_assert_msg(status == -1 || status == 0, "status %x", (unsigned)status);
        ck_assert_int_eq(lseek(log_fd, 0, SEEK_END), status == -1 ? 4 : 11);
        status = run(do_work_aborted, how, SANDBOX_CALLS);
        ck_assert(status == -1 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
        teardown();
    }
}
END_TEST

UNIT_MAIN("sandbox", kills_what_tries_to_get_out, refuses_to_write, reads_what_is_allowed,
          replaces_where_it_may, lets_it_work)
