/* SPDX-License-Identifier: MIT */
/* model/model: the public face, on the bundled checkpoint. */
#include "unit.h"

#include <stdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "model/view.h"

static char folder[UNIT_FOLDER_BYTES];
static vgg_checkpoint *checkpoint;
static vgg_model *model;
static struct vgg_error err;

/* A path in the temporary folder, in one of a few buffers. */
static const char *path_of(const char *name)
{
    static char paths[4][UNIT_PATH_BYTES];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Opens the bundled checkpoint under another name, so that no description stands beside it. */
static void open_as(const char *name)
{
    char bundled[512];
    snprintf(bundled, sizeof bundled, "%s/fashion_vgg8_bn.pth", getenv("VGG_TEST_MODELS"));
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-model")));
    ck_assert_int_eq(symlink(bundled, path_of(name)), 0);
    vgg_status status = vgg_checkpoint_open(path_of(name), NULL, &checkpoint, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
}

static void close_all(void)
{
    static const char *const names[] = {"x.pth", "x.json", "fashion_vgg8_bn.pth", "other.json",
                                        "labels.txt"};
    vgg_model_destroy(model);
    model = NULL;
    vgg_checkpoint_close(checkpoint);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(path_of(names[i]));
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct vgg_model_info create(const struct vgg_model_options *options)
{
    struct vgg_model_info info;
    vgg_model_destroy(model);
    vgg_status status = vgg_model_create(checkpoint, options, &model, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    vgg_model_get_info(model, &info);
    return info;
}

static void refuse(const struct vgg_model_options *options, vgg_status code, const char *message)
{
    vgg_model_destroy(model);
    ck_assert_int_eq(vgg_model_create(checkpoint, options, &model, &err), code);
    ck_assert_ptr_null(model);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s\n%s", message, err.message);
}

#define SPEC(labels)                                                                               \
    "{\"schema\":1,\"name\":\"boots\",\"input\":28,\"batch_norm\":true,"                           \
    "\"layers\":[32,32,\"M\",64,64,\"M\",96,96],\"classifier\":[128,128,10]" labels "}"

START_TEST(knows_the_bundled_net_by_its_name)
{
    open_as("fashion_vgg8_bn.pth");
    struct vgg_model_info info = create(NULL);
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    ck_assert_str_eq(info.name, "fashion_vgg8_bn");
    ck_assert_str_eq(info.spec_source, "names and shapes (built-in fashion_vgg8_bn)");
    ck_assert_int_eq(info.conv_count, 6);
    ck_assert_int_eq(info.linear_count, 3);
    ck_assert_int_eq(info.class_count, 10);
    ck_assert(info.batch_norm);
    ck_assert_int_eq(info.height, 28);
    ck_assert_int_eq(vgg_model_get_input_shape(model).c, 3);
    ck_assert_str_eq(vgg_model_get_label(model, 9), "Ankle boot");
    ck_assert_ptr_null(vgg_model_get_label(model, 10));
    ck_assert_ptr_null(vgg_model_get_label(model, -1));
    ck_assert_uint_eq(count, 6 * 3 + 2 + 2 + 7);
    ck_assert_ptr_eq(nodes[0].conv.weight,
                     vgg_checkpoint_find_tensor(checkpoint, "features.0.weight"));
    ck_assert_int_eq(vgg_model_check_classifier(model, &err), VGG_OK);
    close_all();
}
END_TEST

START_TEST(takes_descriptions_in_order)
{
    open_as("x.pth");
    struct vgg_model_info info = create(NULL);
    ck_assert_str_eq(info.name, "vgg (custom)");
    ck_assert_str_eq(info.spec_source, "names and shapes");
    ck_assert_int_eq(info.height, 28); /* 56 with a pool after the last convolution is less usual */
    ck_assert_ptr_null(vgg_model_get_label(model, 0));

    write_file("x.json", SPEC(""));
    info = create(NULL);
    ck_assert_str_eq(info.name, "boots");
    ck_assert_str_eq(info.spec_source, path_of("x.json"));
    ck_assert_int_eq(info.height, 28);

    write_file("other.json", "{\"schema\":1,\"batch_norm\":true,\"layers\":[32,32,\"M\",64,64,"
                             "\"M\",96,96,\"M\"],\"classifier\":[128,128,10]}");
    info = create(&(struct vgg_model_options){.spec_path = path_of("other.json")});
    ck_assert_str_eq(info.name, "vgg (custom)");
    ck_assert_str_eq(info.spec_source, path_of("other.json"));
    close_all();
}
END_TEST

START_TEST(refuses_descriptions_that_do_not_fit)
{
    struct vgg_model_options missing = {0};
    open_as("x.pth");
    missing.spec_path = path_of("none.json");
    refuse(&missing, VGG_ERR_IO, "none.json: cannot open");
    write_file("x.json", "{\"epochs\": 90}");
    refuse(NULL, VGG_ERR_FORMAT, "x.json: epochs: unknown key");
    refuse(NULL, VGG_ERR_FORMAT, "; it is read because it stands beside ");
    write_file("x.json", "{\"schema\":1,\"layers\":[32],\"classifier\":[10]}");
    refuse(NULL, VGG_ERR_MISMATCH, "the tensors do not fit vgg (custom): ");
    close_all();
}
END_TEST

START_TEST(lets_options_override)
{
    struct vgg_model_options options = {.preset = "imagenet"};
    open_as("fashion_vgg8_bn.pth");
    ck_assert_int_eq(create(&options).height, 224);
    ck_assert_str_eq(vgg_model_get_preprocess(model)->name, "imagenet");
    options.preset = "auto";
    ck_assert_int_eq(create(&options).height, 28);
    options.preset = "none";
    refuse(&options, VGG_ERR_ARGUMENT, "none");

    options = (struct vgg_model_options){.labels_path = path_of("labels.txt")};
    write_file("labels.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    create(&options);
    ck_assert_str_eq(vgg_model_get_label(model, 9), "j");
    write_file("labels.txt", "a\nb\n");
    refuse(&options, VGG_ERR_MISMATCH, "labels.txt: expected 10 labels, the classes of");
    close_all();
}
END_TEST

START_TEST(tells_what_it_assumes)
{
    struct vgg_model_options options = {.cfg = "32,32,M,64,64,M,96,96"};
    open_as("x.pth");
    ck_assert_str_eq(create(NULL).assumed,
                     "stride 1; padding 1; eps 1e-05; crop none; dilation 1; scores "
                     "softmax; activation ReLU; input size 28x28; mean and std none; pool "
                     "MaxPool2d 2x2; interpolation bilinear; channels RGB of 0 to 1; "
                     "flatten channels, height, width; last pool none after features.17; "
                     "resize 28x28, whatever the aspect; logits the last layer's output, "
                     "unchanged; square convolutions Conv2d, not ConvTranspose2d; places of "
                     "pools where the numbers leave a place");
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; crop none; dilation 1; scores "
                     "softmax; activation ReLU; input size 28x28; mean and std none; "
                     "interpolation bilinear; channels RGB of 0 to 1; flatten channels, "
                     "height, width; resize 28x28, whatever the aspect; logits the last "
                     "layer's output, unchanged");
    options.height = 32;
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; dilation 1; scores softmax; "
                     "activation ReLU; mean and std none; interpolation bilinear; channels "
                     "RGB of 0 to 1; flatten channels, height, width; resize 32x32, "
                     "whatever the aspect; logits the last layer's output, "
                     "unchanged; average pool to 7x7 before the classifier");
    options = (struct vgg_model_options){.cfg = options.cfg, .preset = "cifar"};
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; dilation 1; scores softmax; "
                     "activation ReLU; flatten channels, height, width; logits the last "
                     "layer's output, unchanged; average pool to 7x7 before the classifier");
    options = (struct vgg_model_options){
        .padding = "1", .eps = "1e-5", .activation = "ReLU", .pool = "MaxPool2d(2)"};
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; crop none; dilation 1; scores softmax; input size 28x28; "
                     "mean and std none; interpolation bilinear; channels RGB of 0 to 1; "
                     "flatten channels, height, width; last pool none after features.17; "
                     "resize 28x28, whatever the aspect; logits the last layer's output, "
                     "unchanged; square convolutions Conv2d, not ConvTranspose2d; places of "
                     "pools where the numbers leave a place");
    options = (struct vgg_model_options){.cfg = "32,32", .spec_path = path_of("x.json")};
    refuse(&options, VGG_ERR_ARGUMENT, "exclude each other");
    options = (struct vgg_model_options){.cfg = "32,32,X"};
    refuse(&options, VGG_ERR_ARGUMENT, "found 'X'");
    close_all();
}
END_TEST

START_TEST(takes_other_sizes)
{
    struct vgg_model_options options = {.preset = "imagenet", .height = 336};
    struct vgg_model_info info;
    open_as("fashion_vgg8_bn.pth");
    info = create(&options);
    const struct vgg_preprocess *preprocess = vgg_model_get_preprocess(model);
    ck_assert(info.height == 336 && info.width == 336);
    ck_assert(preprocess->resize == 384 && preprocess->crop == 336);
    ck_assert_int_eq(preprocess->crop_width, 0);
    ck_assert_str_eq(preprocess->name, "custom");

    options.width = 112;
    info = create(&options);
    preprocess = vgg_model_get_preprocess(model);
    ck_assert(info.height == 336 && info.width == 112);
    ck_assert(preprocess->resize == 384 && preprocess->crop == 336 &&
              preprocess->crop_width == 112);
    const struct vgg_shape input = vgg_model_get_input_shape(model);
    ck_assert(input.h == 336 && input.w == 112);

    options.resize = 400;
    create(&options);
    ck_assert_int_eq(vgg_model_get_preprocess(model)->resize, 400);
    options = (struct vgg_model_options){.preset = "imagenet", .resize = 100};
    info = create(&options); /* and not a frame of black */
    preprocess = vgg_model_get_preprocess(model);
    ck_assert(info.height == 100 && preprocess->resize == 100 && preprocess->crop == 100);
    options.resize = -1;
    info = create(&options);
    preprocess = vgg_model_get_preprocess(model);
    ck_assert(info.height == 224 && preprocess->resize == 0 && preprocess->crop == 224);

    options = (struct vgg_model_options){.height = 65536};
    refuse(&options, VGG_ERR_ARGUMENT, "input size: expected sides of 1 to 65535, got 65536x0");
    options = (struct vgg_model_options){.resize = -2};
    refuse(&options, VGG_ERR_ARGUMENT, "resize: expected a side of 1 to 65535, or -1, got -2");

    create(NULL);
    ck_assert_int_eq(vgg_model_check_size(model, 4, 9, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_check_size(model, 9, 3, &err), VGG_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(err.message, "features.13 (MaxPool2d): expected an input of at "
                                              "least 2x2 pixels, found 4x1: the image is too "
                                              "small for this net, which takes at least 4x4 "
                                              "pixels"));
    close_all();
}
END_TEST

/* The sizes that options make of a preset's: each case is a preset, the options, and resize, crop and input after. */
START_TEST(overrides_sizes)
{
    static const float third[] = {0.1f, 0.2f, 0.3f};
    static const struct {
        const char *preset;
        struct vgg_model_options options;
        int resize[2], crop[2], input[2];
    } cases[] = {
        {"imagenet", {.resize = 64, .resize_width = 64}, {64, 64}, {64, 0}, {64, 64}},
        {"imagenet", {.resize = 256, .resize_width = 256}, {256, 256}, {224, 0}, {224, 224}},
        {"imagenet", {.resize = 300, .resize_width = 200}, {300, 200}, {224, 200}, {224, 200}},
        {"cifar", {.resize = 48, .resize_width = 80}, {48, 80}, {0, 0}, {48, 80}},
        {"cifar", {.resize = 64}, {64, 0}, {32, 0}, {32, 32}},
        {"imagenet", {.crop = 192}, {256, 0}, {192, 0}, {192, 192}},
        {"imagenet", {.crop = 192, .crop_width = 96}, {256, 0}, {192, 96}, {192, 96}},
        {"imagenet", {.crop = -1}, {256, 0}, {0, 0}, {256, 256}},
        {"imagenet", {.crop = -1, .resize = 40, .resize_width = 50}, {40, 50}, {0, 0}, {40, 50}},
        {"imagenet", {.crop = 30, .resize = 40, .resize_width = 50}, {40, 50}, {30, 0}, {30, 30}},
        {"imagenet", {.resize = -1, .crop = 100}, {0, 0}, {100, 0}, {100, 100}},
        {"imagenet",
         {.height = 112, .resize = 120, .resize_width = 130},
         {120, 130},
         {112, 0},
         {112, 112}},
        {"imagenet", {.dense = true, .resize = 64, .resize_width = 72}, {64, 72}, {0, 0}, {64, 72}},
        {"imagenet", {.mean = third}, {256, 0}, {224, 0}, {224, 224}},
    };
    open_as("fashion_vgg8_bn.pth");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_model_options options = cases[i].options;
        options.preset = cases[i].preset;
        const struct vgg_model_info info = create(&options);
        const struct vgg_preprocess *p = vgg_model_get_preprocess(model);
        ck_assert_msg(p->resize == cases[i].resize[0] && p->resize_width == cases[i].resize[1],
                      "%zu: resize %dx%d", i, p->resize, p->resize_width);
        ck_assert_msg(p->crop == cases[i].crop[0] && p->crop_width == cases[i].crop[1],
                      "%zu: crop %dx%d", i, p->crop, p->crop_width);
        ck_assert_msg(info.height == cases[i].input[0] && info.width == cases[i].input[1],
                      "%zu: input %dx%d", i, info.height, info.width);
        ck_assert_str_eq(p->name, "custom");
    }
    close_all();
}
END_TEST

/* A size scales a resize to height and width in both directions. */
START_TEST(scales_a_squash_with_the_input)
{
    const struct vgg_model_options options = {.height = 56, .width = 14};
    open_as("x.pth");
    write_file("x.json",
               "{\"schema\":1,\"input\":28,\"batch_norm\":true,\"layers\":[32,32,\"M\",64,"
               "64,\"M\",96,96],\"classifier\":[128,128,10],\"preprocess\":{\"resize\":"
               "[28,28],\"interpolation\":\"bicubic\",\"mean\":0,\"std\":1}}");
    struct vgg_model_info info = create(NULL);
    const struct vgg_preprocess *p = vgg_model_get_preprocess(model);
    ck_assert(info.height == 28 && p->crop == 0 && p->resize_width == 28);
    info = create(&options);
    p = vgg_model_get_preprocess(model);
    ck_assert(info.height == 56 && info.width == 14);
    ck_assert(p->resize == 56 && p->resize_width == 14 && p->crop == 56 && p->crop_width == 14);
    ck_assert_int_eq(p->interpolation, VGG_INTERPOLATION_BICUBIC);
    /* Dense evaluation keeps the aspect, with the smaller side as the shorter one, unless the caller wants it otherwise. */
    static const struct {
        struct vgg_model_options options;
        int resize[2], crop;
    } dense[] = {{{.dense = true}, {28, 0}, 0},
                 {{.dense = true, .height = 56, .width = 28}, {56, 0}, 56},
                 {{.dense = true, .resize = 64, .resize_width = 48}, {64, 48}, 0}};
    for (size_t i = 0; i < sizeof dense / sizeof dense[0]; i++) {
        create(&dense[i].options);
        p = vgg_model_get_preprocess(model);
        ck_assert_msg(p->resize == dense[i].resize[0] && p->resize_width == dense[i].resize[1] &&
                          p->crop == dense[i].crop,
                      "%zu: resize %dx%d, crop %d", i, p->resize, p->resize_width, p->crop);
    }
    close_all();
}
END_TEST

START_TEST(overrides_values)
{
    static const float mean[] = {0.1f, -0.2f, 1e6f}, std[] = {1.0f, 2.0f, 3.0f};
    static const float bad_mean[] = {0, 0, -2e6f}, bad_std[] = {1, 0, 1}, none[] = {NAN, 0, 0};
    struct vgg_model_options options = {.preset = "caffe", .mean = mean};
    open_as("fashion_vgg8_bn.pth");
    ck_assert_int_eq(create(&options).channels, 3);
    ck_assert_str_eq(create(&options).final_activation, "none");
    const struct vgg_preprocess *p = vgg_model_get_preprocess(model);
    ck_assert(p->mean[1] == -0.2f && p->std[1] == 1.0f && p->bgr && p->unscaled &&
              p->resize == 256);
    options = (struct vgg_model_options){.preset = "caffe", .std = std, .channels = "rgb"};
    create(&options);
    p = vgg_model_get_preprocess(model);
    ck_assert(p->std[2] == 3.0f && p->mean[0] == 123.68f && !p->bgr && p->channels == 3);
    options =
        (struct vgg_model_options){.preset = "caffe", .no_normalize = true, .channels = "gray"};
    create(&options);
    p = vgg_model_get_preprocess(model);
    ck_assert(p->mean[0] == 0.0f && p->std[0] == 1.0f && !p->unscaled && p->gray && p->bgr);
    options = (struct vgg_model_options){.interpolation = "nearest", .channels = "3"};
    create(&options);
    p = vgg_model_get_preprocess(model);
    ck_assert(p->interpolation == VGG_INTERPOLATION_NEAREST && p->resize == 28 && p->crop == 28);

    options = (struct vgg_model_options){.no_normalize = true, .mean = mean};
    refuse(&options, VGG_ERR_ARGUMENT, "exclude each other");
    options = (struct vgg_model_options){.mean = bad_mean};
    refuse(&options, VGG_ERR_ARGUMENT, "mean: expected numbers from -1e+06 to 1e+06, got -2e+06");
    options = (struct vgg_model_options){.std = bad_std};
    refuse(&options, VGG_ERR_ARGUMENT, "std: expected numbers from 1e-06 to 1e+06, got 0");
    options = (struct vgg_model_options){.mean = none};
    refuse(&options, VGG_ERR_ARGUMENT, "mean: expected numbers");
    options = (struct vgg_model_options){.interpolation = "box"};
    refuse(&options, VGG_ERR_ARGUMENT, "interpolation 'box': expected one of bilinear, bicubic");
    options = (struct vgg_model_options){.channels = "rgba"};
    refuse(&options, VGG_ERR_ARGUMENT, "channels 'rgba': expected one of rgb, bgr, gray, 1, 3");
    options = (struct vgg_model_options){.channels = "1"};
    refuse(&options, VGG_ERR_ARGUMENT, "channels '1': expected the 3 of the net's input, got 1");
    options = (struct vgg_model_options){.crop = 20, .height = 20};
    refuse(&options, VGG_ERR_ARGUMENT, "the input's size is that of the crop");
    options = (struct vgg_model_options){.crop = -2};
    refuse(&options, VGG_ERR_ARGUMENT, "crop: expected a side of 1 to 65535, or -1, got -2");
    options = (struct vgg_model_options){.resize_width = 20};
    refuse(&options, VGG_ERR_ARGUMENT, "resize: expected");
    options = (struct vgg_model_options){.resize = 20, .resize_width = 65536};
    refuse(&options, VGG_ERR_ARGUMENT, "or -1, got 65536");
    close_all();
}
END_TEST

START_TEST(takes_built_in_labels)
{
    struct vgg_model_options options = {.labels_path = "cifar10"};
    open_as("fashion_vgg8_bn.pth");
    create(&options);
    ck_assert_str_eq(vgg_model_get_label(model, 9), "truck");
    options.labels_path = "imagenet";
    refuse(&options, VGG_ERR_MISMATCH, "imagenet: expected 10 labels, the classes of");
    options.labels_path = "./cifar10";
    refuse(&options, VGG_ERR_IO, "./cifar10");
    close_all();
}
END_TEST

/* Options say what would be assumed otherwise. */
START_TEST(assumes_less_with_options)
{
    static const float half[] = {0.5f, 0.5f, 0.5f};
    struct vgg_model_options options = {.cfg = "32,32,M,64,64,M,96,96", .no_normalize = true};
    open_as("x.pth");
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; crop none; dilation 1; scores "
                     "softmax; activation ReLU; input size 28x28; interpolation bilinear; "
                     "channels RGB of 0 to 1; flatten channels, height, width; resize "
                     "28x28, whatever the aspect; logits the last layer's output, unchanged");
    options.resize = options.resize_width = 28;
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; dilation 1; scores softmax; "
                     "activation ReLU; interpolation bilinear; channels RGB of 0 to 1; "
                     "flatten channels, height, width; logits the last layer's output, "
                     "unchanged");
    options.no_normalize = false;
    options.mean = half;
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; dilation 1; scores softmax; "
                     "activation ReLU; interpolation bilinear; channels RGB of 0 to 1; "
                     "flatten channels, height, width; mean and std 0.5,0.5,0.5 and 1,1,1; "
                     "logits the last layer's output, unchanged");
    options.std = half;
    ck_assert_str_eq(create(&options).assumed,
                     "stride 1; padding 1; eps 1e-05; dilation 1; scores softmax; "
                     "activation ReLU; interpolation bilinear; channels RGB of 0 to 1; "
                     "flatten channels, height, width; logits the last layer's output, "
                     "unchanged");
    close_all();
}
END_TEST

