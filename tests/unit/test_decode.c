/* SPDX-License-Identifier: MIT */
/* image/decode, jpeg, png: values of every kind of file, damage, foreign files, limits. */
#include "unit.h"

#include <stdio.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include "image/image.h"

/* A file in memory. */
struct file {
    size_t size;
    uint8_t data[1 << 16];
};

static void append_bytes(struct file *file, const void *bytes, size_t count)
{
    ck_assert_uint_le(file->size + count, sizeof file->data);
    memcpy(file->data + file->size, bytes, count);
    file->size += count;
}

static void write_png_bytes(png_structp png, png_bytep bytes, size_t count)
{
    append_bytes(png_get_io_ptr(png), bytes, count);
}

static void flush_png(png_structp png)
{
    (void)png;
}

/* samples: the rows as they stand in the file, packed. Palettes get `colors` entries of value
 * (i, 2i, 3i). */
static void make_png(struct file *file, int width, int height, int depth, int type, int interlace,
                     int colors, const uint8_t *samples, size_t row_bytes)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[256];
    file->size = 0;
    png_set_write_fn(png, file, write_png_bytes, flush_png);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, type, interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        for (int i = 0; i < colors; i++) {
            palette[i] = (png_color){(png_byte)i, (png_byte)(2 * i), (png_byte)(3 * i)};
        }
        png_set_PLTE(png, info, palette, colors);
    }
    png_set_check_for_invalid_index(png, -1);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < height; y++) {
            png_write_row(png, samples + (size_t)y * row_bytes);
        }
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* Every pixel is the same `color` of that many components. */
static void make_jpeg(struct file *file, int width, int height, int components, J_COLOR_SPACE space,
                      bool progressive, const uint8_t *color)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t row[64 * 4];
    JSAMPROW rows[1] = {row};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = components;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive) {
        jpeg_simple_progression(&jpeg);
    }
    jpeg_start_compress(&jpeg, TRUE);
    for (int x = 0; x < width; x++) {
        memcpy(row + x * components, color, (size_t)components);
    }
    for (int y = 0; y < height; y++) {
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    file->size = 0;
    append_bytes(file, bytes, size);
    free(bytes);
}

static struct file file;

static struct vgg_image decode_ok(void)
{
    struct vgg_error err = {0};
    struct vgg_image image;
    vgg_status status = vgg_image_decode(file.data, file.size, "file", NULL, &image, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    return image;
}

/* Decoding must fail so, leave *out alone and name the file. */
static void decode_fails(size_t size, vgg_status expected, const char *message)
{
    struct vgg_error err = {0};
    struct vgg_image image = {.width = -7, .height = -8, .rgb = NULL};
    ck_assert_int_eq(vgg_image_decode(file.data, size, "file", NULL, &image, &err), expected);
    ck_assert_int_eq(image.width, -7);
    ck_assert_int_eq(image.height, -8);
    ck_assert_ptr_null(image.rgb);
    ck_assert_int_eq(err.code, expected);
    ck_assert_msg(strncmp(err.message, "file: ", 6) == 0, "%s", err.message);
    if (message != NULL) {
        ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
    }
}

static void check_pixels(const uint8_t *expected, size_t count)
{
    struct vgg_image image = decode_ok();
    ck_assert_uint_eq((size_t)image.width * (size_t)image.height, count);
    ck_assert_mem_eq(image.rgb, expected, count * 3);
    vgg_image_destroy(&image);
}

START_TEST(png_gray)
{
    make_png(&file, 3, 1, 1, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){0xa0}, 1);
    check_pixels((const uint8_t[]){255, 255, 255, 0, 0, 0, 255, 255, 255}, 3);
    make_png(&file, 3, 1, 2, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){0x1c}, 1);
    check_pixels((const uint8_t[]){0, 0, 0, 85, 85, 85, 255, 255, 255}, 3);
    make_png(&file, 2, 1, 4, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){0x3f}, 1);
    check_pixels((const uint8_t[]){51, 51, 51, 255, 255, 255}, 2);
    make_png(&file, 2, 1, 8, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){7, 200}, 2);
    check_pixels((const uint8_t[]){7, 7, 7, 200, 200, 200}, 2);
}
END_TEST

