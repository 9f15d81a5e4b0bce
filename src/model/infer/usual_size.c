/* SPDX-License-Identifier: MIT */
/* Finds the input sizes that people use at which the features end as large as a classifier takes them. */
#include "model/infer/usual_size.h"

#include "model/spec/defaults.h"
#include "model/spec/layers.h"

/* Input sizes that people train with, smallest first. */
static const int usual_sizes[] = {28,  32,  48,  64,  96,  128, 160, 192, 224,
                                  256, 288, 299, 320, 336, 384, 448, 480, 512};
enum { USUAL_COUNT = sizeof usual_sizes / sizeof usual_sizes[0] };

/* The size of the features for an input size; {0, 0}: the input is too small. */
static struct vgg_pixels run(const struct vgg_spec *spec, struct vgg_pixels input)
{
    struct vgg_shape shape = {.c = spec->channels, .h = input.h, .w = input.w};
    size_t end = 0;
    vgg_spec_feature_size(spec, &end);
    for (size_t i = 0; i < end; i++) {
        if (!vgg_layer_move(&spec->layers[i], &shape)) {
            return (struct vgg_pixels){0, 0};
        }
    }
    return (struct vgg_pixels){shape.h, shape.w};
}

bool vgg_input_reaches(const struct vgg_spec *spec, struct vgg_pixels input, int area)
{
    const struct vgg_pixels end = run(spec, input);
    return end.h > 0 && (area == 0 || (int64_t)end.h * end.w == area);
}

int vgg_input_find_usual(const struct vgg_spec *spec, int area)
{
    /* 28x28 images are gray. */
    const struct vgg_pixels cifar = {32, 32};
    if (spec->channels == 3 && vgg_input_reaches(spec, cifar, area)) {
        return cifar.h;
    }
    for (int i = 0; i < USUAL_COUNT; i++) {
        if (vgg_input_reaches(spec, (struct vgg_pixels){usual_sizes[i], usual_sizes[i]}, area)) {
            return usual_sizes[i];
        }
    }
    return 0;
}

void vgg_input_list_usual(const struct vgg_spec *spec, int area, const char *name, int chosen,
                          struct vgg_text *out)
{
    for (int i = 0; i < USUAL_COUNT; i++) {
        const int side = usual_sizes[i];
        if (side != chosen && vgg_input_reaches(spec, (struct vgg_pixels){side, side}, area)) {
            vgg_text_add(out, "%s%s%dx%d fits as well", out->length > 0 ? "; " : "", name, side,
                         side);
        }
    }
}
