/* SPDX-License-Identifier: MIT */
/* A chart of the time of each layer.
 *
 *     vgg16: 47.59 ms                        what, and how long
 *     avx512, 2 threads, batch 1 …           how
 *     ■ direct ■ F(4) …  ▐ roofline time    what the colours are
 *     features.0   ████▒▒▒▒  0.76 ms  51 %   a bar for each layer: full up to the roofline, pale beyond
 *     0        5        10       15 ms       the axis */
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/message.h"
#include "io/plural.h"

enum {
    MARGIN = 28,
    SCALE = 2, /* of text; the title's is one more */
    LINE = 30, /* height of a row */
    BAR = 20,  /* of which is bar */
    BARS_WIDTH = 620,
    GAP = 14,
    MAX_NAME = 28, /* characters of a layer's name that are shown */
    MAX_FIGURES = 40,
    TEXT_HEIGHT = SCALE * CANVAS_GLYPH_HEIGHT,
    TOP = MARGIN + 32 + 2 * LINE + 26, /* of the first bar's row */
    MAX_LAYERS = 500,
};

/* Steps without arithmetic that take less than this share of the run are one row together. */
#define SMALL_SHARE 0.005

static const uint32_t ink = 0x222222, grid = 0xe2e2e2, paper = 0xffffff;
static const struct canvas_style title = {SCALE + 1, 0x222222}, plain = {SCALE, 0x222222},
                                 pale = {SCALE, 0x666666};

/* What a bar's colour stands for. */
enum family { DIRECT, F2, F4, F6, LINEAR, OTHER, FAMILIES };
static const struct {
    const char *name;
    uint32_t color;
} families[FAMILIES] = {
    [DIRECT] = {"direct", 0x3b6fb6},
    [F2] = {"F(2)", 0x2a9d8f},
    [F4] = {"F(4)", 0x4f9a3a},
    [F6] = {"F(6)", 0xd9a400},
    [LINEAR] = {"fully connected", 0xa2559c},
    [OTHER] = {"no products", 0x8a8f98},
};

/* One bar. */
struct bar {
    char name[MAX_NAME + 1];
    char figures[MAX_FIGURES + 1]; /* behind it */
    enum family family;
    double ms, roofline_ms;
};

struct plot {
    struct bar bars[MAX_LAYERS + 1];
    int count;
    int name_width;  /* of the widest name, in pixels */
    double scale_ms; /* the right end of the axis */
    double tick_ms;
    bool has[FAMILIES];
};

static enum family get_family(const struct vgg_step_info *info)
{
    if (info->products <= 0) {
        return OTHER;
    }
    if (strncmp(info->nodes, "Linear", 6) == 0) {
        return LINEAR;
    }
    if (strncmp(info->algorithm, "F(", 2) == 0) {
        const char size = info->algorithm[2];
        return size == '2' ? F2 : size == '4' ? F4 : F6;
    }
    return DIRECT;
}

/* A name that is too long keeps its end, which differs between layers. */
static void shorten(const char *name, char out[MAX_NAME + 1])
{
    const size_t length = strlen(name);
    if (length <= MAX_NAME) {
        snprintf(out, MAX_NAME + 1, "%s", name);
    } else {
        snprintf(out, MAX_NAME + 1, "..%s", name + length - MAX_NAME + 2);
    }
}

static struct bar make_bar(const struct measure_step *step, const struct vgg_peak *peak)
{
    struct bar bar = {
        .family = get_family(&step->info),
        .ms = step->ms,
        .roofline_ms = measure_get_roofline_ms(&step->info, peak),
    };
    shorten(step->info.name, bar.name);
    if (bar.roofline_ms > 0) {
        snprintf(bar.figures, sizeof bar.figures, "%7.3f ms %3.0f %%  %.20s", bar.ms,
                 100 * bar.roofline_ms / bar.ms, step->info.algorithm);
    } else {
        snprintf(bar.figures, sizeof bar.figures, "%7.3f ms", bar.ms);
    }
    return bar;
}

/* A step of 1, 2 or 5 times a power of ten that divides the axis into two to nine parts. */
static double choose_tick(double whole)
{
    const double power = pow(10, floor(log10(whole)));
    const double part = whole / power;
    return power * (part <= 1.5 ? 0.2 : part <= 4 ? 0.5 : 1);
}

static void collect(struct plot *plot, const struct measurement *measurement)
{
    const struct vgg_peak peak = measurement_get_peak(measurement);
    struct bar rest = {.family = OTHER};
    int rest_count = 0;
    double longest = 0;
    for (size_t s = 0; s < measurement->step_count; s++) {
        const struct measure_step *step = &measurement->steps[s];
        const bool small =
            step->info.products <= 0 && step->ms < SMALL_SHARE * measurement->run.p50;
        if (small || plot->count == MAX_LAYERS) {
            rest.ms += step->ms;
            rest_count++;
        } else {
            plot->bars[plot->count++] = make_bar(step, &peak);
        }
    }
    if (rest_count > 0) {
        snprintf(rest.name, sizeof rest.name, "%d others", rest_count);
        snprintf(rest.figures, sizeof rest.figures, "%7.3f ms", rest.ms);
        plot->bars[plot->count++] = rest;
    }
    for (int i = 0; i < plot->count; i++) {
        const struct bar *bar = &plot->bars[i];
        const int width = canvas_get_text_width(SCALE, bar->name);
        plot->name_width = width > plot->name_width ? width : plot->name_width;
        longest = fmax(longest, fmax(bar->ms, bar->roofline_ms));
        plot->has[bar->family] = true;
    }
    longest = longest > 0 ? longest : 1;
    plot->tick_ms = choose_tick(longest);
    plot->scale_ms = longest * 1.02;
}

