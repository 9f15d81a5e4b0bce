/* SPDX-License-Identifier: MIT */
/* Decodes PNG to rows of RGB with libpng, with the values of Pillow's convert("RGB"): no gamma, no alpha, no colour
 * management.
 *
 * libpng unpacks, deinterlaces, and drops alpha and the low bytes; 1 channel (gray or palette index) or 3 channels remain.
 * Of an interlaced image all rows are held, of another one. */
#include "image/png.h"

#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/mem.h"
enum {
    /* About 50 ns each, half a second in all. */
    MAX_ROWS = 10000000,
};

struct reader {
    png_structp png;
    png_infop info;
    jmp_buf escape;

    struct vgg_image_job *job;
    const struct vgg_row_sink *sink;
    struct vgg_cursor file;
    vgg_status refusal;  /* of an allocation; OK: none was refused */
    int depth;           /* of a sample in the file, in bits */
    int color_type;      /* PNG_COLOR_TYPE_… */
    int passes;          /* 7 when interlaced, else 1 */
    size_t source_bytes; /* of one pixel as libpng delivers it: 1, 2 (16-bit gray) or 3 */
    bool in_tail;        /* behind the last chunk of pixels */
    uint8_t
        *rows;    /* as libpng delivers them: one, or all when interlaced; NULL before the pixels */
    uint8_t *rgb; /* one row; NULL: those of libpng are RGB */
    uint8_t colors[256][3];
    int taken; /* rows that the sink has */
    vgg_status status;
    struct vgg_error *err;
};

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

/* --- libpng's callbacks --- */

/* Whether every row has been delivered. */
static bool is_complete(const struct reader *reader)
{
    if (reader->rows == NULL) {
        return false;
    }
    return reader->passes == 7
               ? png_get_current_pass_number(reader->png) == 7
               : png_get_current_row_number(reader->png) == (png_uint_32)reader->job->height;
}

static void on_error(png_structp png, png_const_charp message)
{
    struct reader *reader = png_get_error_ptr(png);
    vgg_status status;
    if (is_complete(reader) && !reader->in_tail) {
        /* libpng checks the end of the data; Pillow stops after the last row. */
        status = VGG_OK;
    } else if (reader->refusal != VGG_OK) {
        status = reader->refusal;
    } else if (!reader->file.ok) {
        status =
            vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: PNG is truncated: it ends after %zu bytes",
                     reader->job->name, reader->file.size);
    } else {
        status = vgg_fail_at(reader->err, VGG_ERR_FORMAT, reader->file.offset,
                             "%s: cannot decode this PNG: %s", reader->job->name, message);
    }
    escape(reader, status);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* Reports a failure, for which libpng has a dozen different messages. */
static void *allocate(png_structp png, png_alloc_size_t bytes)
{
    struct reader *reader = png_get_mem_ptr(png);
    void *block = NULL;
    vgg_status status =
        vgg_image_alloc(reader->job, bytes, "the decoder's rows", &block, reader->err);
    if (status != VGG_OK) {
        reader->refusal = status;
    }
    return block;
}

static void release(png_structp png, void *block)
{
    const struct reader *reader = png_get_mem_ptr(png);
    vgg_mem_free(reader->job->allocator, block);
}

static void read_bytes(png_structp png, png_bytep out, size_t count)
{
    struct reader *reader = png_get_io_ptr(png);
    const uint8_t *bytes = vgg_cursor_take(&reader->file, count);
    if (bytes == NULL) {
        png_error(png, "truncated");
    }
    memcpy(out, bytes, count);
}

/* --- decoding --- */

