/* SPDX-License-Identifier: MIT */
/* Recognises an image by its content and decodes it, or reports what the file is instead. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/jpeg.h"
#include "image/png.h"

static bool has_at(const uint8_t *data, size_t size, size_t offset, const char *text, size_t length)
{
    return size >= offset + length && memcmp(data + offset, text, length) == 0;
}

static const char jpeg_signature[] = "\xff\xd8\xff";
static const char png_signature[] = "\x89PNG\r\n\x1a\n";

#define CONVERT "convert it to PNG first"
#define AGAIN "download or save it again"

/* Files that users pass by mistake. The first matching row counts. */
static const struct {
    size_t offset;
    size_t length;
    const char *signature;
    const char *name;
    /* Or NULL. */
    const char *advice;
} foreign[] = {
    {0, 4, "\x89PNG", "a PNG damaged in transfer (its line ends were changed)", AGAIN},
    {0, 2, "\xff\xd8", "the first bytes of a damaged JPEG", AGAIN},
    {0, 6, "GIF87a", "GIF", CONVERT},
    {0, 6, "GIF89a", "GIF", CONVERT},
    {8, 4, "WEBP", "WebP", CONVERT},
    {4, 8, "ftypavif", "AVIF", CONVERT},
    {4, 8, "ftypavis", "AVIF", CONVERT},
    {4, 8, "ftyphei", "HEIC", CONVERT},
    {4, 8, "ftypmif1", "HEIF", CONVERT},
    {4, 4, "ftyp", "a video or HEIF file", CONVERT},
    {0, 4, "II*\0", "TIFF", CONVERT},
    {0, 4, "MM\0*", "TIFF", CONVERT},
    {0, 2, "BM", "BMP", CONVERT},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", CONVERT},
    {0, 4, "\xff\x4f\xff\x51", "JPEG 2000", CONVERT},
    {0, 2, "\xff\x0a", "JPEG XL", CONVERT},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", CONVERT},
    {0, 4, "8BPS", "a Photoshop document", CONVERT},
    {0, 4, "\0\0\1\0", "a Windows icon", CONVERT},
    {0, 4, "%PDF", "PDF", CONVERT},
    {0, 4, "PK\3\4", "a zip archive (a checkpoint?)", "a checkpoint stands before the images"},
    {0, 2, "\x1f\x8b", "gzip", "unpack it first"},
    {0, 2, "\x80\2", "a pickle (a checkpoint?)", "a checkpoint stands before the images"},
    {0, 8, "\x93NUMPY\1\0", "a NumPy array", NULL},
    {0, 4,
     "\x7f"
     "ELF",
     "a program", NULL},
};

/* Names what the bytes are; never NULL.
 *   advice  receives what can be done, or NULL */
static const char *describe(const uint8_t *data, size_t size, const char **advice)
{
    *advice = AGAIN;
    if (size == 0) {
        return "an empty file";
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (has_at(data, size, foreign[i].offset, foreign[i].signature, foreign[i].length)) {
            *advice = foreign[i].advice;
            return foreign[i].name;
        }
    }
    size_t start = has_at(data, size, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (start < size && strchr(" \t\r\n", data[start]) != NULL && data[start] != '\0') {
        start++;
    }
    char head[16] = "";
    size_t length = size - start < sizeof head - 1 ? size - start : sizeof head - 1;
    memcpy(head, data + start, length);
    if (strncasecmp(head, "<!doctype html", 14) == 0 || strncasecmp(head, "<html", 5) == 0) {
        return "an HTML page";
    }
    *advice = CONVERT;
    if (strncasecmp(head, "<svg", 4) == 0) {
        return "SVG";
    }
    if (strncasecmp(head, "<?xml", 5) == 0) {
        return "XML or SVG";
    }
    *advice = NULL;
    for (size_t i = 0; i < size && i < 512; i++) {
        if (data[i] < 0x20 && strchr("\t\r\n\f", data[i]) == NULL) {
            return "data of another kind";
        }
    }
    return "text";
}

vgg_status vgg_image_decode(const void *bytes, size_t count, const char *name,
                            const struct vgg_context *context, struct vgg_image *out,
                            struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_limits_take(context, &limits);
    if ((bytes == NULL && count > 0) || name == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_image_decode: NULL argument");
    }
    if (count > limits.image_file_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: image of %zu bytes, limit is %llu", name, count,
                        (unsigned long long)limits.image_file_bytes);
    }
    const struct vgg_image_request request = {name, limits.image_pixels, vgg_allocator_of(context)};
    const uint8_t *data = bytes;
    if (has_at(data, count, 0, jpeg_signature, sizeof jpeg_signature - 1)) {
        return vgg_jpeg_decode(&request, data, count, out, err);
    }
    if (has_at(data, count, 0, png_signature, sizeof png_signature - 1)) {
        return vgg_png_decode(&request, data, count, out, err);
    }
    const char *advice, *found = describe(data, count, &advice);
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: expected a JPEG or PNG, found %s%s%s", name, found,
                    advice != NULL ? ": " : "", advice != NULL ? advice : "");
}

vgg_status vgg_image_open(const char *path, const struct vgg_context *context,
                          struct vgg_image *out, struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_limits_take(context, &limits);
    if (path == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_image_open: NULL argument");
    }
    /* Read instead of mapped, so that pipes work and a file that is truncated meanwhile does no harm. */
    struct vgg_file file;
    vgg_status status =
        vgg_file_read(path, limits.image_file_bytes, vgg_allocator_of(context), &file, err);
    if (status == VGG_OK) {
        const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
        status = vgg_image_decode(file.data, file.size, name, context, out, err);
        vgg_file_close(&file);
    }
    return status;
}
