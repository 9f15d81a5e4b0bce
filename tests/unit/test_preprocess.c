/* SPDX-License-Identifier: MIT */
/* image/placement, image/preprocess and base/preset: sizes, crops, padding, values, limits. */
#include "unit.h"

#include <stdint.h>
#include <string.h>

#include "image/image.h"

/* A gray image whose level counts up from 1, row by row. */
static struct vgg_image counting(int width, int height)
{
    struct vgg_image image;
    struct vgg_image_job job = vgg_image_job_make("count", NULL, NULL);
    ck_assert_int_eq(vgg_image_set_size(&job, (uint64_t)width, (uint64_t)height, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_create(&job, &image, NULL), VGG_OK);
    for (int i = 0; i < width * height; i++) {
        memset(image.rgb + (size_t)i * 3, i + 1, 3);
    }
    return image;
}

static struct vgg_preprocess plain(int resize, int crop)
{
    return (struct vgg_preprocess){.name = "custom",
                                   .resize = resize,
                                   .crop = crop,
                                   .mean = {0.0f, 0.0f, 0.0f},
                                   .std = {1.0f, 1.0f, 1.0f}};
}

START_TEST(finds_presets)
{
    struct vgg_preprocess preset;
    struct vgg_error err = {0};
    ck_assert_int_eq(vgg_preprocess_find("imagenet", &preset, &err), VGG_OK);
    ck_assert_str_eq(preset.name, "imagenet");
    ck_assert_int_eq(preset.resize, 256);
    ck_assert_int_eq(preset.crop, 224);
    ck_assert(preset.mean[0] == 0.485f && preset.std[2] == 0.225f);
    ck_assert_int_eq(vgg_preprocess_find("features", &preset, &err), VGG_OK);
    ck_assert_int_eq(vgg_preprocess_find("cifar", &preset, &err), VGG_OK);
    ck_assert_int_eq(preset.crop, 32);
    ck_assert_int_eq(vgg_preprocess_find("imagnet", &preset, &err), VGG_ERR_ARGUMENT);
    ck_assert_str_eq(
        err.message,
        "preset 'imagnet': expected one of imagenet, features, cifar, caffe, vgg-face");
    ck_assert_int_eq(vgg_preprocess_find(NULL, &preset, &err), VGG_ERR_ARGUMENT);
}
END_TEST

START_TEST(sizes_are_torchvisions)
{
    static const struct {
        int resize, crop, width, height, out_width, out_height;
    } cases[] = {
        {256, 224, 500, 375, 224, 224}, {256, 0, 500, 375, 341, 256},
        {256, 0, 375, 500, 256, 341},   {256, 0, 256, 256, 256, 256},
        {256, 0, 3000, 31, 24774, 256}, {0, 0, 17, 5, 17, 5},
        {0, 224, 17, 5, 224, 224},      {32, 0, 33, 100, 32, 96},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_preprocess preprocess = plain(cases[i].resize, cases[i].crop);
        int width = 0, height = 0;
        ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, cases[i].width, cases[i].height, NULL,
                                                 &width, &height, NULL),
                         VGG_OK);
        ck_assert_int_eq(width, cases[i].out_width);
        ck_assert_int_eq(height, cases[i].out_height);
    }
}
END_TEST

/* Half a pixel goes to the even side, as Python rounds: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2. */
START_TEST(crop_rounds_half_to_even)
{
    static const int cases[][2] = {{2, 0}, {3, 0}, {4, 1}, {5, 2}, {6, 2}, {7, 2}, {9, 4}};
    struct vgg_preprocess preprocess = plain(0, 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int width = cases[i][0], left = cases[i][1];
        struct vgg_image image = counting(width, 2), crop;
        ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
        ck_assert_uint_eq(crop.rgb[0], left + 1);
        ck_assert_uint_eq(crop.rgb[3], left + 2);
        ck_assert_uint_eq(crop.rgb[6], width + left + 1);
        vgg_image_destroy(&crop);
        vgg_image_destroy(&image);
    }
}
END_TEST

