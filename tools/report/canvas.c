/* SPDX-License-Identifier: MIT */
/* An image to draw on. */
#include "report/canvas.h"

#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "io/message.h"

enum { FIRST = ' ', LAST = '~', GLYPH_COLUMNS = 5 };

static const uint8_t font[LAST - FIRST + 1][CANVAS_GLYPH_HEIGHT] = {
#include "report/font.inc"
};

vgg_status canvas_create(int width, int height, struct canvas *out, struct vgg_error *err)
{
    const size_t bytes = (size_t)width * (size_t)height * 3;
    *out = (struct canvas){.width = width, .height = height, .rgb = malloc(bytes)};
    if (out->rgb == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory for an image of %dx%d", width,
                            height);
    }
    memset(out->rgb, 0xff, bytes);
    return VGG_OK;
}

void canvas_free(struct canvas *canvas)
{
    free(canvas->rgb);
    *canvas = (struct canvas){0};
}

static int clamp(int value, int high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, uint32_t color)
{
    const int right = clamp(x + width, canvas->width), bottom = clamp(y + height, canvas->height);
    for (int row = clamp(y, canvas->height); row < bottom; row++) {
        for (int column = clamp(x, canvas->width); column < right; column++) {
            uint8_t *pixel =
                canvas->rgb + 3 * ((size_t)row * (size_t)canvas->width + (size_t)column);
            pixel[0] = (uint8_t)(color >> 16);
            pixel[1] = (uint8_t)(color >> 8);
            pixel[2] = (uint8_t)color;
        }
    }
}

static bool has_ink(const uint8_t *glyph, int row, int column)
{
    return row >= 0 && row < CANVAS_GLYPH_HEIGHT && column >= 0 && column < GLYPH_COLUMNS &&
           (glyph[row] >> (GLYPH_COLUMNS - 1 - column) & 1) != 0;
}

/* The corners of a blank pixel between two inked neighbours are filled half, so that strokes that run
 * aslant do not break into steps. */
static void write_corners(struct canvas *canvas, int x, int y, int scale, uint32_t color,
                          const uint8_t *glyph, int row, int column)
{
    const int half = scale / 2;
    for (int corner = 0; corner < 4; corner++) {
        const int down = corner / 2, right = corner % 2;
        const int dy = down ? 1 : -1, dx = right ? 1 : -1;
        if (has_ink(glyph, row + dy, column) && has_ink(glyph, row, column + dx) &&
            !has_ink(glyph, row + dy, column + dx)) {
            canvas_fill(canvas, x + (right ? scale - half : 0), y + (down ? scale - half : 0), half,
                        half, color);
        }
    }
}

static void write_glyph(struct canvas *canvas, int x, int y, int scale, uint32_t color,
                        const uint8_t *glyph)
{
    for (int row = 0; row < CANVAS_GLYPH_HEIGHT; row++) {
        for (int column = 0; column < GLYPH_COLUMNS; column++) {
            const int left = x + column * scale, top = y + row * scale;
            if (has_ink(glyph, row, column)) {
                canvas_fill(canvas, left, top, scale, scale, color);
            } else {
                write_corners(canvas, left, top, scale, color, glyph, row, column);
            }
        }
    }
}

int canvas_write(struct canvas *canvas, int x, int y, int scale, uint32_t color, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80) {
            continue;
        }
        const char c = *p >= FIRST && *p <= LAST ? *p : '?';
        write_glyph(canvas, x, y, scale, color, font[c - FIRST]);
        x += scale * CANVAS_GLYPH_WIDTH;
    }
    return x;
}

int canvas_get_text_width(int scale, const char *text)
{
    int count = 0;
    for (const char *p = text; *p != '\0'; p++) {
        count += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return count * scale * CANVAS_GLYPH_WIDTH;
}

uint32_t canvas_mix(uint32_t a, uint32_t b, double share)
{
    uint32_t color = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        const double from = a >> shift & 0xff, to = b >> shift & 0xff;
        color |= (uint32_t)(from + share * (to - from) + 0.5) << shift;
    }
    return color;
}

vgg_status canvas_save(const struct canvas *canvas, const char *path, struct vgg_error *err)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)canvas->width,
        .height = (png_uint_32)canvas->height,
        .format = PNG_FORMAT_RGB,
    };
    FILE *file = fopen(path, "wbe");
    if (file == NULL) {
        return message_fail_errno(err, "%s: cannot create", path);
    }
    vgg_status status = VGG_OK;
    if (png_image_write_to_stdio(&image, file, 0, canvas->rgb, 0, NULL) == 0) {
        status = message_fail(err, VGG_ERR_IO, "%s: cannot write: %s", path, image.message);
    }
    if (fclose(file) != 0 && status == VGG_OK) {
        status = message_fail_errno(err, "%s: cannot write", path);
    }
    return status;
}
