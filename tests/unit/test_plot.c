/* SPDX-License-Identifier: MIT */
/* tools/plot and canvas: what is drawn is where it should be, and the file is a PNG of it. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report/plot.h"
#include "vgg/image.h"

static struct vgg_error err;

static uint32_t get(const struct canvas *canvas, int x, int y)
{
    const uint8_t *pixel = canvas->rgb + 3 * (y * canvas->width + x);
    return (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
}

static int count(const struct canvas *canvas, uint32_t color)
{
    int found = 0;
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            found += get(canvas, x, y) == color;
        }
    }
    return found;
}

START_TEST(fills_and_cuts_off)
{
    struct canvas canvas;
    ck_assert_int_eq(canvas_create(10, 8, &canvas, &err), VGG_OK);
    ck_assert_int_eq(count(&canvas, 0xffffff), 80);
    canvas_fill(&canvas, (struct canvas_box){2, 3, 4, 2}, 0x102030);
    ck_assert_int_eq(count(&canvas, 0x102030), 8);
    ck_assert_uint_eq(get(&canvas, 2, 3), 0x102030);
    ck_assert_uint_eq(get(&canvas, 6, 3), 0xffffff);
    canvas_fill(&canvas, (struct canvas_box){-5, -5, 6, 6}, 0xff0000);
    canvas_fill(&canvas, (struct canvas_box){9, 7, 100, 100}, 0xff0000);
    canvas_fill(&canvas, (struct canvas_box){50, 50, 3, 3}, 0xff0000);
    ck_assert_int_eq(count(&canvas, 0xff0000), 2);
    canvas_free(&canvas);
    ck_assert_uint_eq(canvas_mix(0x000000, 0xff8040, 0.5), 0x804020);
}
END_TEST

START_TEST(writes_text)
{
    struct canvas canvas;
    ck_assert_int_eq(canvas_create(40, 8, &canvas, &err), VGG_OK);
    ck_assert_int_eq(canvas_write(&canvas, 0, 0, (struct canvas_style){1, 0}, "|-"), 12);
    ck_assert_int_eq(count(&canvas, 0), 8 + 5);
    ck_assert_uint_eq(get(&canvas, 2, 0), 0);
    ck_assert_uint_eq(get(&canvas, 6, 3), 0);
    ck_assert_int_eq(canvas_get_text_width(2, "größer"), 6 * 12);
    ck_assert_int_eq(canvas_write(&canvas, 30, 4, (struct canvas_style){3, 0}, "cut off \xc3\xa9"),
                     30 + 9 * 18);
    canvas_free(&canvas);
}
END_TEST

/* Two layers and three steps that are gathered in one bar. */
START_TEST(draws_layers)
{
    struct measure_step steps[] = {
        {{.name = "features.0",
          .nodes = "Conv2d + ReLU",
          .algorithm = "F(4) by frequency",
          .multiply_adds = 4e6,
          .products = 1e6},
         .ms = 4},
        {{.name = "classifier.0",
          .nodes = "Linear",
          .algorithm = "in place",
          .multiply_adds = 1e6,
          .products = 1e6,
          .weight_bytes = 4000000,
          .read_bytes = 4000000},
         .ms = 8},
        {{.name = "a", .nodes = "Dropout", .algorithm = ""}, .ms = 0.001},
        {{.name = "b", .nodes = "Flatten", .algorithm = ""}, .ms = 0.001},
        {{.name = "c", .nodes = "Dropout", .algorithm = ""}, .ms = 0},
    };
    const struct report_model model = {.info = {.name = "vgg"}};
    const struct bench_about about = {.model = &model, .input = "random", .height = 8, .width = 8};
    const struct measure_options options = {.threads = 1, .batch = 1, .isa = VGG_ISA_AVX2};
    const struct measurement measurement = {
        .run = {.count = 1, .p50 = 12.002},
        .begin = {.flops_per_second = 1e9,
                  .bytes_per_second = 1e9,
                  .winograd_flops_per_second = 1e9},
        .end = {.flops_per_second = 1e9},
        .steps = steps,
        .step_count = sizeof steps / sizeof steps[0],
    };
    struct canvas canvas;
    ck_assert_int_eq(plot_draw(&about, &options, &measurement, &canvas, &err), VGG_OK);
    ck_assert_double_eq_tol(measure_get_roofline_ms(&steps[0].info, &measurement.begin), 2, 1e-9);
    ck_assert_double_eq_tol(measure_get_roofline_ms(&steps[1].info, &measurement.begin), 4, 1e-9);
    /* Both bars are full for half of their length, and the second is twice as long. */
    const int winograd = count(&canvas, 0x4f9a3a), linear = count(&canvas, 0xa2559c);
    ck_assert_int_gt(winograd, 2500);
    ck_assert_int_gt(linear, 17 * winograd / 10);
    ck_assert_int_lt(linear, 23 * winograd / 10);
    ck_assert_int_gt(count(&canvas, canvas_mix(0xa2559c, 0xffffff, 0.5)), 4000);

    char path[UNIT_FOLDER_BYTES];
    struct vgg_image image;
    const int fd = mkstemp(unit_temporary(path, "vgg-plot"));
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct output output = {.path = path, .file = fopen(path, "wb")};
    ck_assert_int_eq(plot_save(&output, &about, &options, &measurement, &err), VGG_OK);
    ck_assert_int_eq(fclose(output.file), 0);
    ck_assert_int_eq(vgg_image_open(path, NULL, &image, &err), VGG_OK);
    ck_assert_int_eq(image.width, canvas.width);
    ck_assert_int_eq(image.height, canvas.height);
    ck_assert_mem_eq(image.rgb, canvas.rgb, 3 * (size_t)image.width * (size_t)image.height);
    vgg_image_destroy(&image);
    canvas_free(&canvas);
    unlink(path);
    output.file = fopen("/dev/null", "rb");
    ck_assert_int_eq(plot_save(&output, &about, &options, &measurement, &err), VGG_ERR_IO);
    fclose(output.file);
}
END_TEST

UNIT_MAIN("plot", fills_and_cuts_off, writes_text, draws_layers)
