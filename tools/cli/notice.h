/* SPDX-License-Identifier: MIT */
/* The licenses of this program and of what it is linked with. */
#ifndef TOOLS_CLI_NOTICE_H
#define TOOLS_CLI_NOTICE_H

#include <stdio.h>

/* The file NOTICE, UTF-8, compressed by zlib and embedded by the build; its size then, and the text's. */
extern const unsigned char notice_text[];
extern const unsigned long notice_text_compressed, notice_text_bytes;

/* Writes the text. Returns 0 if there is no memory for it; errors of `file` are left to ferror(). */
int notice_write(FILE *file);

#endif
