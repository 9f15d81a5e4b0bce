/* SPDX-License-Identifier: MIT */
/* Decodes JPEG to rows of RGB with libjpeg-turbo, with the settings and the tolerance of Pillow's decoder.
 *
 * libjpeg reports errors by longjmp, which stays within this file. All that must survive a jump is in struct reader. */
#include "image/jpeg.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

enum {
    /* Pillow passes this many bytes to libjpeg at a time, and no further block once all rows are decoded. With the same
     * blocks, damage after the last row is found exactly when Pillow finds it. */
    BLOCK_BYTES = 65536,
    /* A progressive scan can be 20 bytes long, but takes a pass over the whole image: without a limit a small file could
     * occupy a decoder for days. Real files have about ten scans. Large images are limited to fewer, by their steps. */
    MAX_SCANS = 500,
    /* libjpeg holds up to this many rows of each component between its stages, times the largest sampling factor. */
    ROWS_BETWEEN_STAGES = 32,
};

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;

    struct vgg_image_job *job;
    const struct vgg_image_bytes *file;
    const struct vgg_row_sink *sink;
    size_t given;   /* bytes of the file handed to libjpeg */
    bool rows_done; /* every row has been decoded */
    /* The last scan that is counted, and the samples of all that are. */
    int scan;
    uint64_t samples;
    vgg_status status;
    struct vgg_error *err;
};

static struct reader *reader_of(const void *jpeg)
{
    return ((j_common_ptr)jpeg)->client_data;
}

/* Jumps back into vgg_jpeg_read with the status that has just been reported. */
static void escape(struct reader *reader, vgg_status status) __attribute__((noreturn));
static void escape(struct reader *reader, vgg_status status)
{
    reader->status = status;
    longjmp(reader->escape, 1);
}

static void check(struct reader *reader, vgg_status status)
{
    if (status != VGG_OK) {
        escape(reader, status);
    }
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
                    "%s: cannot decode this JPEG: %s", reader->job->name, text));
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
    size_t left = reader->file->size - reader->given;
    if (left == 0 || reader->rows_done) {
        /* libjpeg suspends, which its caller notices. */
        return FALSE;
    }
    jpeg->src->next_input_byte = reader->file->data + reader->given;
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

/* Adds the samples of a scan whose header has been read. */
static void count_scan(struct reader *reader)
{
    const struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    char thing[48];
    for (int i = 0; i < jpeg->comps_in_scan; i++) {
        const jpeg_component_info *component = jpeg->cur_comp_info[i];
        reader->samples +=
            (uint64_t)component->width_in_blocks * component->height_in_blocks * DCTSIZE2;
    }
    snprintf(thing, sizeof thing, "decoding its first %d scans", reader->scan);
    check(reader, vgg_image_check_steps(reader->job, reader->samples, thing, reader->err));
}

/* Called before and in every scan. */
static void on_progress(j_common_ptr jpeg)
{
    struct reader *reader = reader_of(jpeg);
    if (reader->jpeg.input_scan_number > MAX_SCANS) {
        escape(reader,
               vgg_fail(reader->err, VGG_ERR_LIMIT, "%s: progressive JPEG with more than %d scans",
                        reader->job->name, MAX_SCANS));
    }
    if (reader->jpeg.input_scan_number > reader->scan) {
        reader->scan = reader->jpeg.input_scan_number;
        count_scan(reader);
    }
}

/* --- decoding --- */

static void fail_truncated(struct reader *reader) __attribute__((noreturn));
static void fail_truncated(struct reader *reader)
{
    escape(reader, vgg_fail(reader->err, VGG_ERR_FORMAT,
                            "%s: JPEG is truncated: it ends after %zu bytes, at row %u of %u",
                            reader->job->name, reader->file->size, reader->jpeg.output_scanline,
                            reader->jpeg.image_height));
}

/* Converts CMYK as Photoshop writes it, inverted: 0 is full ink. Pillow reads all CMYK files like this, with or without
 * Adobe's marker. The row is converted in its place: no pixel is overwritten before it is used. With c = 255 - raw ink and white = raw black, a channel is white - c * white / 255, with the quotient
 * rounded. */
static void cmyk_to_rgb(uint8_t *row, int width)
{
    const uint8_t *cmyk = row;
    uint8_t *rgb = row;
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
                                reader->job->name, jpeg->num_components));
    }
    check(reader,
          vgg_image_set_size(reader->job, jpeg->image_width, jpeg->image_height, reader->err));
    check(reader, reader->sink->begin(reader->sink->user, reader->job, reader->err));
}

/* Bytes of the arrays in which libjpeg collects the coefficients of several scans, whole MCUs of each component. */
static uint64_t get_coefficient_bytes(const struct jpeg_decompress_struct *jpeg)
{
    uint64_t blocks = 0;
    for (int i = 0; i < jpeg->num_components; i++) {
        const jpeg_component_info *component = &jpeg->comp_info[i];
        const uint64_t across = (uint64_t)component->h_samp_factor;
        const uint64_t down = (uint64_t)component->v_samp_factor;
        blocks += (component->width_in_blocks + across - 1) / across * across *
                  ((component->height_in_blocks + down - 1) / down * down);
    }
    return blocks * sizeof(JBLOCK);
}

/* Counts the memory that libjpeg is about to allocate; it has no limit of its own. */
static void charge(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    const uint64_t rows = (uint64_t)ROWS_BETWEEN_STAGES * (uint64_t)jpeg->max_v_samp_factor;
    check(reader,
          vgg_image_charge(reader->job, rows * jpeg->image_width * (uint64_t)jpeg->num_components,
                           "the decoder's rows", reader->err));
    if (jpeg_has_multiple_scans(jpeg)) {
        check(reader, vgg_image_charge(reader->job, get_coefficient_bytes(jpeg),
                                       "the coefficients of all scans", reader->err));
    }
}

static void read_rows(struct reader *reader)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (!jpeg_start_decompress(jpeg)) {
        fail_truncated(reader);
    }
    JSAMPARRAY row =
        jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE,
                                jpeg->output_width * (JDIMENSION)jpeg->output_components, 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        if (jpeg_read_scanlines(jpeg, row, 1) == 0) {
            fail_truncated(reader);
        }
        if (jpeg->out_color_space == JCS_CMYK) {
            cmyk_to_rgb(row[0], reader->job->width);
        }
        reader->sink->take(reader->sink->user, row[0]);
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
    if (reader->sink->take == NULL) {
        return;
    }
    charge(reader);
    read_rows(reader);
    reader->rows_done = true;
    /* As in Pillow, a missing end marker is not an error, but a damaged second image before it is. */
    (void)jpeg_finish_decompress(&reader->jpeg);
}

vgg_status vgg_jpeg_read(struct vgg_image_job *job, const struct vgg_image_bytes *bytes,
                         const struct vgg_row_sink *sink, struct vgg_error *err)
{
    struct reader reader = {.job = job, .file = bytes, .sink = sink, .err = err};
    decode(&reader);
    jpeg_destroy_decompress(&reader.jpeg);
    return reader.status;
}
