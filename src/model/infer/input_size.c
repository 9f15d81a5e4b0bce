/* SPDX-License-Identifier: MIT */
/* Finds the input size of a net whose layers are known. */
#include "model/infer/input_size.h"

#include <stdio.h>

#include "model/infer/usual_size.h"
#include "model/spec/defaults.h"

/* The size of ImageNet's images after the crop. */
enum { IMAGENET_SIDE = 224 };

static bool has_adaptive(const struct vgg_spec *spec)
{
    return vgg_spec_count(spec, VGG_LAYER_ADAPTIVE_POOL) > 0;
}

/* The pixels of each channel that the linear layer after Flatten takes. */
static int find_area(const struct vgg_spec *spec)
{
    int channels = spec->channels;
    bool flat = false;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        channels = layer->kind == VGG_LAYER_CONV ? layer->conv.out_channels : channels;
        flat = flat || layer->kind == VGG_LAYER_FLATTEN;
        const int features = layer->kind == VGG_LAYER_LINEAR ? layer->linear.in_features
                             : flat && layer->kind == VGG_LAYER_BATCH_NORM ? layer->norm.channels
                                                                           : 0;
        if (features > 0) {
            return features % channels == 0 ? features / channels : 0;
        }
    }
    return 0;
}

/* The pixels of each channel that the features end with, by the adaptive pool or the linear layer; 0: not known. */
static int find_wanted(const struct vgg_spec *spec)
{
    const struct vgg_pixels end = vgg_spec_feature_size(spec, NULL);
    return has_adaptive(spec) ? end.h * end.w : find_area(spec);
}

/* A net with an adaptive pool takes any size: the one at which the pool changes nothing, or ImageNet's where the pool
 * takes the mean of everything. */
static bool takes_imagenet(const struct vgg_spec *spec, int wanted, int usual)
{
    const int classes = vgg_spec_get_classes(spec);
    const struct vgg_pixels imagenet = {IMAGENET_SIDE, IMAGENET_SIDE};
    return has_adaptive(spec) && wanted <= 1 && !(usual > 0 && (classes == 10 || classes == 100)) &&
           vgg_input_reaches(spec, imagenet, 0);
}

static struct vgg_pixels choose(const struct vgg_spec *spec)
{
    const int wanted = find_wanted(spec);
    const int usual = wanted > 0 ? vgg_input_find_usual(spec, wanted) : 0;
    if (takes_imagenet(spec, wanted, usual)) {
        return (struct vgg_pixels){IMAGENET_SIDE, IMAGENET_SIDE};
    }
    return usual > 0 ? (struct vgg_pixels){usual, usual} : vgg_spec_natural_input(spec);
}

/* Records the size, and the others that people use and that fit as well.
 *   given  the caller's; 0: none */
static void note_size(const struct vgg_load *load, struct vgg_pixels given, struct vgg_spec *spec)
{
    const struct vgg_pixels size = given.h > 0 ? given : spec->input;
    const int wanted = find_wanted(spec);
    struct vgg_text others = {0};
    char value[32];
    snprintf(value, sizeof value, "%dx%d", size.h, size.w);
    if (given.h == 0 && wanted > 0) {
        vgg_input_list_usual(spec, wanted, "", size.h, &others);
    }
    vgg_evidence_add(
        &spec->evidence, load->arena,
        &(struct vgg_evidence){.property = "input size",
                               .value = value,
                               .source = given.h > 0 ? VGG_EVIDENCE_USER : VGG_EVIDENCE_CONVENTION,
                               .alternatives = others.length > 0 ? others.buffer : NULL});
}

vgg_status vgg_input_choose(const struct vgg_load *load, const struct vgg_overrides *overrides,
                            struct vgg_spec *spec)
{
    const bool given = overrides->height > 0;
    const struct vgg_pixels size = {overrides->height, overrides->width};
    spec->input = choose(spec);
    if (given && (spec->input.h == 0 || spec->input.w == 0)) {
        spec->input = size;
    }
    if (spec->input.h == 0 || spec->input.w == 0) {
        return vgg_fail_hint(load->err, VGG_ERR_MISMATCH, VGG_HINT_SIZE,
                             "%s: the layers do not show the size of the input", load->path);
    }
    note_size(load, given ? size : (struct vgg_pixels){0}, spec);
    return VGG_OK;
}
