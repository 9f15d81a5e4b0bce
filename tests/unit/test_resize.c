/* SPDX-License-Identifier: MIT */
/* image/resize: values worked out by hand, the order of the passes, windows. */
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "image/resize.h"

static struct vgg_image blank(int width, int height)
{
    struct vgg_image image;
    struct vgg_image_job job = vgg_image_job_make("blank", NULL, NULL);
    ck_assert_int_eq(vgg_image_set_size(&job, (uint64_t)width, (uint64_t)height, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_create(&job, &image, NULL), VGG_OK);
    return image;
}

/* An image of height 1 (or width 1) whose three channels hold v, v and 255 - v. */
static struct vgg_image line_of(const uint8_t *values, int count, bool upright)
{
    struct vgg_image image = blank(upright ? 1 : count, upright ? count : 1);
    for (int i = 0; i < count; i++) {
        image.rgb[3 * i] = image.rgb[3 * i + 1] = values[i];
        image.rgb[3 * i + 2] = (uint8_t)(255 - values[i]);
    }
    return image;
}

static void check_line(const uint8_t *from, int from_count, const uint8_t *to, int to_count)
{
    for (int upright = 0; upright < 2; upright++) {
        struct vgg_image image = line_of(from, from_count, upright), resized;
        ck_assert_int_eq(vgg_image_resize(&image, upright ? 1 : to_count, upright ? to_count : 1,
                                          &resized, NULL),
                         VGG_OK);
        for (int i = 0; i < to_count; i++) {
            ck_assert_uint_eq(resized.rgb[3 * i], to[i]);
            ck_assert_uint_eq(resized.rgb[3 * i + 1], to[i]);
        }
        vgg_image_destroy(&resized);
        vgg_image_destroy(&image);
    }
}

static struct vgg_image noise(int width, int height, uint32_t seed)
{
    struct vgg_image image = blank(width, height);
    for (int i = 0; i < width * height * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        image.rgb[i] = (uint8_t)(seed >> 24);
    }
    return image;
}

START_TEST(halves)
{
    /* Both pixels weigh the same; half a level rounds up. */
    check_line((const uint8_t[]){0, 255}, 2, (const uint8_t[]){128}, 1);
    check_line((const uint8_t[]){1, 2}, 2, (const uint8_t[]){2}, 1);
}
END_TEST

START_TEST(three_to_two)
{
    /* Weights 5/8 and 3/8: the triangle's values 5/6 and 1/2 over their sum. */
    check_line((const uint8_t[]){0, 80, 160}, 3, (const uint8_t[]){30, 130}, 2);
}
END_TEST

START_TEST(doubles)
{
    check_line((const uint8_t[]){0, 100}, 2, (const uint8_t[]){0, 25, 75, 100}, 4);
}
END_TEST

START_TEST(keeps_constants)
{
    static const int sizes[] = {1, 2, 3, 7, 256, 1000, 3001};
    static uint8_t values[3001], expected[3001];
    static const uint8_t levels[] = {0, 1, 127, 254, 255};
    for (size_t v = 0; v < sizeof levels; v++) {
        memset(values, levels[v], sizeof values);
        memset(expected, levels[v], sizeof expected);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
                check_line(values, sizes[i], expected, sizes[j]);
            }
        }
    }
}
END_TEST

START_TEST(goes_horizontally_first)
{
    /* Rows first: (0+1)/2 -> 1, (2+1)/2 -> 2, (1+2)/2 -> 2. Columns first would give 1. */
    struct vgg_image image = noise(2, 2, 1), resized;
    static const uint8_t levels[] = {0, 1, 2, 1};
    for (int i = 0; i < 4; i++) {
        memset(image.rgb + (size_t)i * 3, levels[i], 3);
    }
    ck_assert_int_eq(vgg_image_resize(&image, 1, 1, &resized, NULL), VGG_OK);
    ck_assert_uint_eq(resized.rgb[0], 2);
    vgg_image_destroy(&resized);
    vgg_image_destroy(&image);
}
END_TEST

START_TEST(same_size_is_a_copy)
{
    struct vgg_image image = noise(13, 7, 2), resized;
    ck_assert_int_eq(vgg_image_resize(&image, 13, 7, &resized, NULL), VGG_OK);
    ck_assert_int_eq(resized.width, 13);
    ck_assert_int_eq(resized.height, 7);
    ck_assert_mem_eq(resized.rgb, image.rgb, 13 * 7 * 3);
    vgg_image_destroy(&resized);
    vgg_image_destroy(&image);
}
END_TEST

/* The rows of a window, which must come from the top without a gap. */
struct window {
    uint8_t *next;
    size_t bytes; /* of a row */
    int rows;
};

static void put(void *user, int y, const uint8_t *row)
{
    struct window *window = user;
    ck_assert_int_eq(y, window->rows++);
    memcpy(window->next, row, window->bytes);
    window->next += window->bytes;
}

static void resize_window(const struct vgg_image *image, const struct vgg_resizing *resizing,
                          uint8_t *out)
{
    struct window window = {.next = out, .bytes = (size_t)resizing->window.width * 3};
    const struct vgg_resized resized = {put, &window};
    struct vgg_image_job job = vgg_image_job_unlimited(image);
    struct vgg_resizer resizer;
    ck_assert_int_eq(vgg_resizer_create(&job, resizing, &resized, &resizer, NULL), VGG_OK);
    for (int y = 0; y < image->height; y++) {
        vgg_resizer_take(&resizer, image->rgb + (size_t)y * (size_t)image->width * 3);
    }
    ck_assert_int_eq(window.rows, resizing->window.height);
    vgg_resizer_destroy(&resizer);
}

/* Every window of the target must hold what the whole target holds there. */
START_TEST(windows_agree_with_the_whole)
{
    static const int sizes[][4] = {
        {31, 17, 11, 29}, {5, 40, 40, 5}, {20, 20, 20, 9}, {20, 20, 9, 20}, {1, 1, 8, 8}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int width = sizes[s][2], height = sizes[s][3];
        struct vgg_image image = noise(sizes[s][0], sizes[s][1], 3), whole;
        ck_assert_int_eq(vgg_image_resize(&image, width, height, &whole, NULL), VGG_OK);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                struct vgg_rectangle window = {x, y, 1 + (width - x - 1) / 2, height - y};
                uint8_t part[40 * 40 * 3];
                size_t stride = (size_t)window.width * 3;
                const struct vgg_resizing resizing = {
                    .width = width, .height = height, .window = window, .channels = 3};
                resize_window(&image, &resizing, part);
                for (int row = 0; row < window.height; row++) {
                    ck_assert_mem_eq(
                        part + (size_t)row * stride,
                        whole.rgb + ((size_t)(y + row) * (size_t)width + (size_t)x) * 3, stride);
                }
            }
        }
        vgg_image_destroy(&whole);
        vgg_image_destroy(&image);
    }
}
END_TEST

START_TEST(refuses_bad_arguments)
{
    struct vgg_error err = {0};
    struct vgg_image image = noise(2, 2, 4), out = {.width = 7};
    ck_assert_int_eq(vgg_image_resize(&image, 0, 1, &out, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_image_resize(&image, 1, -1, &out, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_image_resize(NULL, 1, 1, &out, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(out.width, 7);
    vgg_image_destroy(&image);
}
END_TEST

UNIT_MAIN("resize", halves, three_to_two, doubles, keeps_constants, goes_horizontally_first,
          same_size_is_a_copy, windows_agree_with_the_whole, refuses_bad_arguments)
