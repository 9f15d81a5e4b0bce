/* SPDX-License-Identifier: MIT */
/* Decodes JPEG to RGB with libjpeg-turbo, with the settings and the tolerance of Pillow's decoder.
 *
 * libjpeg reports errors by longjmp, which stays within this file. All that must survive a jump is in struct reader. */
#include "image/jpeg.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "image/image.h"

enum {
    /* Pillow passes this many bytes to libjpeg at a time, and no further block once all rows are decoded. With the same
     * blocks, damage after the last row is found exactly when Pillow finds it. */
    BLOCK_BYTES = 65536,
    ROWS_AT_ONCE = 16,
    /* A progressive scan can be 20 bytes long, but takes a pass over the whole image: without a limit a small file could
     * occupy a decoder for days. Real files have about ten scans. */
    MAX_SCANS = 500,
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;

    const struct vgg_image_request *request;
    const uint8_t *data;
    size_t size;
    size_t given;   /* bytes of data handed to libjpeg */
    bool rows_done; /* every row has been decoded */
    struct vgg_image image;
    vgg_status status;
    struct vgg_error *err;
};

static struct reader *reader_of(const void *jpeg)
{
    return ((j_common_ptr)jpeg)->client_data;
}

/* Jumps back into vgg_jpeg_decode with the status that has just been reported. */
static void escape(struct reader *reader, vgg_status status) __attribute__((noreturn));
static void escape(struct reader *reader, vgg_status status)
{
    reader->status = status;
    longjmp(reader->escape, 1);
}

/* --- libjpeg's callbacks --- */

static void on_error(j_common_ptr jpeg)
{
    struct reader *reader = reader_of(jpeg);
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    escape(reader,
           vgg_fail(reader->err,
                    jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? VGG_ERR_MEMORY : VGG_ERR_FORMAT,
                    "%s: cannot decode this JPEG: %s", reader->request->name, text));
}

static void on_message(j_common_ptr jpeg)
{
    /* A warning: libjpeg continues as well as it can, and so does Pillow. */
    (void)jpeg;
}

static void on_source_event(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static boolean fill_input(j_decompress_ptr jpeg)
{
    struct reader *reader = reader_of(jpeg);
    size_t left = reader->size - reader->given;
    if (left == 0 || reader->rows_done) {
        /* libjpeg suspends, which its caller notices. */
        return FALSE;
    }
    jpeg->src->next_input_byte = reader->data + reader->given;
    jpeg->src->bytes_in_buffer = left < BLOCK_BYTES ? left : BLOCK_BYTES;
    reader->given += jpeg->src->bytes_in_buffer;
    return TRUE;
}

static void skip_input(j_decompress_ptr jpeg, long count)
{
    while (count > 0 && (size_t)count > jpeg->src->bytes_in_buffer) {
        count -= (long)jpeg->src->bytes_in_buffer;
        jpeg->src->bytes_in_buffer = 0;
        if (!fill_input(jpeg)) {
            /* The next read suspends. */
            return;
        }
    }
    if (count > 0) {
        jpeg->src->next_input_byte += count;
        jpeg->src->bytes_in_buffer -= (size_t)count;
    }
}

static void on_progress(j_common_ptr jpeg)
{
    struct reader *reader = reader_of(jpeg);
    if (reader->jpeg.input_scan_number > MAX_SCANS) {
        escape(reader,
               vgg_fail(reader->err, VGG_ERR_LIMIT, "%s: progressive JPEG with more than %d scans",
                        reader->request->name, MAX_SCANS));
    }
}

/* --- decoding --- */

static void fail_truncated(struct reader *reader) __attribute__((noreturn));
static void fail_truncated(struct reader *reader)
{
    escape(reader, vgg_fail(reader->err, VGG_ERR_FORMAT,
                            "%s: JPEG is truncated: it ends after %zu bytes, at row %u of %u",
                            reader->request->name, reader->size, reader->jpeg.output_scanline,
                            reader->jpeg.image_height));
}

/* Converts CMYK as Photoshop writes it, inverted: 0 is full ink. Pillow reads all CMYK files like this, with or without
 * Adobe's marker. With c = 255 - raw ink and white = raw black, a channel is white - c * white / 255, with the quotient
 * rounded. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, int width)
{
    for (int x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int white = cmyk[3];
        for (int i = 0; i < 3; i++) {
            int product = (255 - cmyk[i]) * white + 128;
            rgb[i] = (uint8_t)(white - ((product + (product >> 8)) >> 8));
        }
    }
}

static void open_jpeg(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    int got;
    /* An abbreviated stream may come first; Pillow skips it, too. */
    do {
        got = jpeg_read_header(jpeg, FALSE);
    } while (got == JPEG_HEADER_TABLES_ONLY);
    if (got == JPEG_SUSPENDED) {
        fail_truncated(reader);
    }
    switch (jpeg->num_components) {
    case 1:
    case 3:
        jpeg->out_color_space = JCS_EXT_RGB;
        break;
    case 4:
        jpeg->out_color_space = JCS_CMYK;
        break;
    default:
        escape(reader, vgg_fail(reader->err, VGG_ERR_UNSUPPORTED,
                                "%s: JPEG with %d components, expected 1, 3 or 4",
                                reader->request->name, jpeg->num_components));
    }
    vgg_status status = vgg_image_create(reader->request, jpeg->image_width, jpeg->image_height,
                                         &reader->image, reader->err);
    if (status != VGG_OK) {
        escape(reader, status);
    }
    if (!jpeg_start_decompress(jpeg)) {
        fail_truncated(reader);
    }
}

