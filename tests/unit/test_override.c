/* SPDX-License-Identifier: MIT */
/* model/infer/override: properties of layers that a caller gives as text. */
#include "unit.h"

#include "model/infer/override.h"
#include "spec_text.h"

static struct vgg_layer make(enum vgg_layer_kind kind)
{
    return (struct vgg_layer){.kind = kind, .name = "x"};
}

/* conv of 3x3, conv of 1x3, BatchNorm, ReLU, PReLU, max pool, adaptive pool. */
static void make_layers(struct vgg_layer layers[7])
{
    for (int i = 0; i < 2; i++) {
        layers[i] = make(VGG_LAYER_CONV);
        layers[i].conv = (struct vgg_conv_layer){
            .out_channels = 8, .groups = 1, .window = vgg_window_square(3, 1, 1), .bias = true};
    }
    layers[1].conv.window.kernel.h = 1;
    layers[1].conv.window.padding.top = layers[1].conv.window.padding.bottom = 0;
    layers[2] = make(VGG_LAYER_BATCH_NORM);
    layers[2].norm = (struct vgg_norm_layer){.eps = VGG_DEFAULT_EPS, .affine = true};
    layers[3] = make(VGG_LAYER_ACTIVATION);
    layers[4] = make(VGG_LAYER_ACTIVATION);
    layers[4].activation = (struct vgg_activation_layer){.kind = VGG_ACTIVATION_PRELU, .slopes = 8};
    layers[5] = make(VGG_LAYER_POOL);
    layers[5].pool.window = vgg_window_square(2, 2, 0);
    layers[6] = make(VGG_LAYER_ADAPTIVE_POOL);
    layers[6].adaptive.out = (struct vgg_pixels){1, 1};
}

START_TEST(replaces_settings)
{
    static const struct {
        struct vgg_override_texts texts;
        const char *layers;
    } cases[] = {
        {{0}, "8 8/1x3 b r PReLU(8) M avg1"},
        {{.padding = "0"}, "8p0 8/1x3p0 b r PReLU(8) M avg1"},
        {{.padding = "2"}, "8p2 8/1x3p0x2 b r PReLU(8) M avg1"},
        {{.eps = "1e-3"}, "8 8/1x3 b(0.001) r PReLU(8) M avg1"},
        {{.activation = "LeakyReLU(0.2)"}, "8 8/1x3 b LeakyReLU(0.2) PReLU(8) M avg1"},
        {{.activation = "GELU"}, "8 8/1x3 b GELU PReLU(8) M avg1"},
        {{.activation = "none"}, "8 8/1x3 b D PReLU(8) M avg1"},
        {{.pool = "AvgPool2d"}, "8 8/1x3 b r PReLU(8) A avg1"},
        {{.pool = "MaxPool2d(3, 2, 1)"}, "8 8/1x3 b r PReLU(8) M/3s2p1 avg1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_layer layers[7];
        struct vgg_spec spec = {.layers = layers, .layer_count = 7};
        struct vgg_overrides overrides = {0};
        struct vgg_error err = {0};
        make_layers(layers);
        ck_assert_int_eq(vgg_overrides_parse(&cases[i].texts, &overrides, &err), VGG_OK);
        ck_assert(vgg_overrides_has_layers(&overrides) == (i > 0));
        vgg_overrides_apply(&overrides, &spec);
        ck_assert_str_eq(spec_text(&spec), cases[i].layers);
    }
}
END_TEST

START_TEST(refuses_other_texts)
{
    static const struct {
        struct vgg_override_texts texts;
        const char *message;
    } cases[] = {
        {{.padding = "-1"}, "padding: expected a number from 0 to 65535, got '-1'"},
        {{.padding = "1x"}, "got '1x'"},
        {{.padding = ""}, "got ''"},
        {{.eps = "2"}, "eps: expected a number from 0 to 1, got '2'"},
        {{.eps = "nan"}, "got 'nan'"},
        {{.activation = "PReLU"}, "activation: expected none or one of ReLU"},
        {{.activation = "Conv2d"}, "got 'Conv2d'"},
        {{.activation = "ReLU(1)"}, "ReLU: expected no number"},
        {{.activation = "ELU(1, 2)"}, "ELU: expected one number in brackets"},
        {{.activation = "LeakyReLU(inf)"}, "expected one number in brackets"},
        {{.activation = "ELU(1"}, "got 'ELU(1'"},
        {{.pool = "AdaptiveAvgPool2d(1)"}, "pool: expected MaxPool2d or AvgPool2d"},
        {{.pool = "MaxPool2d(2, 2, 2)"}, "got 'MaxPool2d(2, 2, 2)'"},
        {{.pool = "MaxPool2d(0)"}, "got 'MaxPool2d(0)'"},
        {{.pool = "MaxPool2d(1.5)"}, "got 'MaxPool2d(1.5)'"},
        {{.pool = "MaxPool2d(1,2,3,4)"}, "got 'MaxPool2d(1,2,3,4)'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_overrides overrides = {0};
        struct vgg_error err = {0};
        ck_assert_int_eq(vgg_overrides_parse(&cases[i].texts, &overrides, &err), VGG_ERR_ARGUMENT);
        ck_assert_msg(strstr(err.message, cases[i].message) != NULL, "%s\n%s", cases[i].message,
                      err.message);
    }
}
END_TEST

UNIT_MAIN("override", replaces_settings, refuses_other_texts)
