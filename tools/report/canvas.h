/* SPDX-License-Identifier: MIT */
/* An image in memory to draw on: rectangles and text in plain colours, clipped at its edges. */
#ifndef TOOLS_REPORT_CANVAS_H
#define TOOLS_REPORT_CANVAS_H

#include <stdint.h>

#include "io/output.h"

/* The cell of a character at scale 1, in pixels, gaps included. */
enum { CANVAS_GLYPH_WIDTH = 6, CANVAS_GLYPH_HEIGHT = 8 };

struct canvas {
    int width, height;
    uint8_t *rgb; /* [height][width][3] */
};

/* A white image; free it with canvas_free. Errors: MEMORY. */
vgg_status canvas_create(int width, int height, struct canvas *out, struct vgg_error *err);
void canvas_free(struct canvas *canvas);

struct canvas_box {
    int x, y, width, height;
};

/* color  0xRRGGBB */
void canvas_fill(struct canvas *canvas, struct canvas_box box, uint32_t color);

struct canvas_style {
    int scale; /* width and height of a pixel of the font */
    uint32_t color;
};

/* Text whose first cell has its upper left corner at x, y. A code point outside ASCII is drawn as '?'. Returns the
 * x behind it. */
int canvas_write(struct canvas *canvas, int x, int y, struct canvas_style style, const char *text);
/* The width that canvas_write takes. */
int canvas_get_text_width(int scale, const char *text);

/* The color between two: share 0 is a, 1 is b. */
uint32_t canvas_mix(uint32_t a, uint32_t b, double share);

/* Writes a PNG file into an open output. Errors: IO, MEMORY. */
vgg_status canvas_save(const struct canvas *canvas, const struct output *output,
                       struct vgg_error *err);

#endif
