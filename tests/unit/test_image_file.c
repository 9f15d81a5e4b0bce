/* SPDX-License-Identifier: MIT */
/* image/image_file: the tensor that whole pixels give, refusals before decoding, and memory that does not grow with the
 * image. */
#include "unit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include "image/image.h"

/* --- files --- */

struct file {
    uint8_t *data;
    size_t size;
};

/* Noise on a gradient. */
static void fill_row(uint8_t *row, int width, int channels, int y)
{
    static uint32_t seed = 1;
    for (int i = 0; i < width * channels; i++) {
        seed = seed * 1664525u + 1013904223u;
        row[i] = (uint8_t)((uint32_t)(i + 3 * y) / 4 + (seed >> 27));
    }
}

static void append(png_structp png, png_bytep bytes, size_t count)
{
    struct file *file = png_get_io_ptr(png);
    file->data = realloc(file->data, file->size + count);
    ck_assert_ptr_nonnull(file->data);
    memcpy(file->data + file->size, bytes, count);
    file->size += count;
}

static void flush(png_structp png)
{
    (void)png;
}

struct kind {
    int width, height;
    int type; /* PNG_COLOR_TYPE_…, or -1: a JPEG of `channels` */
    int depth, channels;
    bool interlaced; /* a JPEG: progressive */
};

static struct file make_png(const struct kind *kind)
{
    struct file file = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    const size_t row_bytes = (size_t)(kind->width * kind->channels * kind->depth) / 8;
    uint8_t *rows = malloc(row_bytes * (size_t)kind->height);
    png_set_write_fn(png, &file, append, flush);
    png_set_IHDR(png, info, (png_uint_32)kind->width, (png_uint_32)kind->height, kind->depth,
                 kind->type, kind->interlaced, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < kind->height; y++) {
        fill_row(rows + (size_t)y * row_bytes, (int)row_bytes, 1, y);
    }
    const int passes = png_set_interlace_handling(png);
    for (int i = 0; i < passes * kind->height; i++) {
        png_write_row(png, rows + (size_t)(i % kind->height) * row_bytes);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(rows);
    return file;
}

static struct file make_jpeg(const struct kind *kind)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *row = malloc((size_t)kind->width * 4);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)kind->width;
    jpeg.image_height = (JDIMENSION)kind->height;
    jpeg.input_components = kind->channels;
    jpeg.in_color_space = kind->channels == 1   ? JCS_GRAYSCALE
                          : kind->channels == 3 ? JCS_RGB
                                                : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    if (kind->interlaced) {
        jpeg_simple_progression(&jpeg);
    }
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < kind->height; y++) {
        fill_row(row, kind->width, kind->channels, y);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    return (struct file){bytes, size};
}

static struct file make_file(const struct kind *kind)
{
    return kind->type < 0 ? make_jpeg(kind) : make_png(kind);
}

/* --- an allocator that counts --- */

/* The header of a block. */
union block {
    size_t bytes;
    max_align_t align[4];
};

struct counter {
    size_t bytes, peak;
};

static void *count_allocate(void *user, size_t bytes, size_t alignment)
{
    struct counter *counter = user;
    ck_assert_uint_le(alignment, sizeof(max_align_t));
    union block *block = malloc(sizeof *block + bytes);
    ck_assert_ptr_nonnull(block);
    block->bytes = bytes;
    counter->bytes += bytes;
    counter->peak = counter->bytes > counter->peak ? counter->bytes : counter->peak;
    return block + 1;
}

static void count_release(void *user, void *memory)
{
    struct counter *counter = user;
    union block *block = (union block *)memory - 1;
    counter->bytes -= block->bytes;
    free(block);
}

/* --- tests --- */

