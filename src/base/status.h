/* SPDX-License-Identifier: MIT */
/* Error reports: a function fills the record once, where the reason is known, and returns. */
#ifndef VGG_BASE_STATUS_H
#define VGG_BASE_STATUS_H

#include <stdarg.h>
#include <string.h>

#include "vgg/context.h"
#include "vgg/status.h"

/* Each fills *err (which may be NULL) and returns code, so that callers write `return vgg_fail(…)`.
 * Control characters in the formatted text are shown as "\xHH": names come from files. */
vgg_status vgg_fail(struct vgg_error *err, vgg_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the position in the file, which is appended to the message as "(at byte N)". */
vgg_status vgg_fail_at(struct vgg_error *err, vgg_status code, uint64_t byte_offset,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* VGG_ERR_IO with an errno value, whose description is appended to the message. */
vgg_status vgg_fail_errno(struct vgg_error *err, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same as vgg_fail with a hint. */
vgg_status vgg_fail_hint(struct vgg_error *err, vgg_status code, enum vgg_hint hint,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
/* VGG_ERR_MEMORY: "NAME: out of memory (N bytes for THING)". */
vgg_status vgg_fail_memory(struct vgg_error *err, const char *name, size_t bytes,
                           const char *thing);

/* Calls the log function of the context, if there is one. Text as in vgg_fail. */
void vgg_log(const struct vgg_context *context, enum vgg_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The number of bytes of a name that a message shows: at most max of its length, and only whole UTF-8 characters. */
int vgg_shown_length(const char *text, size_t length, size_t max);
/* The two arguments for "%.*s"; the second macro is for a text that ends in 0. */
#define VGG_SHOWN(text, length, max) vgg_shown_length(text, length, max), text
#define VGG_SHOWN_TEXT(text, max) VGG_SHOWN(text, strlen(text), max)

/* The longest text that is formatted for a message, with its 0. */
enum { VGG_LONG_MESSAGE_BYTES = 8192 };

/* The same as vgg_fail_hint for messages with lists: a text that is too long for struct vgg_error is logged in full
 * length at VGG_LOG_ERROR.
 *   context  may be NULL: nothing is logged */
vgg_status vgg_fail_long(const struct vgg_context *context, struct vgg_error *err, vgg_status code,
                         enum vgg_hint hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Text that grows piece by piece, for lists in messages. A piece that does not fit is dropped, with all after it. */
struct vgg_text {
    char buffer[VGG_LONG_MESSAGE_BYTES - 512];
    size_t length;
    unsigned dropped; /* the number of such pieces */
};
void vgg_text_add(struct vgg_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
