/* SPDX-License-Identifier: MIT */
/* Drop what the process does not need any more. */
#ifndef TOOLS_IO_SANDBOX_H
#define TOOLS_IO_SANDBOX_H

#include <stdbool.h>

/* From now on the process, all its threads, can start no program, make no connection and touch no other
 * process: an attempt kills it (SIGSYS). Files can be read; with may_write also written, renamed and
 * removed. Once it is false it stays false. Returns false where the system has no such thing (an
 * emulator, a kernel without seccomp, a build with a sanitizer); nothing has changed then. */
bool sandbox_enter(bool may_write);

/* Whether files are written once the outputs are complete: gcov writes its counters when the process ends. */
#ifdef COVERAGE
#define SANDBOX_WRITES_AT_EXIT true
#else
#define SANDBOX_WRITES_AT_EXIT false
#endif

#endif