START_TEST(png_deep)
{
    /* Gray saturates, everything else keeps the high byte. */
    make_png(&file, 3, 1, 16, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){0, 9, 0, 255, 1, 0}, 6);
    check_pixels((const uint8_t[]){9, 9, 9, 255, 255, 255, 255, 255, 255}, 3);
    make_png(&file, 1, 1, 16, PNG_COLOR_TYPE_RGB, 0, 0, (const uint8_t[]){1, 255, 2, 0, 3, 128}, 6);
    check_pixels((const uint8_t[]){1, 2, 3}, 1);
    make_png(&file, 2, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0,
             (const uint8_t[]){5, 255, 0, 0, 6, 0, 9, 9}, 8);
    check_pixels((const uint8_t[]){5, 5, 5, 6, 6, 6}, 2);
    make_png(&file, 1, 1, 16, PNG_COLOR_TYPE_RGB_ALPHA, 0, 0,
             (const uint8_t[]){1, 255, 2, 0, 3, 128, 0, 0}, 8);
    check_pixels((const uint8_t[]){1, 2, 3}, 1);
}
END_TEST

START_TEST(png_alpha_is_dropped)
{
    make_png(&file, 2, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, 0, (const uint8_t[]){5, 0, 6, 128}, 4);
    check_pixels((const uint8_t[]){5, 5, 5, 6, 6, 6}, 2);
    make_png(&file, 1, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, 0, 0, (const uint8_t[]){1, 2, 3, 0}, 4);
    check_pixels((const uint8_t[]){1, 2, 3}, 1);
}
END_TEST

START_TEST(png_palette)
{
    make_png(&file, 4, 1, 2, PNG_COLOR_TYPE_PALETTE, 0, 4, (const uint8_t[]){0x1b}, 1);
    check_pixels((const uint8_t[]){0, 0, 0, 1, 2, 3, 2, 4, 6, 3, 6, 9}, 4);
    /* Past the end of the palette: the index as a gray. */
    make_png(&file, 3, 1, 8, PNG_COLOR_TYPE_PALETTE, 0, 3, (const uint8_t[]){2, 3, 255}, 3);
    check_pixels((const uint8_t[]){2, 4, 6, 3, 3, 3, 255, 255, 255}, 3);
}
END_TEST

START_TEST(png_interlaced)
{
    static const int types[][3] = {{PNG_COLOR_TYPE_GRAY, 1, 1},
                                   {PNG_COLOR_TYPE_GRAY, 16, 1},
                                   {PNG_COLOR_TYPE_RGB, 8, 3},
                                   {PNG_COLOR_TYPE_PALETTE, 4, 1},
                                   {PNG_COLOR_TYPE_RGB_ALPHA, 16, 4}};
    uint8_t samples[16 * 16 * 8];
    for (size_t i = 0; i < sizeof samples; i++) {
        samples[i] = (uint8_t)(i * 37 ^ i >> 3);
    }
    for (int size = 1; size <= 16; size++) {
        for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
            size_t row_bytes = (size_t)(size * types[t][1] * types[t][2] + 7) / 8;
            int height = 17 - size;
            make_png(&file, size, height, types[t][1], types[t][0], 0, 16, samples, row_bytes);
            struct vgg_image straight = decode_ok();
            make_png(&file, size, height, types[t][1], types[t][0], 1, 16, samples, row_bytes);
            check_pixels(straight.rgb, (size_t)(size * height));
            vgg_image_destroy(&straight);
        }
    }
}
END_TEST

static void check_uniform(const uint8_t *expected)
{
    struct vgg_image image = decode_ok();
    for (int i = 0; i < image.width * image.height; i++) {
        ck_assert_mem_eq(image.rgb + (size_t)i * 3, expected, 3);
    }
    vgg_image_destroy(&image);
}

START_TEST(jpeg_kinds)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        make_jpeg(&file, 17, 9, 1, JCS_GRAYSCALE, progressive, (const uint8_t[]){93});
        check_uniform((const uint8_t[]){93, 93, 93});
        make_jpeg(&file, 17, 9, 3, JCS_RGB, progressive, (const uint8_t[]){255, 255, 255});
        check_uniform((const uint8_t[]){255, 255, 255});
        /* CMYK counts as inverted: 255 is no ink. */
        make_jpeg(&file, 17, 9, 4, JCS_CMYK, progressive, (const uint8_t[]){255, 255, 255, 255});
        check_uniform((const uint8_t[]){255, 255, 255});
        make_jpeg(&file, 17, 9, 4, JCS_CMYK, progressive, (const uint8_t[]){0, 100, 255, 255});
        check_uniform((const uint8_t[]){0, 100, 255});
        make_jpeg(&file, 17, 9, 4, JCS_CMYK, progressive, (const uint8_t[]){0, 128, 255, 128});
        check_uniform((const uint8_t[]){0, 64, 128});
    }
}
END_TEST