static void start(struct reader *reader)
{
    /* Chunks that do not affect the pixels are skipped: libpng would fail on a malformed one, while only its checksum
     * matters to Pillow. tRNS is one of them, because Pillow's RGB ignores it. */
    static const png_byte ignored[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
                                      "sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0tRNS\0zTXt";
    reader->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning,
                                           reader, allocate, release);
    reader->info = reader->png == NULL ? NULL : png_create_info_struct(reader->png);
    if (reader->info == NULL) {
        check(reader, reader->refusal);
        escape(reader, vgg_fail(reader->err, VGG_ERR_UNSUPPORTED,
                                "%s: cannot decode this PNG: the libpng that is loaded is not %s",
                                reader->job->name, PNG_LIBPNG_VER_STRING));
    }
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, ignored,
                                (int)(sizeof ignored / 5));
    png_set_benign_errors(reader->png, 1);
    png_set_check_for_invalid_index(reader->png, -1);
    /* The limits are those of the job; skipped chunks take no memory. */
    png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(reader->png, 0);
    png_set_read_fn(reader->png, reader, read_bytes);
    /* Before the pixels Pillow verifies the checksum of every chunk, not only of critical ones. */
    png_set_crc_action(reader->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

/* Compares the size in the header with the limit before libpng reads it, because on a 32-bit machine libpng reports a row
 * that exceeds the address space as invalid data. Headers with a wrong checksum are left to libpng. */
static void check_announced_size(struct reader *reader)
{
    static const uint8_t ihdr[] = {0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    enum { IHDR = 8, TYPE = IHDR + 4, WIDTH = TYPE + 4, HEIGHT = WIDTH + 4, CRC = WIDTH + 13 };
    const uint8_t *data = reader->file.data;
    if (reader->file.size < CRC + 4 || memcmp(data + IHDR, ihdr, sizeof ihdr) != 0 ||
        crc32(0, data + TYPE, CRC - TYPE) != png_get_uint_32(data + CRC)) {
        return;
    }
    const uint32_t width = png_get_uint_32(data + WIDTH), height = png_get_uint_32(data + HEIGHT);
    if (width > 0 && width <= PNG_UINT_31_MAX && height > 0 && height <= PNG_UINT_31_MAX) {
        check(reader, vgg_image_set_size(reader->job, width, height, reader->err));
    }
}

/* A row takes time however short it is. */
static void check_rows(struct reader *reader)
{
    const int64_t rows = (int64_t)reader->job->height * reader->passes;
    if (rows > MAX_ROWS) {
        escape(reader,
               vgg_fail(reader->err, VGG_ERR_LIMIT,
                        "%s: PNG of %d x %d pixels: %lld rows in %d pass%s, limit is %d",
                        reader->job->name, reader->job->width, reader->job->height, (long long)rows,
                        reader->passes, reader->passes > 1 ? "es" : "", MAX_ROWS));
    }
}

static void open_png(struct reader *reader)
{
    png_structp png = reader->png;
    check_announced_size(reader);
    png_read_info(png, reader->info);
    check(reader, vgg_image_set_size(reader->job, png_get_image_width(png, reader->info),
                                     png_get_image_height(png, reader->info), reader->err));
    reader->passes = png_get_interlace_type(png, reader->info) == PNG_INTERLACE_NONE ? 1 : 7;
    if (reader->sink->take != NULL) {
        check_rows(reader);
    }
    check(reader, reader->sink->begin(reader->sink->user, reader->job, reader->err));
}

/* The RGB value of every gray level or palette index. An index beyond the palette is an error in the file: Pillow up to 10.0
 * makes it gray of that level, later versions black. Here it is gray, as in Pillow 9.4, with which the tests compare. */
static void fill_colors(struct reader *reader)
{
    bool indexed = reader->color_type == PNG_COLOR_TYPE_PALETTE;
    int levels = indexed || reader->depth > 8 ? 256 : 1 << reader->depth;
    int step = 255 / (levels - 1);
    for (int i = 0; i < levels; i++) {
        memset(reader->colors[i], i * step, 3);
    }
    png_colorp palette = NULL;
    int count = 0;
    if (indexed) {
        png_get_PLTE(reader->png, reader->info, &palette, &count);
    }
    for (int i = 0; i < count; i++) {
        reader->colors[i][0] = palette[i].red;
        reader->colors[i][1] = palette[i].green;
        reader->colors[i][2] = palette[i].blue;
    }
}

static void allocate_rows(struct reader *reader)
{
    const uint64_t width = (uint64_t)reader->job->width;
    const uint64_t count = reader->passes > 1 ? (uint64_t)reader->job->height : 1;
    void *rows = NULL, *rgb = NULL;
    if (reader->source_bytes < 3) {
        check(reader, vgg_image_alloc(reader->job, 3 * width, "one row", &rgb, reader->err));
        reader->rgb = rgb;
        fill_colors(reader);
    }
    check(reader, vgg_image_alloc(reader->job, count * width * reader->source_bytes,
                                  reader->passes > 1 ? "all rows of an interlaced PNG" : "one row",
                                  &rows, reader->err));
    reader->rows = rows;
}

static void prepare_rows(struct reader *reader)
{
    png_structp png = reader->png;
    /* From the pixels on, Pillow verifies only zlib's checksum of the data. */
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_packing(png);
    png_set_strip_alpha(png);
    reader->depth = png_get_bit_depth(png, reader->info);
    reader->color_type = png_get_color_type(png, reader->info);
    bool deep_gray = reader->depth == 16 && reader->color_type == PNG_COLOR_TYPE_GRAY;
    if (!deep_gray) {
        png_set_strip_16(png);
    }
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    reader->source_bytes = png_get_channels(png, reader->info) * (deep_gray ? 2u : 1u);
    allocate_rows(reader);
}

static uint8_t *source_row(const struct reader *reader, int y)
{
    const size_t row = reader->passes > 1 ? (size_t)y : 0;
    return reader->rows + row * (size_t)reader->job->width * reader->source_bytes;
}

static void widen_row(const struct reader *reader, const uint8_t *source)
{
    uint8_t *rgb = reader->rgb;
    for (int x = 0; x < reader->job->width; x++, rgb += 3, source += reader->source_bytes) {
        /* 16-bit gray saturates at 255, as in Pillow's conversion of mode I. */
        uint8_t level = source[0];
        if (reader->source_bytes == 2) {
            level = source[0] > 0 ? 255 : source[1];
        }
        memcpy(rgb, reader->colors[level], 3);
    }
}

/* Passes the next row to the sink. */
static void deliver_row(struct reader *reader)
{
    const uint8_t *row = source_row(reader, reader->taken++);
    if (reader->rgb != NULL) {
        widen_row(reader, row);
        row = reader->rgb;
    }
    reader->sink->take(reader->sink->user, row);
}

static void read_rows(struct reader *reader)
{
    for (int pass = 0; pass < reader->passes; pass++) {
        for (int y = 0; y < reader->job->height; y++) {
            png_read_row(reader->png, source_row(reader, y), NULL);
            if (reader->passes == 1) {
                deliver_row(reader);
            }
        }
    }
}

/* Checks the chunks after the pixels only for truncation: Pillow fails if one is incomplete, but accepts a file that ends
 * between chunks, without IEND. */
static void check_tail(struct reader *reader)
{
    struct vgg_cursor *file = &reader->file;
    reader->in_tail = true;
    while (vgg_cursor_left(file) >= 8) {
        const uint8_t *head = vgg_cursor_take(file, 8);
        uint32_t length = png_get_uint_32(head);
        for (int i = 4; i < 8; i++) {
            if ((head[i] | 0x20) < 'a' || (head[i] | 0x20) > 'z') {
                /* Not a chunk, but bytes after the image. */
                return;
            }
        }
        if (memcmp(head + 4, "IEND", 4) == 0) {
            return;
        }
        if (vgg_cursor_take(file, length) == NULL) {
            png_error(reader->png, "truncated");
        }
        (void)vgg_cursor_take(file, vgg_cursor_left(file) < 4 ? vgg_cursor_left(file) : 4);
    }
}

/* setjmp is called in a function of its own, because after a jump the locals of its function are indeterminate. */
static void decode(struct reader *reader)
{
    if (setjmp(reader->escape) != 0) {
        return;
    }
    start(reader);
    open_png(reader);
    if (reader->sink->take == NULL) {
        return;
    }
    prepare_rows(reader);
    read_rows(reader);
    check_tail(reader);
}

vgg_status vgg_png_read(struct vgg_image_job *job, const struct vgg_image_bytes *bytes,
                        const struct vgg_row_sink *sink, struct vgg_error *err)
{
    struct reader reader = {
        .job = job, .file = vgg_cursor_make(bytes->data, bytes->size), .sink = sink, .err = err};
    decode(&reader);
    /* The rows of an interlaced image, and the last row of any that libpng decoded before it found fault with what
     * follows. */
    while (reader.status == VGG_OK && sink->take != NULL && reader.taken < job->height) {
        deliver_row(&reader);
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    vgg_mem_free(job->allocator, reader.rows);
    vgg_mem_free(job->allocator, reader.rgb);
    return reader.status;
}
