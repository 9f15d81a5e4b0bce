/* SPDX-License-Identifier: MIT */
/* Messages of the command: the error record, and standard error. */
#include "io/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies text as vgg_text_show shows it, with a 0 at its end, and returns its length. Text that does
 * not fit is cut after a whole character. */
static size_t copy_visible(char *out, size_t out_bytes, const char *text)
{
    char shown[VGG_SHOWN_BYTES];
    size_t used = 0;
    for (size_t taken; (taken = vgg_text_show(text, shown)) > 0; text += taken) {
        const size_t length = strlen(shown);
        if (used + length >= out_bytes) {
            break;
        }
        memcpy(out + used, shown, length);
        used += length;
    }
    out[used] = '\0';
    return used;
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static const char ellipsis[] = "\xe2\x80\xa6";

/* Copies text with a 0 at its end. Text that does not fit has "…" for its middle, between whole UTF-8 characters:
 * the beginning names the file, the end says what was expected and found. */
static void copy_shortened(char *out, size_t out_bytes, const char *text)
{
    const size_t length = strlen(text), space = out_bytes - sizeof ellipsis;
    if (length < out_bytes) {
        memcpy(out, text, length + 1);
        return;
    }
    size_t head = space / 2, tail = length - (space - head);
    for (int i = 0; i < 3 && continues_character(text[head]); i++) {
        head--;
    }
    for (int i = 0; i < 3 && continues_character(text[tail]); i++) {
        tail++;
    }
    snprintf(out, out_bytes, "%.*s%s%s", (int)head, text, ellipsis, text + tail);
}

static void fill(struct vgg_error *err, vgg_status code, int sys_errno, const char *format,
                 va_list arguments)
{
    char text[MESSAGE_LINE_BYTES], visible[MESSAGE_LINE_BYTES];
    const int length = vsnprintf(text, sizeof text, format, arguments);
    if (sys_errno != 0 && length >= 0 && (size_t)length < sizeof text) {
        snprintf(text + length, sizeof text - (size_t)length, ": %s", strerror(sys_errno));
    }
    err->code = code;
    err->sys_errno = sys_errno;
    err->byte_offset = VGG_NO_OFFSET;
    err->hint = VGG_HINT_NONE;
    copy_visible(visible, sizeof visible, length >= 0 ? text : format);
    copy_shortened(err->message, sizeof err->message, visible);
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
    char shown[VGG_SHOWN_BYTES];
    for (size_t taken; (taken = vgg_text_show(text, shown)) > 0; text += taken) {
        fputs(shown, out);
    }
}

char *message_make_visible(const char *text)
{
    /* A byte becomes "\\xHH" at most; longer forms are of longer characters. */
    const size_t bytes = 4 * strlen(text) + 1;
    char *visible = malloc(bytes);
    if (visible != NULL) {
        copy_visible(visible, bytes, text);
    }
    return visible;
}

static size_t make_line(char line[MESSAGE_LINE_BYTES], const char *format, va_list arguments)
{
    static const char name[] = "vgg-infer: ";
    char text[MESSAGE_LINE_BYTES]; /* longer than its part of the line, as in fill */
    size_t used = sizeof name - 1;
    if (vsnprintf(text, sizeof text, format, arguments) < 0) {
        return 0;
    }
    memcpy(line, name, used);
    used += copy_visible(line + used, MESSAGE_LINE_BYTES - used - 1, text);
    line[used++] = '\n';
    return used;
}

size_t message_make_line(char line[MESSAGE_LINE_BYTES], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t length = make_line(line, format, arguments);
    va_end(arguments);
    return length;
}

void message_write(const char *text, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(STDERR_FILENO, text, bytes);
        if (written > 0) {
            text += written;
            bytes -= (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            return; /* there is nowhere else to report it */
        }
    }
}

void message_print(const char *format, ...)
{
    char line[MESSAGE_LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    const size_t length = make_line(line, format, arguments);
    va_end(arguments);
    message_write(line, length);
}

void message_print_raw(const char *format, ...)
{
    char text[1024] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message_write(text, strlen(text));
}

static bool is_restricted;

void message_set_restricted(bool restricted)
{
    is_restricted = restricted;
}

const char *message_get_hint(const struct vgg_error *err)
{
    if (err->hint == VGG_HINT_NONE && err->sys_errno == EACCES && is_restricted) {
        return "if its permissions allow it, the sandbox does not: it lets be read what arguments "
               "name (--sandbox off lets all be read)";
    }
    switch (err->hint) {
    case VGG_HINT_KEY:
        return "choose one with --key NAME";
    case VGG_HINT_LAYERS:
        return "describe the layers with --cfg LIST or --spec FILE";
    case VGG_HINT_SPEC:
        return "give a description of a net with --spec FILE";
    case VGG_HINT_SIZE:
        return "give the input size with --size";
    case VGG_HINT_PACK:
        return "pack the model again with --for and this instruction set, or with --for any for "
               "all";
    case VGG_HINT_STRICT:
        return "give each with its option (--padding, --size, --mean …), or check and edit what "
               "vgg-infer info --write-spec FILE writes and give it with --spec";
    case VGG_HINT_MAX_PIXELS:
        return "raise it with --max-pixels";
    case VGG_HINT_MAX_MEMORY:
        return "raise it with --max-memory";
    case VGG_HINT_BESIDE:
        return "correct or remove it, or give another description with --spec FILE";
    case VGG_HINT_NONE:
        break;
    }
    return NULL;
}

/* The last error whose text was too long for struct vgg_error, in full length. */
static char whole_text[MESSAGE_TEXT_BYTES];

/* Whether a message begins as this text does and then has "…" for the rest. */
static bool is_shortened(const char *message, const char *text)
{
    size_t same = 0;
    while (message[same] != '\0' && message[same] == text[same]) {
        same++;
    }
    return same > 0 && strncmp(message + same, ellipsis, strlen(ellipsis)) == 0;
}

/* Whether a message names a file, perhaps with "…" for the path's end. */
static bool is_named(const char *message, const char *path)
{
    char visible[MESSAGE_LINE_BYTES];
    copy_visible(visible, sizeof visible, path);
    return strstr(message, visible) != NULL || is_shortened(message, visible);
}

/* prefix, separator: what stands before the message, or empty texts. */
static void print_error(const char *prefix, const char *separator, const struct vgg_error *err)
{
    const char *hint = message_get_hint(err);
    const char *text = is_shortened(err->message, whole_text) ? whole_text : err->message;
    message_print("%s%s%s%s%s", prefix, separator, text, hint != NULL ? "; " : "",
                  hint != NULL ? hint : "");
}

void message_error(const struct vgg_error *err)
{
    print_error("", "", err);
}

void message_file_error(const char *path, const struct vgg_error *err)
{
    const bool named = is_named(err->message, path);
    print_error(named ? "" : path, named ? "" : ": ", err);
}

static void log_warnings(void *user, enum vgg_log_level level, const char *message)
{
    (void)user;
    if (level == VGG_LOG_ERROR) {
        snprintf(whole_text, sizeof whole_text, "%s", message);
    } else if (level == VGG_LOG_WARNING) {
        message_print("warning: %s", message);
    }
}

static void log_all(void *user, enum vgg_log_level level, const char *message)
{
    if (level == VGG_LOG_INFO) {
        message_print("%s", message);
    } else {
        log_warnings(user, level, message);
    }
}

struct vgg_context message_context(bool verbose)
{
    return (struct vgg_context){.log = verbose ? log_all : log_warnings};
}