static vgg_image_file *open_ok(const struct file *file, const struct vgg_context *context)
{
    struct vgg_error err = {0};
    vgg_image_file *image = NULL;
    vgg_status status =
        vgg_image_file_open_memory(file->data, file->size, "file", context, &image, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    return image;
}

static struct vgg_preprocess plain(int resize, int crop)
{
    return (struct vgg_preprocess){.name = "custom",
                                   .resize = resize,
                                   .crop = crop,
                                   .mean = {0.25f, 0.5f, 0.125f},
                                   .std = {1, 2, 4}};
}

static void check_same(const struct file *file, const struct vgg_preprocess *preprocess)
{
    static float direct[3 * 400 * 400], whole[3 * 400 * 400];
    struct vgg_image pixels = {0};
    int width = 0, height = 0;
    vgg_image_file *image = open_ok(file, NULL);
    ck_assert_int_eq(vgg_image_file_get_input_size(image, preprocess, &width, &height, NULL),
                     VGG_OK);
    ck_assert_int_le(width * height, 400 * 400);
    memset(direct, 1, sizeof direct);
    memset(whole, 1, sizeof whole);
    ck_assert_int_eq(vgg_image_file_to_tensor(image, preprocess, direct, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_decode(file->data, file->size, "file", NULL, &pixels, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_to_tensor(&pixels, preprocess, NULL, whole, NULL), VGG_OK);
    ck_assert_mem_eq(direct, whole, sizeof whole);
    vgg_image_file_get_size(image, &width, &height);
    ck_assert(width == pixels.width && height == pixels.height);
    vgg_image_destroy(&pixels);
    vgg_image_file_close(image);
}

START_TEST(equals_whole_pixels)
{
    static const struct kind kinds[] = {
        {97, 61, -1, 8, 3, false},
        {97, 61, -1, 8, 3, true},
        {61, 97, -1, 8, 1, true},
        {33, 50, -1, 8, 4, false},
        {97, 61, PNG_COLOR_TYPE_RGB, 8, 3, false},
        {61, 97, PNG_COLOR_TYPE_RGB_ALPHA, 16, 4, true},
        {64, 40, PNG_COLOR_TYPE_GRAY, 4, 1, true},
        {40, 64, PNG_COLOR_TYPE_GRAY, 16, 1, false},
        {1, 300, PNG_COLOR_TYPE_RGB, 8, 3, false},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct file file = make_file(&kinds[k]);
        for (int i = 0; i < 16; i++) {
            struct vgg_preprocess preprocess =
                plain(i % 2 ? 32 : 0, i % 3 == 0 ? 0 : 120 - 17 * i % 100);
            preprocess.resize_width = i % 4 == 3 ? 111 : 0;
            preprocess.interpolation = (enum vgg_interpolation)(i / 2 % 4);
            preprocess.gray = i % 5 == 0;
            preprocess.bgr = i % 7 == 0;
            preprocess.channels = i == 12 ? 1 : 0;
            if (kinds[k].width == 1 && preprocess.resize_width == 0) {
                preprocess.resize = 0;
            }
            check_same(&file, &preprocess);
        }
        free(file.data);
    }
}
END_TEST

/* Bytes that preprocessing a PNG takes at its peak. */
static size_t measure(int width, int height, bool interlaced, uint64_t limit, vgg_status expected)
{
    static float out[3 * 32 * 32];
    const struct kind kind = {width, height, PNG_COLOR_TYPE_RGB, 8, 3, interlaced};
    const struct vgg_preprocess preprocess = plain(32, 32);
    struct counter counter = {0};
    struct vgg_error err = {0};
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.image_memory = limit;
    const struct vgg_context context = {
        .limits = &limits,
        .allocator = {count_allocate, count_release, &counter},
    };
    struct file file = make_png(&kind);
    vgg_image_file *image = open_ok(&file, &context);
    counter.peak = counter.bytes;
    ck_assert_int_eq(vgg_image_file_to_tensor(image, &preprocess, out, &err), expected);
    if (expected != VGG_OK) {
        ck_assert_int_eq(err.hint, VGG_HINT_MAX_MEMORY);
    }
    vgg_image_file_close(image);
    ck_assert_uint_eq(counter.bytes, 0);
    free(file.data);
    return counter.peak;
}

START_TEST(memory_does_not_grow_with_the_height)
{
    const size_t low = measure(400, 300, false, 1 << 20, VGG_OK);
    const size_t high = measure(400, 3000, false, 1 << 20, VGG_OK);
    /* The weights of the vertical pass: one for each row and tap. */
    ck_assert_uint_lt(high, low + 3000 * 20);
    ck_assert_uint_lt(high, 400 * 3000);
    ck_assert_uint_gt(measure(400, 3000, true, 10 << 20, VGG_OK), 400 * 3000 * 3);
}
END_TEST

START_TEST(memory_stays_below_the_limit)
{
    const uint64_t limit = 200000;
    ck_assert_uint_le(measure(400, 300, false, limit, VGG_OK), limit);
    ck_assert_uint_le(measure(400, 300, true, limit, VGG_ERR_LIMIT), limit);
    ck_assert_uint_le(measure(40000, 3, false, limit, VGG_ERR_LIMIT), limit);
}
END_TEST

/* Coefficients of 2 bytes: 320 x 240 of one component, a quarter of that of two more. */
START_TEST(coefficients_are_counted)
{
    const struct kind kind = {320, 240, -1, 8, 3, true};
    const struct vgg_preprocess preprocess = plain(32, 32);
    static float out[3 * 32 * 32];
    struct file file = make_jpeg(&kind);
    struct vgg_error err = {0};
    struct vgg_limits limits;
    const struct vgg_context context = {.limits = &limits};
    vgg_limits_init(&limits);
    const uint64_t coefficients = 320 * 240 * 3;
    for (int fits = 0; fits < 2; fits++) {
        limits.image_memory = coefficients + (fits ? 200000 : 0);
        vgg_image_file *image = open_ok(&file, &context);
        ck_assert_int_eq(vgg_image_file_to_tensor(image, &preprocess, out, &err),
                         fits ? VGG_OK : VGG_ERR_LIMIT);
        vgg_image_file_close(image);
    }
    ck_assert_msg(strncmp(err.message, "file: image of 320 x 240 pixels needs ", 38) == 0, "%s",
                  err.message);
    ck_assert_msg(strstr(err.message, "with the coefficients of all scans, limit is 230400") !=
                      NULL,
                  "%s", err.message);
    free(file.data);
}
END_TEST

/* A PNG of a header and nothing else: what can be known of it is known without pixels. */
START_TEST(sizes_come_from_the_header)
{
    const struct kind kind = {1, 1000, PNG_COLOR_TYPE_RGB, 8, 3, false};
    const struct vgg_preprocess preprocess = plain(100000 / 2, 0);
    struct file file = make_png(&kind);
    struct vgg_error err = {0};
    int width = -1, height = -1;
    file.size = 8 + 25 + 12; /* to the end of the first head of IDAT */
    vgg_image_file *image = open_ok(&file, NULL);
    vgg_image_file_get_size(image, &width, &height);
    ck_assert(width == 1 && height == 1000);
    ck_assert_int_eq(vgg_image_file_get_input_size(image, &preprocess, &width, &height, &err),
                     VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message,
                     "file: image of 1 x 1000 pixels: resize to 50000 x 50000000, limit "
                     "is 178956970 pixels");
    vgg_image_file_close(image);
    free(file.data);
}
END_TEST

/* A progressive JPEG whose last scan is repeated: each is 409600 samples, as are the first ones. */
START_TEST(scans_are_counted)
{
    enum { SCANS = 400 };
    const struct kind kind = {640, 640, -1, 8, 1, true};
    const struct vgg_preprocess preprocess = plain(32, 32);
    static float out[3 * 32 * 32];
    struct file file = make_jpeg(&kind);
    struct vgg_limits limits;
    struct vgg_error err = {0};
    const struct vgg_context context = {.limits = &limits};
    size_t scan = file.size - 2;
    while (file.data[scan] != 0xff || file.data[scan + 1] != 0xda) {
        scan--;
    }
    /* The scan's header and no data: libjpeg takes all bits as 0. */
    const size_t head = 10;
    struct file many = {malloc(scan + SCANS * head + 2), scan};
    memcpy(many.data, file.data, scan);
    for (int i = 0; i < SCANS; i++, many.size += head) {
        memcpy(many.data + many.size, file.data + scan, head);
    }
    memcpy(many.data + many.size, "\xff\xd9", 2);
    many.size += 2;
    for (int enough = 0; enough < 2; enough++) {
        vgg_limits_init(&limits);
        limits.image_pixels = enough ? 640 * 640 * (SCANS + 16) / 16 : 640 * 640;
        vgg_image_file *image = open_ok(&many, &context);
        ck_assert_int_eq(vgg_image_file_to_tensor(image, &preprocess, out, &err),
                         enough ? VGG_OK : VGG_ERR_LIMIT);
        vgg_image_file_close(image);
    }
    ck_assert_str_eq(err.message,
                     "file: image of 640 x 640 pixels: decoding its first 17 scans takes "
                     "6963200 steps, limit is 16 for each of 409600 pixels");
    ck_assert_int_eq(err.hint, VGG_HINT_MAX_PIXELS);
    free(many.data);
    free(file.data);
}
END_TEST

/* Not less memory instead, where a size has 32 bits. */
START_TEST(memory_beyond_the_address_space_is_none)
{
    static const uint64_t sizes[] = {(uint64_t)1 << 63, (uint64_t)SIZE_MAX,
                                     (uint64_t)SIZE_MAX / 2 + 1, ((uint64_t)1 << 32) + 16};
    const struct vgg_image none = {0};
    for (size_t i = 0; i < (sizeof(size_t) == 4 ? 4 : 3); i++) {
        struct vgg_image_job job = vgg_image_job_unlimited(&none);
        struct vgg_error err = {0};
        void *memory = NULL;
        ck_assert_int_eq(vgg_image_alloc(&job, sizes[i], "rows", &memory, &err), VGG_ERR_MEMORY);
        ck_assert_ptr_null(memory);
    }
}
END_TEST

START_TEST(refuses_bad_arguments)
{
    const struct vgg_preprocess preprocess = plain(32, 32);
    struct vgg_error err = {0};
    vgg_image_file *image = NULL;
    ck_assert_int_eq(vgg_image_file_open(NULL, NULL, &image, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_image_file_open("/", NULL, &image, &err), VGG_ERR_IO);
    ck_assert_int_eq(vgg_image_file_open_memory(NULL, 1, "file", NULL, &image, &err),
                     VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_image_file_open_memory("GIF89a", 6, "file", NULL, &image, &err),
                     VGG_ERR_FORMAT);
    ck_assert_ptr_null(image);
    ck_assert_int_eq(vgg_image_file_to_tensor(NULL, &preprocess, NULL, &err), VGG_ERR_ARGUMENT);
    vgg_image_file_close(NULL);
}
END_TEST

UNIT_MAIN("image_file", equals_whole_pixels, memory_does_not_grow_with_the_height,
          memory_stays_below_the_limit, coefficients_are_counted, sizes_come_from_the_header,
          scans_are_counted, memory_beyond_the_address_space_is_none, refuses_bad_arguments)
