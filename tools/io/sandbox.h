/* SPDX-License-Identifier: MIT */
/* Give up what the process does not need any more, before it reads a byte that it cannot trust. */
#ifndef TOOLS_IO_SANDBOX_H
#define TOOLS_IO_SANDBOX_H

#include <stdbool.h>

/* What can be done at a path. Whatever is not allowed anywhere is refused, with EACCES. */
enum sandbox_right {
    SANDBOX_READ,    /* a file, or a folder and all below it */
    SANDBOX_WRITE,   /* a file that is there */
    SANDBOX_REPLACE, /* a folder in which files are made, replaced and removed */
};

/* A sandbox that is being made. */
struct sandbox {
    int rules;       /* a descriptor of the kernel's; -1: it has no Landlock */
    int self;        /* holds the folder of this process in /proc */
    bool may_create; /* a path may be replaced */
};

/* The parts of a sandbox, as a set. */
enum {
    SANDBOX_CALLS =
        1, /* no program is started, no connection made, no other process touched (seccomp) */
    SANDBOX_PATHS = 2, /* only paths that are allowed are read or written (Landlock) */
};

/* Whether this build can have one: not with a sanitizer. */
bool sandbox_is_built(void);

/* Begins one that allows what the C library and the program read about the machine and this process. */
void sandbox_begin(struct sandbox *sandbox);
/* A path that does not exist is left out. */
void sandbox_allow(struct sandbox *sandbox, const char *path, enum sandbox_right right);
/* From now on the process can do nothing else, nor any thread that it starts. What makes no sense in an honest run kills
 * it (SIGSYS). To be called while there is one thread. Returns the parts that are in force: none or one of them
 * where the system lacks the others, as under an emulator. */
unsigned sandbox_enter(struct sandbox *sandbox);

#endif
