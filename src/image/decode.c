/* SPDX-License-Identifier: MIT */
/* Recognises an image by its content and decodes it, or reports what the file is instead. */
#include "image/decode.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

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

vgg_status vgg_image_read_rows(struct vgg_image_job *job, const struct vgg_image_bytes *bytes,
                               const struct vgg_row_sink *sink, struct vgg_error *err)
{
    const uint8_t *data = bytes->data;
    if (has_at(data, bytes->size, 0, jpeg_signature, sizeof jpeg_signature - 1)) {
        return vgg_jpeg_read(job, bytes, sink, err);
    }
    if (has_at(data, bytes->size, 0, png_signature, sizeof png_signature - 1)) {
        return vgg_png_read(job, bytes, sink, err);
    }
    const char *advice, *found = describe(data, bytes->size, &advice);
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: expected a JPEG or PNG, found %s%s%s", job->name,
                    found, advice != NULL ? ": " : "", advice != NULL ? advice : "");
}
