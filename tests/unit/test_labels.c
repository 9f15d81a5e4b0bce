/* SPDX-License-Identifier: MIT */
/* model/spec/labels: class names, one per line. */
#include "unit.h"

#include <string.h>

#include "model/spec/labels.h"

static struct vgg_arena arena;
static struct vgg_error err;

static vgg_status parse(const char *text, size_t size, struct vgg_labels *labels)
{
    return vgg_labels_parse(&(struct vgg_load){"l.txt", NULL, &arena, &err}, text, size, labels);
}
#define PARSE(text, labels) parse(text, sizeof(text) - 1, labels)

START_TEST(reads_lines)
{
    struct vgg_labels labels;
    ck_assert_int_eq(PARSE("cat\nT-shirt/top\r\n\nM\xc3\xa4use \xf0\x9f\x90\xad", &labels), VGG_OK);
    ck_assert_uint_eq(labels.count, 4);
    ck_assert_str_eq(labels.names[0], "cat");
    ck_assert_str_eq(labels.names[1], "T-shirt/top");
    ck_assert_str_eq(labels.names[2], "");
    ck_assert_str_eq(labels.names[3], "M\xc3\xa4use \xf0\x9f\x90\xad");
    ck_assert_int_eq(PARSE("\xef\xbb\xbf"
                           "a\n",
                           &labels),
                     VGG_OK);
    ck_assert_uint_eq(labels.count, 1);
    ck_assert_str_eq(labels.names[0], "a");
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(refuses_what_is_no_text)
{
    static const char *const bad[] = {
        "a\n\xff\n",         "a\n\xc0\x80\n",         "a\n\xc3\n",
        "a\n\xed\xa0\x80\n", "a\n\xf4\x90\x80\x80\n", "a\n\xe0\x80\x80\n",
        "a\n\x1b[31m\n",     "a\n\xf0\x80\x80\x80\n", "a\n\xe2\x82",
    };
    struct vgg_labels labels;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(parse(bad[i], strlen(bad[i]), &labels), VGG_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(err.message, "l.txt: line 2 "));
    }
    ck_assert_int_eq(PARSE("a\0b\n", &labels), VGG_ERR_FORMAT);
    ck_assert_int_eq(PARSE("", &labels), VGG_ERR_FORMAT);
    static char line[VGG_MAX_LABEL_BYTES + 1];
    memset(line, 'x', sizeof line);
    ck_assert_int_eq(parse(line, sizeof line, &labels), VGG_ERR_FORMAT);
    ck_assert_int_eq(parse(line, sizeof line - 1, &labels), VGG_OK);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(knows_imagenet)
{
    struct vgg_labels labels;
    ck_assert_int_eq(vgg_labels_find("imagenet", &arena, &labels, &err), VGG_OK);
    ck_assert_uint_eq(labels.count, 1000);
    ck_assert_str_eq(labels.names[0], "tench");
    ck_assert_str_eq(labels.names[281], "tabby");
    ck_assert_str_eq(labels.names[999], "toilet tissue");
    ck_assert_int_eq(vgg_labels_find("cifar", &arena, &labels, &err), VGG_ERR_ARGUMENT);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(knows_the_usual_sets)
{
    static const struct {
        const char *name, *first, *last;
        size_t count;
    } sets[] = {{"cifar10", "airplane", "truck", 10},
                {"cifar100", "apple", "worm", 100},
                {"mnist", "0", "9", 10},
                {"fashion-mnist", "T-shirt/top", "Ankle boot", 10}};
    struct vgg_labels labels;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        ck_assert(vgg_labels_is_builtin(sets[i].name));
        ck_assert_int_eq(vgg_labels_find(sets[i].name, &arena, &labels, &err), VGG_OK);
        ck_assert_uint_eq(labels.count, sets[i].count);
        ck_assert_str_eq(labels.names[0], sets[i].first);
        ck_assert_str_eq(labels.names[labels.count - 1], sets[i].last);
    }
    ck_assert(vgg_labels_is_builtin("imagenet") && !vgg_labels_is_builtin("vgg11.json"));
    ck_assert(!vgg_labels_is_builtin("") && !vgg_labels_is_builtin("./mnist"));
    vgg_arena_destroy(&arena);
}
END_TEST

/* One output has two classes; a single name is that of class 1. */
START_TEST(fits_names_to_outputs)
{
    struct vgg_labels labels;
    ck_assert_int_eq(PARSE("a\nb\n", &labels), VGG_OK);
    ck_assert_int_eq(vgg_labels_fit("l", 2, &arena, &labels, &err), VGG_OK);
    ck_assert_int_eq(vgg_labels_fit("l", 3, &arena, &labels, &err), VGG_ERR_MISMATCH);
    ck_assert_int_eq(vgg_labels_fit("l", 1, &arena, &labels, &err), VGG_OK);
    ck_assert_str_eq(labels.names[0], "a");
    ck_assert_int_eq(PARSE("hot dog", &labels), VGG_OK);
    ck_assert_int_eq(vgg_labels_fit("l", 1, &arena, &labels, &err), VGG_OK);
    ck_assert_uint_eq(labels.count, 2);
    ck_assert_str_eq(labels.names[0], "not hot dog");
    ck_assert_str_eq(labels.names[1], "hot dog");
    ck_assert_int_eq(PARSE("a\nb\nc\n", &labels), VGG_OK);
    ck_assert_int_eq(vgg_labels_fit("l", 1, &arena, &labels, &err), VGG_ERR_MISMATCH);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(names_a_missing_file)
{
    struct vgg_labels labels;
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    ck_assert_int_eq(
        vgg_labels_open(&(struct vgg_load){"no/such.txt", &limits, &arena, &err}, &labels),
        VGG_ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "no/such.txt"));
}
END_TEST

UNIT_MAIN("labels", reads_lines, refuses_what_is_no_text, knows_imagenet, knows_the_usual_sets,
          fits_names_to_outputs, names_a_missing_file)
