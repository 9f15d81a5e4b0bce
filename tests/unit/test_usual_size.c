/* SPDX-License-Identifier: MIT */
/* model/infer/usual_size and input_size: input sizes that people use. */
#include "fake_net.h"

#include "model/infer/input_size.h"
#include "model/infer/usual_size.h"
#include "model/spec/defaults.h"

enum { MAX_LAYERS = 16 };

struct net {
    struct vgg_layer layers[MAX_LAYERS];
    struct vgg_spec spec;
};

static struct vgg_layer *add(struct net *net, enum vgg_layer_kind kind)
{
    struct vgg_layer *layer = &net->layers[net->spec.layer_count++];
    ck_assert_uint_le(net->spec.layer_count, MAX_LAYERS);
    *layer = (struct vgg_layer){.kind = kind, .name = "x"};
    return layer;
}

/* A convolution of 8 channels, pools of 2x2, an adaptive pool if side is not 0, Flatten, a linear layer for area pixels.
 */
static void make(struct net *net, int channels, int pools, int side, int area, int classes)
{
    *net = (struct net){.spec = {.layers = net->layers, .channels = channels}};
    add(net, VGG_LAYER_CONV)->conv = (struct vgg_conv_layer){.in_channels = channels,
                                                             .out_channels = 8,
                                                             .groups = 1,
                                                             .window = vgg_window_square(3, 1, 1)};
    for (int i = 0; i < pools; i++) {
        add(net, VGG_LAYER_POOL)->pool.window = vgg_window_square(2, 2, 0);
    }
    if (side > 0) {
        add(net, VGG_LAYER_ADAPTIVE_POOL)->adaptive.out = (struct vgg_pixels){side, side};
    }
    add(net, VGG_LAYER_FLATTEN);
    add(net, VGG_LAYER_LINEAR)->linear =
        (struct vgg_linear_layer){.in_features = 8 * area, .out_features = classes};
}

START_TEST(finds_usual_sizes)
{
    static const struct {
        int channels, pools, area, usual;
        const char *others;
    } cases[] = {
        {3, 5, 49, 224, ""},
        {3, 3, 16, 32, ""},
        {1, 2, 49, 28, ""},
        {3, 5, 81, 288, "299x299 fits as well"},
        {3, 5, 1, 32, "48x48 fits as well"},
        {3, 4, 4, 32, ""},
        /* 28x28 images are gray, and others prefer 32x32. */
        {3, 4, 1, 28, ""},
        {1, 5, 1, 32, "48x48 fits as well"},
        {3, 1, 25, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct net net;
        struct vgg_text others = {0};
        make(&net, cases[i].channels, cases[i].pools, 0, cases[i].area, 5);
        ck_assert_int_eq(vgg_input_find_usual(&net.spec, cases[i].area), cases[i].usual);
        vgg_input_list_usual(&net.spec, cases[i].area, "", cases[i].usual, &others);
        ck_assert_str_eq(others.buffer, cases[i].others);
    }
}
END_TEST

START_TEST(lists_sizes_after_others)
{
    struct net net;
    struct vgg_text text = {0};
    make(&net, 3, 5, 0, 1, 5);
    vgg_text_add(&text, "no pool at 9x9 fits as well");
    vgg_input_list_usual(&net.spec, 1, "padding 0 at ", 0, &text);
    ck_assert_str_eq(text.buffer, "no pool at 9x9 fits as well; padding 0 at 32x32 fits as well; "
                                  "padding 0 at 48x48 fits as well");
}
END_TEST

START_TEST(knows_what_is_reached)
{
    struct net net;
    make(&net, 3, 5, 0, 49, 5);
    ck_assert(vgg_input_reaches(&net.spec, (struct vgg_pixels){224, 224}, 49));
    ck_assert(vgg_input_reaches(&net.spec, (struct vgg_pixels){255, 224}, 49));
    ck_assert(!vgg_input_reaches(&net.spec, (struct vgg_pixels){256, 224}, 49));
    ck_assert(vgg_input_reaches(&net.spec, (struct vgg_pixels){32, 1568}, 49));
    ck_assert(vgg_input_reaches(&net.spec, (struct vgg_pixels){32, 32}, 0));
    ck_assert(!vgg_input_reaches(&net.spec, (struct vgg_pixels){31, 32}, 0));
}
END_TEST

/* Of a net whose layers are known: by the linear layer, by the adaptive pool, ImageNet's for a mean of everything. */
START_TEST(chooses_the_input)
{
    static const struct {
        int pools, side, area, classes, given, input;
        const char *alternatives;
    } cases[] = {
        {5, 0, 81, 5, 0, 288, "299x299 fits as well"},
        {5, 7, 49, 5, 0, 224, NULL},
        {5, 1, 1, 5, 0, 224, "32x32 fits as well; 48x48 fits as well"},
        {5, 1, 1, 10, 0, 32, "48x48 fits as well"},
        {1, 0, 25, 5, 0, 10, NULL},
        {5, 0, 81, 5, 310, 288, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct net net;
        struct fake_net memory = {0};
        const struct vgg_overrides overrides = {.height = cases[i].given, .width = cases[i].given};
        make(&net, 3, cases[i].pools, cases[i].side, cases[i].area, cases[i].classes);
        ck_assert_int_eq(vgg_input_choose(FAKE_LOAD(&memory, "x"), &overrides, &net.spec), VGG_OK);
        ck_assert_int_eq(net.spec.input.h, cases[i].input);
        const struct vgg_evidence *size = vgg_evidence_find(&net.spec.evidence, "input size");
        ck_assert_int_eq(size->source,
                         cases[i].given > 0 ? VGG_EVIDENCE_USER : VGG_EVIDENCE_CONVENTION);
        ck_assert_pstr_eq(size->alternatives, cases[i].alternatives);
        fake_fini(&memory);
    }
}
END_TEST

UNIT_MAIN("usual_size", finds_usual_sizes, lists_sizes_after_others, knows_what_is_reached,
          chooses_the_input)