START_TEST(jpeg_of_two_components_is_refused)
{
    make_jpeg(&file, 8, 8, 2, JCS_UNKNOWN, false, (const uint8_t[]){1, 2});
    decode_fails(file.size, VGG_ERR_UNSUPPORTED, "2 components, expected 1, 3 or 4");
}
END_TEST

/* A progressive image whose last scan is repeated: each repetition costs a walk over the image. */
START_TEST(jpeg_scans_are_bounded)
{
    make_jpeg(&file, 8, 8, 1, JCS_GRAYSCALE, true, (const uint8_t[]){200});
    size_t scan = file.size - 2;
    while (file.data[scan] != 0xff || file.data[scan + 1] != 0xda) {
        scan--;
    }
    uint8_t last[64];
    size_t last_size = file.size - 2 - scan;
    memcpy(last, file.data + scan, last_size);
    file.size -= 2;
    for (int i = 0; i < 600; i++) {
        append_bytes(&file, last, last_size);
    }
    append_bytes(&file, "\xff\xd9", 2);
    decode_fails(file.size, VGG_ERR_LIMIT, "more than 500 scans");
}
END_TEST

/* Cut anywhere: accepted only when nothing but the end mark is missing. */
START_TEST(cut_files)
{
    static uint8_t samples[24 * 20 * 3];
    for (size_t i = 0; i < sizeof samples; i++) {
        samples[i] = (uint8_t)(i * i >> 3);
    }
    for (int interlace = 0; interlace < 2; interlace++) {
        make_png(&file, 24, 20, 8, PNG_COLOR_TYPE_RGB, interlace, 0, samples, 24 * 3);
        for (size_t size = 0; size < file.size - 12 - 4; size++) {
            decode_fails(size, VGG_ERR_FORMAT, NULL);
        }
    }
    for (int progressive = 0; progressive < 2; progressive++) {
        make_jpeg(&file, 33, 21, 3, JCS_RGB, progressive, (const uint8_t[]){10, 200, 30});
        for (size_t size = 0; size < file.size - 4; size++) {
            decode_fails(size, VGG_ERR_FORMAT, size > 2 ? "truncated" : NULL);
        }
    }
}
END_TEST

/* Any single changed byte: an error or an image, no crash, no leak (run under a sanitizer). */
START_TEST(changed_bytes)
{
    static uint8_t samples[24 * 20 * 3], changed[sizeof file.data];
    for (int kind = 0; kind < 4; kind++) {
        if (kind < 2) {
            make_png(&file, 24, 20, 8, PNG_COLOR_TYPE_PALETTE, kind, 200, samples, 24);
        } else {
            make_jpeg(&file, 33, 21, kind == 2 ? 3 : 4, kind == 2 ? JCS_RGB : JCS_CMYK, kind == 3,
                      (const uint8_t[]){10, 200, 30, 40});
        }
        for (size_t at = 0; at < file.size; at++) {
            for (int bit = 0; bit < 8; bit++) {
                struct vgg_image image = {0};
                memcpy(changed, file.data, file.size);
                changed[at] ^= (uint8_t)(1 << bit);
                if (vgg_image_decode(changed, file.size, "file", NULL, &image, NULL) == VGG_OK) {
                    ck_assert_int_gt(image.width, 0);
                    ck_assert_int_gt(image.height, 0);
                } else {
                    ck_assert_ptr_null(image.rgb);
                }
                vgg_image_destroy(&image);
            }
        }
    }
}
END_TEST

START_TEST(wrong_checksums)
{
    static const uint8_t sample[1] = {3};
    struct vgg_image image;
    make_png(&file, 1, 1, 8, PNG_COLOR_TYPE_GRAY, 0, 0, sample, 1);
    file.data[8 + 8 + 13] ^= 1; /* of IHDR */
    decode_fails(file.size, VGG_ERR_FORMAT, "CRC");
    file.data[8 + 8 + 13] ^= 1;
    /* Of IDAT: not looked at, as in Pillow; zlib's own checksum is. */
    file.data[file.size - 12 - 1] ^= 1;
    image = decode_ok();
    vgg_image_destroy(&image);
    file.data[file.size - 12 - 4 - 1] ^= 1;
    decode_fails(file.size, VGG_ERR_FORMAT, "PNG");
}
END_TEST