static void read_rgb(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    size_t row_bytes = (size_t)reader->image.width * 3;
    JSAMPROW rows[ROWS_AT_ONCE];
    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned first = jpeg->output_scanline, count = jpeg->output_height - first;
        count = count < ROWS_AT_ONCE ? count : ROWS_AT_ONCE;
        for (unsigned i = 0; i < count; i++) {
            rows[i] = reader->image.rgb + (first + i) * row_bytes;
        }
        if (jpeg_read_scanlines(jpeg, rows, count) == 0) {
            fail_truncated(reader);
        }
    }
}

static void read_cmyk(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    size_t row_bytes = (size_t)reader->image.width * 3;
    JSAMPARRAY row =
        jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *rgb = reader->image.rgb + jpeg->output_scanline * row_bytes;
        if (jpeg_read_scanlines(jpeg, row, 1) == 0) {
            fail_truncated(reader);
        }
        cmyk_to_rgb(row[0], rgb, reader->image.width);
    }
}

static void start(struct reader *reader)
{
    reader->jpeg.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.output_message = on_message;
    reader->jpeg.client_data = reader;
    jpeg_create_decompress(&reader->jpeg);
    reader->source = (struct jpeg_source_mgr){
        .init_source = on_source_event,
        .fill_input_buffer = fill_input,
        .skip_input_data = skip_input,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = on_source_event,
    };
    reader->jpeg.src = &reader->source;
    reader->progress.progress_monitor = on_progress;
    reader->jpeg.progress = &reader->progress;
}

/* setjmp is called in a function of its own, because after a jump the locals of its function are indeterminate. */
static void decode(struct reader *reader)
{
    if (setjmp(reader->escape) != 0) {
        return;
    }
    start(reader);
    open_jpeg(reader);
    if (reader->jpeg.out_color_space == JCS_CMYK) {
        read_cmyk(reader);
    } else {
        read_rgb(reader);
    }
    reader->rows_done = true;
    /* As in Pillow, a missing end marker is not an error, but a damaged second image before it is. */
    (void)jpeg_finish_decompress(&reader->jpeg);
}

vgg_status vgg_jpeg_decode(const struct vgg_image_request *request, const uint8_t *data,
                           size_t size, struct vgg_image *out, struct vgg_error *err)
{
    struct reader reader = {.request = request, .data = data, .size = size, .err = err};
    decode(&reader);
    if (reader.status == VGG_OK) {
        *out = reader.image;
        reader.image.rgb = NULL;
    }
    jpeg_destroy_decompress(&reader.jpeg);
    vgg_image_destroy(&reader.image);
    return reader.status;
}
