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

void canvas_fill(struct canvas *canvas, struct canvas_box box, uint32_t color)
{
    const int right = clamp(box.x + box.width, canvas->width);
    const int bottom = clamp(box.y + box.height, canvas->height);
    for (int row = clamp(box.y, canvas->height); row < bottom; row++) {
        for (int column = clamp(box.x, canvas->width); column < right; column++) {
            uint8_t *pixel =
                canvas->rgb + 3 * ((size_t)row * (size_t)canvas->width + (size_t)column);
            pixel[0] = (uint8_t)(color >> 16);
            pixel[1] = (uint8_t)(color >> 8);
            pixel[2] = (uint8_t)color;
        }
    }
}

/* A pixel of a character. */
struct dot {
    const uint8_t *glyph;
    int row, column;
};

/* Whether the pixel next to it, down and right or in the opposite directions, has ink. */
static bool has_ink(const struct dot *dot, int down, int right)
{
    const int row = dot->row + down, column = dot->column + right;
    return row >= 0 && row < CANVAS_GLYPH_HEIGHT && column >= 0 && column < GLYPH_COLUMNS &&
           (dot->glyph[row] >> (GLYPH_COLUMNS - 1 - column) & 1) != 0;
}

/* The corners of a blank pixel between two inked neighbours are filled half, so that strokes that run
 * aslant do not break into steps. */
static void write_corners(struct canvas *canvas, struct canvas_box box, uint32_t color,
                          const struct dot *dot)
{
    const int half = box.width / 2;
    for (int corner = 0; corner < 4; corner++) {
        const int down = corner / 2 ? 1 : -1, right = corner % 2 ? 1 : -1;
        if (has_ink(dot, down, 0) && has_ink(dot, 0, right) && !has_ink(dot, down, right)) {
            const struct canvas_box part = {.x = box.x + (right > 0 ? box.width - half : 0),
                                            .y = box.y + (down > 0 ? box.height - half : 0),
                                            .width = half,
                                            .height = half};
            canvas_fill(canvas, part, color);
        }
    }
}

static void write_glyph(struct canvas *canvas, int x, int y, struct canvas_style style,
                        const uint8_t *glyph)
{
    const int scale = style.scale;
    for (int row = 0; row < CANVAS_GLYPH_HEIGHT; row++) {
        for (int column = 0; column < GLYPH_COLUMNS; column++) {
            const struct canvas_box box = {x + column * scale, y + row * scale, scale, scale};
            const struct dot dot = {glyph, row, column};
            if (has_ink(&dot, 0, 0)) {
                canvas_fill(canvas, box, style.color);
            } else {
                write_corners(canvas, box, style.color, &dot);
            }
        }
    }
}

int canvas_write(struct canvas *canvas, int x, int y, struct canvas_style style, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80) {
            continue;
        }
        const char c = *p >= FIRST && *p <= LAST ? *p : '?';
        write_glyph(canvas, x, y, style, font[c - FIRST]);
        x += style.scale * CANVAS_GLYPH_WIDTH;
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

vgg_status canvas_save(const struct canvas *canvas, const struct output *output,
                       struct vgg_error *err)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)canvas->width,
        .height = (png_uint_32)canvas->height,
        .format = PNG_FORMAT_RGB,
    };
    errno = 0;
    if (png_image_write_to_stdio(&image, output->file, 0, canvas->rgb, 0, NULL) != 0) {
        return VGG_OK;
    }
    return errno != 0
               ? message_fail_errno(err, "%s: cannot write", output->path)
               : message_fail(err, VGG_ERR_IO, "%s: cannot write: %s", output->path, image.message);
}
