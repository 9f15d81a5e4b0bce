/* SPDX-License-Identifier: MIT */
/* tools/io/ground_truth, eval_report: which class an image is of, and what is counted of the answers. */
#include "unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/ground_truth.h"
#include "report/eval_report.h"

static const char *const labels[] = {"T-shirt/top", "great white shark", "crane", "crane"};
static const struct ground_truth_classes classes = {.labels = labels, .count = 4};
static const char *const unknown[] = {NULL, NULL};
static const struct ground_truth_classes two = {.labels = unknown, .count = 2};

static char root[UNIT_FOLDER_BYTES];
static struct vgg_error err;
static struct ground_truth truth;

static const char *under(const char *name)
{
    static char path[UNIT_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void make_root(void)
{
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(root, "vgg-truth")));
}

static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(under(name), 0700), 0);
}

static void make_file(const char *name, const char *text)
{
    FILE *file = fopen(under(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Nobody decodes it here. */
static void make_image(const char *name)
{
    make_file(name, "\x89PNG\r\n\x1a\nIHDR");
}

static void remove_root(void)
{
    char command[UNIT_PATH_BYTES];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    ck_assert_int_eq(system(command), 0);
    ground_truth_free(&truth);
}

static void expect_image(size_t i, const char *name, int class_index)
{
    ck_assert_str_eq(truth.images[i].path, under(name));
    ck_assert_int_eq(truth.images[i].class_index, class_index);
}

static void expect_failure(const char *list, const struct ground_truth_classes *of,
                           vgg_status status, const char *part)
{
    char path[UNIT_PATH_BYTES];
    snprintf(path, sizeof path, "%s", list != NULL ? under(list) : "");
    ck_assert_int_eq(ground_truth_read(root, list != NULL ? path : NULL, of, &truth, &err), status);
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' in '%s'", part, err.message);
    ground_truth_free(&truth);
}

START_TEST(folders_with_labels)
{
    make_root();
    make_folder("Great_White-Shark");
    make_image("Great_White-Shark/2.png");
    make_image("Great_White-Shark/1.png");
    make_folder("Great_White-Shark/more");
    make_image("Great_White-Shark/more/0.png");
    make_file("Great_White-Shark/notes.txt", "none");
    make_folder("T-shirt_top");
    make_image("T-shirt_top/a.png");
    make_folder(".hidden");
    make_image("beside.png");
    ck_assert_int_eq(ground_truth_read(root, NULL, &classes, &truth, &err), VGG_OK);
    ck_assert_int_eq(truth.source, GROUND_TRUTH_FOLDER_NAMES);
    ck_assert_uint_eq(truth.folders, 2);
    ck_assert_uint_eq(truth.others, 1);
    ck_assert_uint_eq(truth.count, 4);
    expect_image(0, "Great_White-Shark/1.png", 1);
    expect_image(1, "Great_White-Shark/2.png", 1);
    expect_image(2, "Great_White-Shark/more/0.png", 1);
    expect_image(3, "T-shirt_top/a.png", 0);
    ground_truth_free(&truth);
    make_folder("crane");
    expect_failure(NULL, &classes, VGG_ERR_MISMATCH, "several classes");
    rmdir(under("crane"));
    make_folder("heron");
    expect_failure(NULL, &classes, VGG_ERR_MISMATCH, "got 2 of 3");
    remove_root();
}
END_TEST

START_TEST(folders_in_order)
{
    make_root();
    expect_failure(NULL, &two, VGG_ERR_MISMATCH, "expected a folder for each class, found none");
    make_folder("10");
    expect_failure(NULL, &two, VGG_ERR_MISMATCH, "expected 2 folders");
    make_folder("9");
    expect_failure(NULL, &two, VGG_ERR_MISMATCH, "found none among 0 files");
    make_image("9/a.png");
    make_image("10/b.png");
    ck_assert_int_eq(ground_truth_read(root, NULL, &two, &truth, &err), VGG_OK);
    ck_assert_int_eq(truth.source, GROUND_TRUTH_FOLDER_ORDER);
    ck_assert_uint_eq(truth.count, 2);
    expect_image(0, "10/b.png", 0); /* "10" is before "9", as Python sorts */
    expect_image(1, "9/a.png", 1);
    make_folder("a");
    remove_root();
}
END_TEST

START_TEST(lists_of_images)
{
    char list[UNIT_PATH_BYTES];
    make_root();
    make_file("list", "b.png 3\r\n\na c.png\tgreat white shark\nd.png,  t-shirt/top\n");
    snprintf(list, sizeof list, "%s", under("list"));
    ck_assert_int_eq(ground_truth_read(root, list, &classes, &truth, &err), VGG_OK);
    ck_assert_int_eq(truth.source, GROUND_TRUTH_LIST);
    ck_assert_uint_eq(truth.count, 3);
    expect_image(0, "b.png", 3);
    expect_image(1, "a c.png", 1);
    expect_image(2, "d.png", 0);
    ground_truth_free(&truth);
    make_file("list", "a.png 4\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "line 1: expected a class from 0 to 3");
    ck_assert_ptr_nonnull(strstr(err.message, "numbered from 1"));
    make_file("list", "a.png 1\nb.png -1\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "line 2: expected a class from 0 to 3");
    make_file("list", "a.png 99999999999999999999\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "found 99999999999999999999");
    make_file("list", "a.png heron\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "'heron' is neither");
    make_file("list", "a.png crane\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "of several classes");
    make_file("list", "a.png 1\nb.png\n");
    expect_failure("list", &classes, VGG_ERR_FORMAT, "line 2: expected an image and its class");
    make_file("list", "\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "found none");
    expect_failure("nowhere", &classes, VGG_ERR_IO, "cannot open");
    remove_root();
}
END_TEST

START_TEST(lists_of_classes)
{
    char list[UNIT_PATH_BYTES];
    make_root();
    make_image("b.png");
    make_image("a.png");
    make_file("list", "great white shark\n2\n");
    snprintf(list, sizeof list, "%s", under("list"));
    ck_assert_int_eq(ground_truth_read(root, list, &classes, &truth, &err), VGG_OK);
    ck_assert_uint_eq(truth.count, 2);
    expect_image(0, "a.png", 1);
    expect_image(1, "b.png", 2);
    ground_truth_free(&truth);
    make_file("list", "1\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "expected 2 classes");
    make_file("list", "1\n1\n1\n");
    expect_failure("list", &classes, VGG_ERR_MISMATCH, "line 3: expected 2 classes");
    remove_root();
}
END_TEST

START_TEST(counts_classes)
{
    /* Of class 1: right, twice taken for 3, once for 2, unreadable. Of class 3: right, and wrong. */
    struct ground_truth_image images[] = {
        {.class_index = 1}, {.class_index = 3}, {.class_index = 1}, {.class_index = 1},
        {.class_index = 1}, {.class_index = 1}, {.class_index = 3},
    };
    const struct eval_answer answers[] = {{1, 0}, {0, 3}, {3, 1}, {2, 2}, {3, 2}, {-1, 0}, {3, 0}};
    const struct ground_truth seven = {.images = images, .count = 7};
    const struct eval_outcome outcome = {
        .truth = &seven, .classes = &classes, .answers = answers, .topk = 2};
    size_t count;
    struct eval_class *counted = eval_count_classes(&outcome, &count);
    ck_assert_ptr_nonnull(counted);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(counted[0].index, 1);
    ck_assert_uint_eq(counted[0].images, 4);
    ck_assert_uint_eq(counted[0].best, 1);
    ck_assert_uint_eq(counted[0].among, 2);
    ck_assert_int_eq(counted[0].confused_with, 3);
    ck_assert_uint_eq(counted[0].confused, 2);
    ck_assert_int_eq(counted[1].index, 3);
    ck_assert_uint_eq(counted[1].images, 2);
    ck_assert_int_eq(counted[1].confused_with, 0);
    free(counted);
}
END_TEST

START_TEST(suspects_guesses)
{
    static const char *const many[1000];
    const struct ground_truth_classes thousand = {.labels = many, .count = 1000};
    struct eval_outcome outcome = {.classes = &thousand, .images = 1000, .best = 9};
    ck_assert(eval_is_chance(&outcome));
    outcome.best = 10;
    ck_assert(!eval_is_chance(&outcome));
    outcome.classes = &classes;
    outcome.best = 299;
    ck_assert(eval_is_chance(&outcome));
    outcome.best = 300;
    ck_assert(!eval_is_chance(&outcome));
    outcome.images = 19; /* too few for a warning */
    outcome.best = 0;
    ck_assert(!eval_is_chance(&outcome));
}
END_TEST

UNIT_MAIN("ground truth", folders_with_labels, folders_in_order, lists_of_images, lists_of_classes,
          counts_classes, suspects_guesses)