START_TEST(foreign_files_are_named)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } cases[] = {
        {"", 0, "an empty file"},
        {"GIF89a....", 10, "found GIF: convert it to PNG first"},
        {"RIFF\1\2\3\4WEBPVP8 ", 16, "found WebP"},
        {"\0\0\0\x1c"
         "ftypavif",
         12, "found AVIF"},
        {"\n <!DOCTYPE html><html>", 23, "found an HTML page"},
        {"<html>", 6, "found an HTML page"},
        {"<svg xmlns", 10, "found SVG"},
        {"PK\3\4", 4, "found a zip archive"},
        {"\x89PNG\n\x1a\n", 7, "found a PNG damaged in transfer"},
        {"\xff\xd8", 2, "damaged JPEG"},
        {"hello", 5, "found text"},
        {"\1\2\3\4\0", 5, "found data of another kind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(file.data, cases[i].bytes, cases[i].size);
        decode_fails(cases[i].size, VGG_ERR_FORMAT, "expected a JPEG or PNG, found");
        decode_fails(cases[i].size, VGG_ERR_FORMAT, cases[i].name);
    }
}
END_TEST

START_TEST(limits_hold)
{
    struct vgg_limits limits;
    const struct vgg_context context = {.limits = &limits};
    struct vgg_error err = {0};
    struct vgg_image image = {.width = -7};
    vgg_limits_init(&limits);
    make_jpeg(&file, 20, 10, 3, JCS_RGB, false, (const uint8_t[]){1, 2, 3});
    limits.image_pixels = 199;
    ck_assert_int_eq(vgg_image_decode(file.data, file.size, "file", &context, &image, &err),
                     VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message, "file: image of 20 x 10 pixels, limit is 199 in all");
    limits.image_pixels = 200;
    limits.image_file_bytes = file.size - 1;
    ck_assert_int_eq(vgg_image_decode(file.data, file.size, "file", &context, &image, &err),
                     VGG_ERR_LIMIT);
    ck_assert_int_eq(image.width, -7);
    limits.image_file_bytes = file.size;
    ck_assert_int_eq(vgg_image_decode(file.data, file.size, "file", &context, &image, &err),
                     VGG_OK);
    vgg_image_destroy(&image);

    /* A PNG of 58 bytes that announces 2^31-1 x 2^31-1 pixels. */
    make_png(&file, 1, 1, 8, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){3}, 1);
    memcpy(file.data + 16, "\x7f\xff\xff\xff\x7f\xff\xff\xff", 8);
    uint32_t crc = 0xffffffff;
    for (int i = 12; i < 29; i++) {
        crc ^= file.data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    png_save_uint_32(file.data + 29, ~crc);
    decode_fails(file.size, VGG_ERR_LIMIT, "2147483647 x 2147483647");
}
END_TEST

START_TEST(opens_files)
{
    char path[UNIT_FOLDER_BYTES];
    struct vgg_error err = {0};
    struct vgg_image image = {.width = -7};
    int fd = mkstemp(unit_temporary(path, "vgg-decode"));
    ck_assert_int_ge(fd, 0);
    make_png(&file, 2, 1, 8, PNG_COLOR_TYPE_GRAY, 0, 0, (const uint8_t[]){7, 200}, 2);
    ck_assert_int_eq(write(fd, file.data, file.size), (ssize_t)file.size);
    close(fd);
    ck_assert_int_eq(vgg_image_open(path, NULL, &image, &err), VGG_OK);
    ck_assert_int_eq(image.width, 2);
    vgg_image_destroy(&image);
    ck_assert_ptr_null(image.rgb);
    unlink(path);
    image.width = -7;
    ck_assert_int_eq(vgg_image_open(path, NULL, &image, &err), VGG_ERR_IO);
    ck_assert_int_eq(image.width, -7);
    ck_assert_int_eq(vgg_image_open("/", NULL, &image, &err), VGG_ERR_IO);
    ck_assert_int_eq(vgg_image_open(NULL, NULL, &image, &err), VGG_ERR_ARGUMENT);
    vgg_image_destroy(NULL);
}
END_TEST

UNIT_MAIN("decode", png_gray, png_deep, png_alpha_is_dropped, png_palette, png_interlaced,
          jpeg_kinds, jpeg_of_two_components_is_refused, jpeg_scans_are_bounded, cut_files,
          changed_bytes, wrong_checksums, foreign_files_are_named, limits_hold, opens_files)
