/* SPDX-License-Identifier: MIT */
/* tools/report, json, difference: numbers and names come out whole in every format. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "report/difference.h"
#include "report/report.h"

static const struct vgg_preprocess preprocess = {.name = "imagenet",
                                                 .resize = 256,
                                                 .crop = 224,
                                                 .mean = {0.485F, 0.456F, 0.406F},
                                                 .std = {0.229F, 0.224F, 0.225F}};
static struct report_model model = {.path = "vgg16_bn.pth",
                                    .container = "zip",
                                    .file_bytes = 553507836,
                                    .info = {.name = "vgg16_bn",
                                             .conv_count = 13,
                                             .linear_count = 3,
                                             .batch_norm = true,
                                             .class_count = 1000,
                                             .spec_source = "names and shapes (built-in vgg16)",
                                             .assumed = "",
                                             .weights = "float32"},
                                    .preprocess = &preprocess,
                                    .scores = "softmax",
                                    .folded = true};
static const struct report_class classes[] = {
    {{.index = 281, .logit = 0.1F, .probability = 0.75}, "tabby, \"tabby\" cat"},
    {{.index = 7, .logit = NAN, .probability = (double)NAN}, "Bücher"},
};

/* One good image and one failed one in a format. */
static const char *write(enum output_format format)
{
    static char text[16384];
    struct report report;
    struct vgg_error error = {.code = VGG_ERR_FORMAT, .message = "b.jpg: truncated, \"so\""};
    const struct report_image good = {
        .path = "a\n\xff.jpg", .width = 640, .height = 480, .classes = classes, .class_count = 2};
    const struct report_image bad = {.path = "b.jpg", .error = &error};
    const struct report_totals totals = {.images = 2, .failed = 1, .threads = 2, .isa = "avx2"};
    const struct timing timing = {0};
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    ck_assert(report_begin(&report, format, file, false, &model));
    ck_assert(report_write_image(&report, &good));
    ck_assert(report_write_image(&report, &bad));
    ck_assert(report_end(&report, &totals, &timing));
    fclose(file);
    return text;
}

START_TEST(writes_text_in_columns)
{
    ck_assert_str_eq(
        write(FORMAT_TEXT),
        "vgg16_bn (13 conv + 3 linear, BatchNorm folded), 1000 classes, zip checkpoint, 528 MB\n"
        "  described by names and shapes (built-in vgg16), preprocessing imagenet (resize 256, "
        "crop 224), scores: softmax\n"
        "\n"
        "a\\x0a\\xff.jpg (640x480)\n"
        " 1   75.0000 %  tabby, \"tabby\" cat  class 281  logit 0.100000001\n"
        " 2       nan %  Bücher              class   7  logit nan\n"
        "\n"
        "b.jpg: failed\n");
}
END_TEST

START_TEST(writes_csv_with_quotes)
{
    ck_assert_str_eq(
        write(FORMAT_CSV),
        "image,rank,index,label,probability,logit,error,scores\n"
        "\"a\n\xff.jpg\",1,281,\"tabby, \"\"tabby\"\" cat\",0.75,0.100000001,,softmax\n"
        "\"a\n\xff.jpg\",2,7,Bücher,,,,softmax\n"
        "b.jpg,,,,,,\"b.jpg: truncated, \"\"so\"\"\",\n");
}
END_TEST

START_TEST(writes_a_json_line_per_image)
{
    ck_assert_str_eq(
        write(FORMAT_JSONL),
        "{\"schema\": 2, \"model\": \"vgg16_bn\", \"scores\": \"softmax\", \"image\": "
        "\"a\\n\xef\xbf\xbd.jpg\", "
        "\"width\": 640, \"height\": 480, \"top\": ["
        "{\"index\": 281, \"label\": \"tabby, \\\"tabby\\\" cat\", \"probability\": 0.75, "
        "\"logit\": 0.100000001}, "
        "{\"index\": 7, \"label\": \"Bücher\", \"probability\": null, \"logit\": null}]}\n"
        "{\"schema\": 2, \"model\": \"vgg16_bn\", \"scores\": \"softmax\", \"image\": \"b.jpg\", "
        "\"error\": "
        "{\"code\": \"bad format\", \"message\": \"b.jpg: truncated, \\\"so\\\"\"}}\n");
}
END_TEST

START_TEST(writes_one_json_document)
{
    const char *text = write(FORMAT_JSON);
    ck_assert_int_eq(strncmp(text, "{\n  \"schema\": 2,\n", 17), 0);
    const char *const parts[] = {"\"mean\": [0.485000014, 0.456", "\"failed\": 1",
                                 "\"isa\": \"avx2\"", "\"bytes\": 553507836"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no %s in %s", parts[i], text);
    }
    ck_assert_str_eq(text + strlen(text) - 3, "\n}\n");
}
END_TEST