START_TEST(crops_what_is_no_square)
{
    /* 6 x 5 to 2 x 4: two columns from the third, four rows from the first (0.5 goes to 0). */
    struct vgg_preprocess preprocess = plain(0, 4);
    struct vgg_image image = counting(6, 5), crop;
    int width, height;
    preprocess.crop_width = 2;
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 6, 5, NULL, &width, &height, NULL),
                     VGG_OK);
    ck_assert(width == 2 && height == 4);
    ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
    for (int i = 0; i < 8; i++) {
        ck_assert_uint_eq(crop.rgb[3 * i], i / 2 * 6 + 2 + i % 2 + 1);
    }
    vgg_image_destroy(&crop);
    vgg_image_destroy(&image);
}
END_TEST

START_TEST(pads_what_is_smaller_than_the_crop)
{
    /* 2 x 1 into 5 x 5: 1 column left and 2 right, 2 rows above and 2 below. */
    struct vgg_preprocess preprocess = plain(0, 5);
    struct vgg_image image = counting(2, 1), crop;
    ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
    for (int i = 0; i < 25; i++) {
        ck_assert_uint_eq(crop.rgb[3 * i], i == 11 ? 1 : i == 12 ? 2 : 0);
    }
    vgg_image_destroy(&crop);
    vgg_image_destroy(&image);

    /* 7 x 1 into 5 x 5: padded above and below, cropped left and right. */
    image = counting(7, 1);
    ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
    for (int i = 0; i < 25; i++) {
        ck_assert_uint_eq(crop.rgb[3 * i], i >= 10 && i < 15 ? i - 8 : 0);
    }
    vgg_image_destroy(&crop);
    vgg_image_destroy(&image);
}
END_TEST

START_TEST(normalises_each_channel)
{
    struct vgg_preprocess preprocess;
    float out[3 * 32 * 32];
    struct vgg_image image = counting(32, 32);
    image.rgb[0] = 0;
    image.rgb[1] = 51;
    image.rgb[2] = 255;
    ck_assert_int_eq(vgg_preprocess_find("cifar", &preprocess, NULL), VGG_OK);
    preprocess.mean[1] = 0.25f;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, NULL, out, NULL), VGG_OK);
    ck_assert(out[0] == -1.0f);
    ck_assert(out[1024] == (51.0f / 255.0f - 0.25f) / 0.5f);
    ck_assert(out[2048] == 1.0f);
    ck_assert(out[1] == (2.0f / 255.0f - 0.5f) / 0.5f);
    vgg_image_destroy(&image);
}
END_TEST

/* The size is given, whatever the aspect; a crop may follow. */
START_TEST(squashes_to_height_and_width)
{
    struct vgg_preprocess preprocess = plain(64, 0);
    int width, height;
    preprocess.resize_width = 48;
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 500, 3, NULL, &width, &height, NULL),
                     VGG_OK);
    ck_assert(width == 48 && height == 64);
    preprocess.crop = 40;
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 500, 3, NULL, &width, &height, NULL),
                     VGG_OK);
    ck_assert(width == 40 && height == 40);
}
END_TEST

