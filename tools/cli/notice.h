/* SPDX-License-Identifier: MIT */
/* The licenses of this program and of what it is linked with. */
#ifndef TOOLS_CLI_NOTICE_H
#define TOOLS_CLI_NOTICE_H

/* The file NOTICE, embedded by the build: UTF-8, ended by a NUL. */
extern const unsigned char notice_text[];

#endif