static int to_pixels(const struct plot *plot, double ms)
{
    return (int)lround(ms / plot->scale_ms * BARS_WIDTH);
}

static void draw_head(struct canvas *canvas, const struct bench_about *about,
                      const struct measure_options *options, const struct measurement *measurement)
{
    const struct measure_total total = measurement_sum(measurement);
    const double ms = measurement->run.p50;
    char line[256];
    snprintf(line, sizeof line, "%.40s: %.2f ms", about->model->info.name, ms);
    canvas_write(canvas, MARGIN, MARGIN, title, line);
    snprintf(line, sizeof line, "%s, %d thread%s, batch %d, %dx%d, conv %s: %.0f GFLOP/s, %.40s",
             vgg_isa_string(options->isa), options->threads, plural_s((uint64_t)options->threads),
             options->batch, about->width, about->height, bench_conv_string(options->conv),
             2e-6 * total.multiply_adds / ms, about->machine.model);
    canvas_write(canvas, MARGIN, MARGIN + 36, pale, line);
}

static void draw_roofline_mark(struct canvas *canvas, int x, int y)
{
    canvas_fill(canvas, (struct canvas_box){x - 1, y - 3, 3, BAR + 6}, ink);
}

static void draw_legend(struct canvas *canvas, const struct plot *plot)
{
    const int y = MARGIN + 36 + LINE + 4;
    int x = MARGIN;
    for (int i = 0; i < FAMILIES; i++) {
        if (plot->has[i]) {
            const struct canvas_box sample = {x, y, TEXT_HEIGHT, TEXT_HEIGHT - SCALE};
            canvas_fill(canvas, sample, families[i].color);
            x = canvas_write(canvas, x + TEXT_HEIGHT + 8, y, plain, families[i].name) + 24;
        }
    }
    canvas_fill(canvas, (struct canvas_box){x, y - 2, 3, TEXT_HEIGHT + 2}, ink);
    canvas_write(canvas, x + 16, y, plain, "roofline");
}

static void draw_axis(struct canvas *canvas, const struct plot *plot, int left, int bottom)
{
    const char *unit = "ms";
    canvas_write(canvas, left - GAP - canvas_get_text_width(SCALE, unit), bottom + 12, pale, unit);
    const int ticks = (int)(plot->scale_ms / plot->tick_ms);
    for (int i = 0; i <= ticks; i++) {
        char label[32];
        const int x = left + to_pixels(plot, i * plot->tick_ms);
        snprintf(label, sizeof label, "%.6g", i * plot->tick_ms);
        canvas_fill(canvas, (struct canvas_box){x, TOP - 6, 1, bottom - TOP + 12}, grid);
        canvas_write(canvas, x - canvas_get_text_width(SCALE, label) / 2, bottom + 12, pale, label);
    }
}

static void draw_bars(struct canvas *canvas, const struct plot *plot, int left)
{
    for (int i = 0; i < plot->count; i++) {
        const struct bar *bar = &plot->bars[i];
        const int y = TOP + i * LINE, bar_y = y + (LINE - BAR) / 2;
        const int text_y = y + (LINE - TEXT_HEIGHT) / 2 + SCALE / 2;
        const int end = to_pixels(plot, bar->ms), peak = to_pixels(plot, bar->roofline_ms);
        const uint32_t color = families[bar->family].color;
        canvas_write(canvas, left - GAP - canvas_get_text_width(SCALE, bar->name), text_y, plain,
                     bar->name);
        const struct canvas_box whole = {left, bar_y, end > 0 ? end : 1, BAR};
        const struct canvas_box full = {left, bar_y, peak < end ? peak : end, BAR};
        canvas_fill(canvas, whole, canvas_mix(color, paper, 0.5));
        canvas_fill(canvas, full, color);
        if (bar->roofline_ms > 0) {
            draw_roofline_mark(canvas, left + peak, bar_y);
        }
        canvas_write(canvas, left + BARS_WIDTH + GAP, text_y, plain, bar->figures);
    }
}

vgg_status plot_draw(const struct bench_about *about, const struct measure_options *options,
                     const struct measurement *measurement, struct canvas *out,
                     struct vgg_error *err)
{
    static struct plot plot; /* too large for the stack; the command has one thread */
    plot = (struct plot){0};
    collect(&plot, measurement);
    const int left = MARGIN + plot.name_width + GAP, bottom = TOP + plot.count * LINE;
    const int figures = MAX_FIGURES * SCALE * CANVAS_GLYPH_WIDTH;
    vgg_status status =
        canvas_create(left + BARS_WIDTH + GAP + figures + MARGIN, bottom + LINE + MARGIN, out, err);
    if (status != VGG_OK) {
        return status;
    }
    draw_head(out, about, options, measurement);
    draw_legend(out, &plot);
    draw_axis(out, &plot, left, bottom);
    draw_bars(out, &plot, left);
    return VGG_OK;
}

vgg_status plot_save(const struct output *output, const struct bench_about *about,
                     const struct measure_options *options, const struct measurement *measurement,
                     struct vgg_error *err)
{
    struct canvas canvas;
    vgg_status status = plot_draw(about, options, measurement, &canvas, err);
    if (status == VGG_OK) {
        status = canvas_save(&canvas, output, err);
    }
    canvas_free(&canvas);
    return status;
}