/* One row of red, green, blue and white has the levels 76, 150, 29 and 255 of PIL's "L". */
START_TEST(converts_to_gray)
{
    static const uint8_t levels[] = {76, 150, 29, 255};
    struct vgg_preprocess preprocess = plain(0, 0);
    struct vgg_image image = counting(4, 1), crop;
    float out[12];
    memcpy(image.rgb, "\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff", 12);
    preprocess.gray = 1;
    preprocess.mean[1] = 1.0f;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, NULL, out, NULL), VGG_OK);
    ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
    for (int i = 0; i < 4; i++) {
        ck_assert(out[i] == (float)levels[i] / 255.0f && out[8 + i] == out[i]);
        ck_assert(out[4 + i] == out[i] - 1.0f);
        ck_assert(crop.rgb[3 * i] == levels[i] && crop.rgb[3 * i + 2] == levels[i]);
    }
    vgg_image_destroy(&crop);
    /* One plane is gray without being said, and needs the first mean and std only. */
    preprocess = plain(0, 0);
    preprocess.channels = 1;
    preprocess.mean[0] = 0.5f;
    preprocess.std[1] = 0.0f;
    memset(out, 0, sizeof out);
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, NULL, out, NULL), VGG_OK);
    for (int i = 0; i < 4; i++) {
        ck_assert(out[i] == (float)levels[i] / 255.0f - 0.5f && out[4 + i] == 0.0f);
    }
    vgg_image_destroy(&image);
}
END_TEST

START_TEST(knows_the_interpolations)
{
    static const char *const names[] = {"bilinear", "bicubic", "nearest", "lanczos"};
    enum vgg_interpolation found = VGG_INTERPOLATION_NEAREST;
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_str_eq(vgg_interpolation_string((enum vgg_interpolation)i), names[i]);
        ck_assert(vgg_interpolation_parse(names[i], &found));
        ck_assert_uint_eq(found, i);
    }
    ck_assert(!vgg_interpolation_parse("box", &found));
    ck_assert_uint_eq(found, VGG_INTERPOLATION_LANCZOS);
    ck_assert_str_eq(vgg_interpolation_string((enum vgg_interpolation)4), "unknown");
}
END_TEST

/* 0 and 100 side by side, enlarged twice: nearest copies; the cubic weights the pixel further off below 0, which
 * overshoots. */
START_TEST(interpolates)
{
    static const struct {
        enum vgg_interpolation interpolation;
        uint8_t levels[4];
    } cases[] = {{VGG_INTERPOLATION_NEAREST, {0, 0, 100, 100}},
                 {VGG_INTERPOLATION_BILINEAR, {0, 25, 75, 100}},
                 {VGG_INTERPOLATION_BICUBIC, {0, 21, 79, 109}}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct vgg_preprocess preprocess = plain(1, 0);
        struct vgg_image image = counting(2, 1), crop;
        memset(image.rgb, 0, 3);
        memset(image.rgb + 3, 100, 3);
        preprocess.resize_width = 4;
        preprocess.interpolation = cases[c].interpolation;
        ck_assert_int_eq(vgg_image_crop(&image, &preprocess, NULL, &crop, NULL), VGG_OK);
        for (int i = 0; i < 4; i++) {
            ck_assert_uint_eq(crop.rgb[3 * i + 1], cases[c].levels[i]);
        }
        vgg_image_destroy(&crop);
        vgg_image_destroy(&image);
    }
}
END_TEST

START_TEST(absurd_images_meet_the_limit)
{
    struct vgg_preprocess preprocess = plain(256, 224);
    struct vgg_error err = {0};
    struct vgg_limits limits;
    int width = 3, height = 4;
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 65500, 1, NULL, &width, &height, &err),
                     VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message, "image of 65500 x 1 pixels: resize to 16768000 x 256, limit is "
                                  "178956970 pixels");
    ck_assert_int_eq(width, 3);
    ck_assert_int_eq(height, 4);
    ck_assert_int_eq(
        vgg_preprocess_get_size(&preprocess, 1, INT32_MAX, NULL, &width, &height, &err),
        VGG_ERR_LIMIT);
    preprocess = plain(0, 100000);
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 1, 1, NULL, &width, &height, &err),
                     VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.image_pixels = 100;
    preprocess = plain(11, 0);
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 4, 4, &limits, &width, &height, &err),
                     VGG_ERR_LIMIT);
    preprocess = plain(10, 0);
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 4, 4, &limits, &width, &height, &err),
                     VGG_OK);
}
END_TEST