/* Without scores there is no column of them, and the name says so. */
START_TEST(writes_outputs_without_scores)
{
    model.scores = "none";
    const char *text = write(FORMAT_TEXT);
    ck_assert_ptr_nonnull(strstr(text, "scores: none\n"));
    ck_assert_ptr_nonnull(strstr(text, " 2  Bücher              class   7  logit nan\n"));
    model.scores = "softmax";
}
END_TEST

static const char *describe(const struct vgg_preprocess *of)
{
    static char text[1024];
    struct report_model about = model;
    about.preprocess = of;
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    report_write_description(&about, false, file);
    fclose(file);
    return text;
}

START_TEST(describes_preprocessing)
{
    static const struct {
        struct vgg_preprocess preprocess;
        const char *text;
    } cases[] = {
        {{.name = "custom", .resize = 64, .resize_width = 48, .std = {1, 1, 1}},
         "(resize 64x48, no crop, not normalized)"},
        {{.name = "custom", .crop = 64, .crop_width = 48, .mean = {1}, .std = {1, 1, 1}},
         "(no resize, crop 64x48)"},
        {{.name = "custom",
          .interpolation = VGG_INTERPOLATION_LANCZOS,
          .gray = 1,
          .std = {2, 1, 1}},
         "(no resize, no crop, lanczos, gray)"},
        {{.name = "custom", .channels = 1, .std = {2, 1, 1}}, "(no resize, no crop, gray)"},
        {{.name = "custom", .bgr = 1, .unscaled = 1, .std = {1, 1, 1}},
         "(no resize, no crop, BGR, 0..255)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = describe(&cases[i].preprocess);
        ck_assert_msg(strstr(text, cases[i].text) != NULL, "no %s in %s", cases[i].text, text);
    }
}
END_TEST

START_TEST(formats_sizes)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"},           {1024, "1 kB"},      {1500000, "1.4 MB"},
                 {10380902, "9.9 MB"}, {10485760, "10 MB"}, {553433881, "528 MB"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        report_format_bytes(cases[i].bytes, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

START_TEST(writes_valid_utf8_only)
{
    char text[256] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    struct json json = json_make(file, false);
    /* overlong, a surrogate, beyond the last, cut; and the last code points of each length */
    json_string(&json, NULL, "\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82");
    json_string(&json, NULL, "\x7f \xdf\xbf \xef\xbf\xbf \xf4\x8f\xbf\xbf");
    fclose(file);
    const char *bad = "\xef\xbf\xbd";
    char expected[256];
    snprintf(expected, sizeof expected, "\"%s%s %s%s%s %s%s%s%s %s%s\",\"\\u007f %s\"", bad, bad,
             bad, bad, bad, bad, bad, bad, bad, bad, bad, "\xdf\xbf \xef\xbf\xbf \xf4\x8f\xbf\xbf");
    ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(measures_differences)
{
    struct difference difference = {0};
    const float expected[] = {1, -4, 0}, got[] = {1, -4.5F, 0.25F};
    difference_add(&difference, expected, expected, 3);
    ck_assert_double_eq(difference_get_relative(&difference), 0);
    ck_assert_int_eq(difference.worst, -1);
    difference_add(&difference, expected, got, 3);
    ck_assert_int_eq(difference.worst, 4);
    ck_assert_double_eq(difference.max, 0.5);
    ck_assert_double_eq(difference_get_relative(&difference), 0.125);
    ck_assert_double_eq(difference_get_mean(&difference), 0.125);
    ck_assert_int_eq(difference.unequal, 2);
}
END_TEST

START_TEST(measures_where_there_is_no_measure)
{
    const float zeros[] = {0, -0.0F}, one[] = {0, 1}, odd[] = {NAN, INFINITY}, nan[] = {NAN, NAN};
    struct difference difference = {0};
    difference_add(&difference, zeros, zeros, 2);
    ck_assert_double_eq(difference_get_relative(&difference), 0);
    difference_add(&difference, zeros, one, 2);
    ck_assert(isinf(difference_get_relative(&difference)));
    difference = (struct difference){0};
    difference_add(&difference, odd, odd, 2);
    ck_assert_double_eq(difference_get_relative(&difference), 0);
    difference_add(&difference, odd, nan, 2);
    ck_assert_int_eq(difference.worst, 3);
    ck_assert(isinf(difference_get_relative(&difference)));
    difference = (struct difference){0};
    difference_add(&difference, one, nan, 2);
    ck_assert_int_eq(difference.unequal, 2);
    ck_assert(isinf(difference_get_relative(&difference)));
}
END_TEST

UNIT_MAIN("report", writes_text_in_columns, writes_csv_with_quotes, writes_a_json_line_per_image,
          writes_one_json_document, writes_outputs_without_scores, describes_preprocessing,
          formats_sizes, writes_valid_utf8_only, measures_differences,
          measures_where_there_is_no_measure)
