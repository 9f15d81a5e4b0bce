/* SPDX-License-Identifier: MIT */
/* Restrict the system calls of the process: a seccomp filter, as a table of BPF instructions.
 *
 * Whatever a hostile checkpoint or image might make of this process, it gets no program started, no
 * connection made, no other process touched, no memory executed and, where the command does not need it, no file
 * created. Which files can be read is up to sandbox.c.
 *
 *   dies      calls that no honest run makes
 *   allowed   what the C library, the threads and the files need
 *   ENOSYS    all else: a newer C library that tries a newer call goes on with the older one */
#include "io/seccomp.h"

#include "io/sanitized.h"

#if (defined(__x86_64__) || defined(__aarch64__)) && !SANITIZED

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif
enum { X32_CALLS = 0x40000000 };

static const int deadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_open_by_handle_at,
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup, /* its queues pass this filter by */
#endif
#ifdef SYS_userfaultfd
    SYS_userfaultfd,
#endif
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};

static const int allowed[] = {
    /* files */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_dup,
    SYS_dup3,
    SYS_fsync,
    SYS_fadvise64,
    SYS_statfs,
    SYS_fstatfs,
#ifdef SYS_open
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_dup2,
    SYS_poll,
#endif
#ifdef SYS_statx
    SYS_statx,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
    SYS_ppoll,
    /* memory */
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mincore,
    SYS_mlock,
    SYS_munlock,
    /* threads, time, signals */
    SYS_futex,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_exit,
    SYS_exit_group,
    SYS_sched_yield,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_membarrier,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
#endif
    /* what there is */
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrandom,
    SYS_getcpu,
};

/* Where a command replaces files after it has read. */
static const int creating[] = {
    SYS_renameat,  SYS_unlinkat, SYS_linkat, SYS_fchmod, SYS_fchown,
#ifdef SYS_renameat2
    SYS_renameat2,
#endif
#ifdef SYS_rename
    SYS_rename,    SYS_unlink,
#endif
#ifdef COVERAGE
    SYS_ftruncate, /* gcov writes its counters when the process ends */
#endif
};

struct program {
    struct sock_filter code[512];
    unsigned short length;
};

static void add(struct program *program, unsigned short code, uint32_t k, uint8_t yes, uint8_t no)
{
    program->code[program->length++] = (struct sock_filter){code, yes, no, k};
}

static void add_return(struct program *program, uint32_t action)
{
    add(program, BPF_RET | BPF_K, action, 0, 0);
}

static void add_load(struct program *program, size_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Both machines are little-endian: the low half of an argument comes first. */
static size_t argument(int index)
{
    return offsetof(struct seccomp_data, args) + 8 * (size_t)index;
}

static void add_calls(struct program *program, const int *calls, size_t count, uint32_t action)
{
    for (size_t i = 0; i < count; i++) {
        add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
        add_return(program, action);
    }
}

/* A call of which an argument decides. */
struct check {
    int call;
    int argument;        /* its index */
    unsigned short test; /* BPF_JEQ or BPF_JSET, with `value` */
    uint32_t value;
    uint32_t if_true, if_false; /* what is returned */
};

static void add_check(struct program *program, const struct check *check)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)check->call, 0, 4);
    add_load(program, argument(check->argument));
    add(program, (unsigned short)(BPF_JMP | check->test | BPF_K), check->value, 0, 1);
    add_return(program, check->if_true);
    add_return(program, check->if_false);
}

/* Allows a call if an argument is one of these, and dies of any other. */
static void add_list(struct program *program, int call, int index, const uint32_t *values,
                     uint8_t count)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)(count + 3));
    add_load(program, argument(index));
    for (uint8_t i = 0; i < count; i++) {
        add(program, BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - i), 0);
    }
    add_return(program, SECCOMP_RET_KILL_PROCESS);
    add_return(program, SECCOMP_RET_ALLOW);
}

/* The commands of fcntl that touch nothing but this process's own descriptors: F_SETOWN, F_SETSIG and F_NOTIFY send
 * signals to any process of the user, and F_SETFL would let old text of a log be overwritten. */
static const uint32_t fcntl_commands[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
#ifdef COVERAGE
    F_SETLK, F_SETLKW,
#endif
};

static void add_checks(struct program *program, bool may_create)
{
    const uint32_t pid = (uint32_t)getpid(), dies = SECCOMP_RET_KILL_PROCESS;
    const uint32_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    const uint32_t good = SECCOMP_RET_ALLOW;
    const uint32_t if_writes = may_create ? good : SECCOMP_RET_ERRNO | EACCES;
    const struct check checks[] = {
        {SYS_openat, 2, BPF_JSET, writes, if_writes, good},
#ifdef SYS_open
        {SYS_open, 1, BPF_JSET, writes, if_writes, good},
#endif
        {SYS_mmap, 2, BPF_JSET, PROT_EXEC, dies, good},
        {SYS_mprotect, 2, BPF_JSET, PROT_EXEC, dies, good},
        {SYS_clone, 0, BPF_JSET, CLONE_THREAD, good, dies},
        {SYS_tgkill, 0, BPF_JEQ, pid, good, dies},
        {SYS_kill, 0, BPF_JEQ, pid, good, dies},
        /* 0 is this process, or this thread. */
        {SYS_prlimit64, 0, BPF_JEQ, 0, good, dies},
        {SYS_sched_getaffinity, 0, BPF_JEQ, 0, good, dies},
        {SYS_sched_setaffinity, 0, BPF_JEQ, 0, good, dies},
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        add_check(program, &checks[i]);
    }
    add_list(program, SYS_fcntl, 1, fcntl_commands,
             sizeof fcntl_commands / sizeof fcntl_commands[0]);
}

static void write_program(struct program *program, bool may_create)
{
    const uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;
    add_load(program, offsetof(struct seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    add_return(program, SECCOMP_RET_KILL_PROCESS);
    add_load(program, offsetof(struct seccomp_data, nr));
    add(program, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
    add_return(program, SECCOMP_RET_KILL_PROCESS);
    add_calls(program, allowed, sizeof allowed / sizeof allowed[0], SECCOMP_RET_ALLOW);
    add_calls(program, deadly, sizeof deadly / sizeof deadly[0], SECCOMP_RET_KILL_PROCESS);
    add_checks(program, may_create);
#ifdef SYS_clone3
    add_calls(program, (const int[]){SYS_clone3}, 1, absent); /* its flags cannot be seen here */
#endif
    /* Is it a terminal, and how wide? But nothing may be typed into it. */
    add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5);
    add_load(program, argument(1));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, TCGETS, 1, 0);
    add(program, BPF_JMP | BPF_JEQ | BPF_K, TIOCGWINSZ, 0, 1);
    add_return(program, SECCOMP_RET_ALLOW);
    add_return(program, SECCOMP_RET_ERRNO | ENOTTY);
    if (may_create) {
        add_calls(program, creating, sizeof creating / sizeof creating[0], SECCOMP_RET_ALLOW);
    }
    add_return(program, absent);
}

bool seccomp_enter(bool may_create)
{
    struct program program = {.length = 0};
    write_program(&program, may_create);
    const struct sock_fprog filter = {.len = program.length, .filter = program.code};
    /* SPEC_ALLOW: no foreign code runs here, against which kernels before 5.16 would slow down all of ours. */
    const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0;
}

#else

bool seccomp_enter(bool may_create)
{
    (void)may_create;
    return false;
}

#endif