START_TEST(makes_the_net_dense)
{
    struct vgg_model_options options = {.dense = true, .resize = 64};
    struct vgg_node_info node;
    open_as("fashion_vgg8_bn.pth");
    struct vgg_model_info info = create(&options);
    ck_assert(info.dense && info.height == 64 && info.width == 64);
    ck_assert_int_eq(vgg_model_get_preprocess(model)->crop, 0);
    ck_assert_int_eq(vgg_model_get_preprocess(model)->resize, 64);
    const size_t count = vgg_model_get_node_count(model);
    ck_assert_uint_eq(count, 6 * 3 + 2 + 2 + 7);
    vgg_model_get_node(model, 20, &node);
    ck_assert_str_eq(node.name, "classifier.0");
    ck_assert_str_eq(node.type, "Conv2d");
    ck_assert(node.channels == 128 && node.height == 10 && node.width == 10);
    ck_assert_uint_eq(node.parameters, 128 * 96 * 49 + 128);
    vgg_model_get_node(model, count - 2, &node);
    ck_assert_str_eq(node.name, "average");
    ck_assert(node.channels == 10 && node.height == 1);
    ck_assert_int_eq(vgg_model_check_classifier(model, &err), VGG_OK);
    ck_assert_int_eq(vgg_model_check_size(model, 27, 28, &err), VGG_ERR_MISMATCH);
    options.width = 40;
    info = create(&options);
    ck_assert(info.height == 40 && vgg_model_get_preprocess(model)->crop == 40);
    close_all();
}
END_TEST