/* The tensor of 300 x 200 pixels takes 720000 bytes, the crop 180000. */
START_TEST(the_result_counts_as_memory)
{
    static float out[3 * 300 * 200];
    struct vgg_preprocess preprocess = plain(0, 0);
    struct vgg_error err = {0};
    struct vgg_limits limits;
    struct vgg_image image = counting(300, 200), crop = {.width = -7};
    vgg_limits_init(&limits);
    limits.image_memory = 719999;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, &limits, out, &err), VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message, "image of 300 x 200 pixels needs 720000 bytes of memory with the "
                                  "tensor, limit is 719999");
    ck_assert_int_eq(err.hint, VGG_HINT_MAX_MEMORY);
    limits.image_memory = 720000;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, &limits, out, &err), VGG_OK);
    preprocess.channels = 1;
    limits.image_memory = 240300; /* and a row in gray */
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, &limits, out, &err), VGG_OK);
    limits.image_memory = 179999;
    ck_assert_int_eq(vgg_image_crop(&image, &preprocess, &limits, &crop, &err), VGG_ERR_LIMIT);
    ck_assert_int_eq(crop.width, -7);
    vgg_image_destroy(&image);
}
END_TEST

/* 100 rows of one pixel, each of which becomes 60000, which are added to one row. */
START_TEST(resizing_has_a_limit_of_steps)
{
    struct vgg_preprocess preprocess = plain(1, 0);
    struct vgg_error err = {0};
    struct vgg_limits limits;
    static float out[3 * 60000];
    struct vgg_image image = counting(1, 100);
    preprocess.resize_width = 60000;
    vgg_limits_init(&limits);
    limits.image_pixels = 60000;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, &limits, out, &err), VGG_ERR_LIMIT);
    ck_assert_str_eq(err.message,
                     "image of 1 x 100 pixels: resizing it takes 12000000 steps, limit "
                     "is 16 for each of 65536 pixels");
    ck_assert_int_eq(err.hint, VGG_HINT_MAX_PIXELS);
    limits.image_pixels = 800000;
    ck_assert_int_eq(vgg_image_to_tensor(&image, &preprocess, &limits, out, &err), VGG_OK);
    vgg_image_destroy(&image);
}
END_TEST

START_TEST(refuses_bad_presets)
{
    struct vgg_error err = {0};
    int width = 3, height = 4;
    struct vgg_preprocess preprocess = plain(-1, 0);
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 5, 5, NULL, &width, &height, &err),
                     VGG_ERR_ARGUMENT);
    preprocess = plain(0, -1);
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 5, 5, NULL, &width, &height, &err),
                     VGG_ERR_ARGUMENT);
    preprocess = plain(0, 0);
    preprocess.std[1] = 0.0f;
    ck_assert_int_eq(vgg_preprocess_get_size(&preprocess, 5, 5, NULL, &width, &height, &err),
                     VGG_ERR_ARGUMENT);
    static const struct vgg_preprocess bad[] = {
        {.resize_width = 3, .std = {1, 1, 1}},
        {.resize = 3, .resize_width = -1, .std = {1, 1, 1}},
        {.channels = 2, .std = {1, 1, 1}},
        {.interpolation = (enum vgg_interpolation)4, .std = {1, 1, 1}},
        {.channels = 1, .std = {0, 1, 1}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(vgg_preprocess_get_size(&bad[i], 5, 5, NULL, &width, &height, &err),
                         VGG_ERR_ARGUMENT);
    }
    ck_assert_int_eq(width, 3);
}
END_TEST

UNIT_MAIN("preprocess", finds_presets, sizes_are_torchvisions, crop_rounds_half_to_even,
          crops_what_is_no_square, pads_what_is_smaller_than_the_crop, normalises_each_channel,
          squashes_to_height_and_width, converts_to_gray, knows_the_interpolations, interpolates,
          absurd_images_meet_the_limit, the_result_counts_as_memory, resizing_has_a_limit_of_steps,
          refuses_bad_presets)
