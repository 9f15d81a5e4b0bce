/* SPDX-License-Identifier: MIT */
/* Messages of the command: the error record, and standard error. */
#ifndef TOOLS_IO_MESSAGE_H
#define TOOLS_IO_MESSAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "vgg/context.h"
#include "vgg/status.h"

/* Exit codes, as the help text lists them. */
enum {
    EXIT_GOOD = 0,
    EXIT_FAILED = 1, /* an image failed, a comparison found a difference, output was not written */
    EXIT_USAGE = 2,
    EXIT_MODEL = 3, /* the checkpoint, its description or its labels cannot be used */
    EXIT_MEMORY = 4,
};

/* Fills *err and returns code, as the library's functions do: a text that is too long for the record has "…" for
 * its middle. */
vgg_status message_fail(struct vgg_error *err, vgg_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: the description of errno is appended. */
vgg_status message_fail_errno(struct vgg_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether memory was lacking, for an allocation or for a mapping. */
bool message_is_memory(const struct vgg_error *err);

/* At least as long as the texts that the library logs. */
enum { MESSAGE_TEXT_BYTES = 8192 };

/* Of the longest line: a whole text with a hint and a path of nothing but control characters fit. */
enum { MESSAGE_LINE_BYTES = MESSAGE_TEXT_BYTES + 4 * PATH_MAX + 256 };

/* Writes "vgg-infer: …" and a newline to standard error in one call of write, so that lines of processes
 * and threads that share it stay whole. Control characters as in message_write_visible. */
void message_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What to do about an error, with the options of this command: "choose one with --key NAME"; NULL: nothing. */
const char *message_get_hint(const struct vgg_error *err);

/* From now on a file that may not be read can be one that the sandbox keeps from this process, and a hint says so. */
void message_set_restricted(bool restricted);

/* Writes an error's message and its hint as message_print does. */
void message_error(const struct vgg_error *err);

/* The same for an error about a file, whose path comes first where the message does not name it. */
void message_file_error(const char *path, const struct vgg_error *err);

/* Makes the line of message_print without writing it, and returns its length. */
size_t message_make_line(char line[MESSAGE_LINE_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes bytes of text to standard error, in one call of write unless the system takes only a part.
 * Safe in a signal handler. */
void message_write(const char *text, size_t bytes);

/* The same for up to 1023 bytes of formatted text: with terminal controls or of several lines. */
void message_print_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A context that passes the library's warnings to message_print, and with verbose the rest of its log. */
struct vgg_context message_context(bool verbose);

/* Writes text as vgg_text_show shows it, so that a file's name cannot steer a terminal or forge a line. */
void message_write_visible(FILE *out, const char *text);
/* The same as a text to be freed; NULL without memory. */
char *message_make_visible(const char *text);

#endif
