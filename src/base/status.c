/* SPDX-License-Identifier: MIT */
/* Error records, messages, limits and the version. */
#include "base/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int vgg_shown_length(const char *text, size_t length, size_t max)
{
    size_t end = length < max ? length : max;
    for (int i = 0; i < 3 && end < length && end > 0 && (text[end] & 0xc0) == 0x80; i++) {
        end--;
    }
    return (int)end;
}

/* Copies text as vgg_text_show shows it. Text that does not fit is cut after a whole character. */
static void copy_printable(char *out, size_t out_bytes, const char *text)
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
}

/* Longer than a message, so that vsnprintf cuts no character inside it. */
enum { TEXT_BYTES = VGG_LONG_MESSAGE_BYTES + 4 };

/* Copies a text, with "…" for its middle if it is too long: a message begins with the file and ends with the advice. */
static void copy_shortened(char *out, size_t out_bytes, const char *text)
{
    static const char mark[] = "\xe2\x80\xa6";
    const size_t length = strlen(text), space = out_bytes - sizeof mark;
    if (length < out_bytes) {
        memcpy(out, text, length + 1);
        return;
    }
    const size_t head = (size_t)vgg_shown_length(text, length, space / 2);
    size_t tail = length - (space - head);
    while (((unsigned char)text[tail] & 0xc0) == 0x80) {
        tail++;
    }
    memcpy(out, text, head);
    memcpy(out + head, mark, sizeof mark - 1);
    memcpy(out + head + sizeof mark - 1, text + tail, length - tail + 1);
}

/* The fields of a record other than its message. */
struct facts {
    vgg_status code;
    enum vgg_hint hint;
    int sys_errno;
    uint64_t byte_offset;
    const struct vgg_context *context; /* logs a message that the record does not hold; or NULL */
};

/* Formats a message in full length, with the description of errno or the position in the file. */
static void format_whole(char whole[VGG_LONG_MESSAGE_BYTES], const struct facts *facts,
                         const char *format, va_list args)
{
    char text[TEXT_BYTES];
    int length = vsnprintf(text, sizeof text, format, args);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used >= sizeof text) {
        used = sizeof text - 1;
    }
    text[used] = '\0';
    if (facts->sys_errno != 0) {
        snprintf(text + used, sizeof text - used, ": %s", strerror(facts->sys_errno));
    } else if (facts->byte_offset != VGG_NO_OFFSET) {
        snprintf(text + used, sizeof text - used, " (at byte %llu)",
                 (unsigned long long)facts->byte_offset);
    }
    copy_printable(whole, VGG_LONG_MESSAGE_BYTES, text);
}

/* Fills the record, if there is one. */
static void report(struct vgg_error *err, const struct facts *facts, const char *format,
                   va_list args)
{
    char whole[VGG_LONG_MESSAGE_BYTES];
    if (err == NULL) {
        return;
    }
    format_whole(whole, facts, format, args);
    err->code = facts->code;
    err->sys_errno = facts->sys_errno;
    err->byte_offset = facts->byte_offset;
    err->hint = facts->hint;
    err->reserved = 0;
    copy_shortened(err->message, sizeof err->message, whole);
    if (strlen(whole) >= sizeof err->message) {
        vgg_log(facts->context, VGG_LOG_ERROR, "%s", whole);
    }
}

vgg_status vgg_fail(struct vgg_error *err, vgg_status code, const char *format, ...)
{
    const struct facts facts = {.code = code, .byte_offset = VGG_NO_OFFSET};
    va_list args;
    va_start(args, format);
    report(err, &facts, format, args);
    va_end(args);
    return code;
}

vgg_status vgg_fail_hint(struct vgg_error *err, vgg_status code, enum vgg_hint hint,
                         const char *format, ...)
{
    const struct facts facts = {.code = code, .hint = hint, .byte_offset = VGG_NO_OFFSET};
    va_list args;
    va_start(args, format);
    report(err, &facts, format, args);
    va_end(args);
    return code;
}

vgg_status vgg_fail_at(struct vgg_error *err, vgg_status code, uint64_t byte_offset,
                       const char *format, ...)
{
    const struct facts facts = {.code = code, .byte_offset = byte_offset};
    va_list args;
    va_start(args, format);
    report(err, &facts, format, args);
    va_end(args);
    return code;
}

vgg_status vgg_fail_errno(struct vgg_error *err, int sys_errno, const char *format, ...)
{
    const struct facts facts = {
        .code = VGG_ERR_IO, .sys_errno = sys_errno, .byte_offset = VGG_NO_OFFSET};
    va_list args;
    va_start(args, format);
    report(err, &facts, format, args);
    va_end(args);
    return VGG_ERR_IO;
}

vgg_status vgg_fail_long(const struct vgg_context *context, struct vgg_error *err, vgg_status code,
                         enum vgg_hint hint, const char *format, ...)
{
    const struct facts facts = {
        .code = code, .hint = hint, .byte_offset = VGG_NO_OFFSET, .context = context};
    va_list args;
    va_start(args, format);
    report(err, &facts, format, args);
    va_end(args);
    return code;
}

vgg_status vgg_fail_memory(struct vgg_error *err, const char *name, size_t bytes, const char *thing)
{
    return vgg_fail(err, VGG_ERR_MEMORY, "%s: out of memory (%zu bytes for %s)", name, bytes,
                    thing);
}

void vgg_log(const struct vgg_context *context, enum vgg_log_level level, const char *format, ...)
{
    if (context == NULL || context->log == NULL) {
        return;
    }
    char text[TEXT_BYTES], message[VGG_LONG_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length >= 0) {
        copy_printable(message, sizeof message, text);
        context->log(context->log_user, level, message);
    }
}

void vgg_text_add(struct vgg_text *text, const char *format, ...)
{
    size_t space = sizeof text->buffer - text->length;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->buffer + text->length, space, format, args);
    va_end(args);
    if (text->dropped > 0 || length < 0 || (size_t)length >= space) {
        text->buffer[text->length] = '\0';
        text->dropped++;
        return;
    }
    text->length += (size_t)length;
}

void vgg_limits_init(struct vgg_limits *limits)
{
    *limits = (struct vgg_limits){
        .file_bytes = 8ull << 30,
        .pickle_bytes = 64ull << 20,
        .pickle_opcodes = 1000000,
        .pickle_stack = 10000,
        .pickle_memo = 100000,
        .tensors = 10000,
        .zip_entries = 100000,
        .header_bytes = 16ull << 20,
        .json_bytes = 1ull << 20,
        .layers = 1000,
        .image_file_bytes = 256ull << 20,
        .image_pixels = 178956970,
        .image_memory = 512ull << 20,
        .activation_bytes = 4ull << 30,
        .value_bytes = 32ull << 20,
        .unpack_ratio = 20,
        .repeated_bytes = 16ull << 20,
        .assumed_bytes = 40ull << 20,
    };
}

const char *vgg_status_string(vgg_status status)
{
    switch (status) {
    case VGG_OK:
        return "success";
    case VGG_ERR_ARGUMENT:
        return "bad argument";
    case VGG_ERR_IO:
        return "input/output error";
    case VGG_ERR_FORMAT:
        return "bad format";
    case VGG_ERR_UNSUPPORTED:
        return "not supported";
    case VGG_ERR_LIMIT:
        return "over a limit";
    case VGG_ERR_MISMATCH:
        return "mismatch";
    case VGG_ERR_MEMORY:
        return "out of memory";
    }
    return "unknown status";
}

const char *vgg_version(void)
{
    return VGG_VERSION_STRING;
}
