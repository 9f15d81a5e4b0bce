/* SPDX-License-Identifier: MIT */
/* Restrict the system calls of the process. */
#ifndef TOOLS_IO_SECCOMP_H
#define TOOLS_IO_SECCOMP_H

#include <stdbool.h>

/* False where the kernel, the architecture or the build has no such filter.
 *   may_create  files may be created, renamed and removed, where paths are not restricted otherwise */
bool seccomp_enter(bool may_create);

#endif