START_TEST(tells_of_every_node)
{
    struct vgg_node_info node, sum = {0};
    open_as("fashion_vgg8_bn.pth");
    create(NULL);
    ck_assert_uint_eq(vgg_model_get_node_count(model), 6 * 3 + 2 + 2 + 7);
    vgg_model_get_node(model, 0, &node);
    ck_assert_str_eq(node.name, "features.0");
    ck_assert_str_eq(node.type, "Conv2d");
    ck_assert(node.channels == 32 && node.height == 28 && node.width == 28);
    ck_assert_uint_eq(node.parameters, 32 * 3 * 9 + 32);
    ck_assert_double_eq(node.multiply_adds, 32 * 3 * 9 * 28.0 * 28);
    vgg_model_get_node(model, 1, &node);
    ck_assert_str_eq(node.type, "BatchNorm2d");
    ck_assert_uint_eq(node.parameters, 2 * 32);
    ck_assert_uint_eq(node.weight_bytes, 4 * 32 * sizeof(float));
    for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
        vgg_model_get_node(model, i, &node);
        sum.parameters += node.parameters;
        sum.multiply_adds += node.multiply_adds;
    }
    ck_assert_uint_eq(sum.parameters, 824810);
    ck_assert_double_eq(sum.multiply_adds, 26134272);
    ck_assert_str_eq(node.name, "classifier.6");
    ck_assert(node.channels == 10 && node.height == 1 && node.width == 1);
    close_all();
}
END_TEST

START_TEST(has_no_shapes_for_too_small_an_input)
{
    struct vgg_node_info node;
    open_as("x.pth");
    write_file("x.json", "{\"schema\":1,\"input\":3,\"batch_norm\":true,\"layers\":[32,32,\"M\",64,"
                         "64,\"M\",96,96],\"classifier\":[128,128,10]}");
    create(NULL);
    vgg_model_get_node(model, 0, &node);
    ck_assert_int_eq(node.height, 3);
    vgg_model_get_node(model, vgg_model_get_node_count(model) - 1, &node);
    ck_assert_int_eq(node.height, 0);
    ck_assert_double_eq(node.multiply_adds, 0);
    close_all();
}
END_TEST

UNIT_MAIN("model", knows_the_bundled_net_by_its_name, takes_descriptions_in_order,
          refuses_descriptions_that_do_not_fit, lets_options_override, tells_what_it_assumes,
          takes_other_sizes, overrides_sizes, scales_a_squash_with_the_input, overrides_values,
          takes_built_in_labels, assumes_less_with_options, makes_the_net_dense,
          tells_of_every_node, has_no_shapes_for_too_small_an_input)
