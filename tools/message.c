/* Messages of the command: the error record, and standard error. */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void fill(struct vgg_error *err, vgg_status code, int sys_errno, const char *format,
                 va_list arguments)
{
    err->code = code;
    err->sys_errno = sys_errno;
    err->byte_offset = VGG_NO_OFFSET;
    int length = vsnprintf(err->message, sizeof err->message, format, arguments);
    if (sys_errno != 0 && length >= 0 && (size_t)length < sizeof err->message) {
        snprintf(err->message + length, sizeof err->message - (size_t)length, ": %s",
                 strerror(sys_errno));
    }
}

vgg_status message_fail(struct vgg_error *err, vgg_status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, 0, format, arguments);
    va_end(arguments);
    return code;
}

vgg_status message_fail_errno(struct vgg_error *err, const char *format, ...)
{
    int sys_errno = errno;
    vgg_status code = sys_errno == ENOMEM ? VGG_ERR_MEMORY : VGG_ERR_IO;
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, sys_errno, format, arguments);
    va_end(arguments);
    return code;
}

bool message_is_memory(const struct vgg_error *err)
{
    return err->code == VGG_ERR_MEMORY || (err->code != VGG_OK && err->sys_errno == ENOMEM);
}

void message_write_visible(FILE *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        } else {
            putc(c, out);
        }
    }
}

void message_say(const char *format, ...)
{
    char text[VGG_ERROR_MESSAGE_BYTES + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs("vgg-infer: ", stderr);
    message_write_visible(stderr, text);
    putc('\n', stderr);
}

static void say_warnings(void *user, enum vgg_log_level level, const char *message)
{
    (void)user;
    if (level == VGG_LOG_WARNING) {
        message_say("warning: %s", message);
    }
}

static void say_all(void *user, enum vgg_log_level level, const char *message)
{
    (void)user;
    message_say("%s%s", level == VGG_LOG_WARNING ? "warning: " : "", message);
}

struct vgg_context message_context(bool verbose)
{
    return (struct vgg_context){.log = verbose ? say_all : say_warnings};
}
