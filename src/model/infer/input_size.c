/* SPDX-License-Identifier: MIT */
/* Finds the input size of a net whose layers are known. */
#include "model/infer/input_size.h"

#include "model/infer/notes.h"
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

/* A net with an adaptive pool takes any size: the one at which the pool changes nothing, or ImageNet's where the pool
 * takes the mean of everything. */
static struct vgg_pixels choose_adaptive(const struct vgg_spec *spec)
{
    const struct vgg_pixels end = vgg_spec_feature_size(spec, NULL);
    const int classes = vgg_spec_get_classes(spec);
    const int usual = end.h > 0 ? vgg_input_find_usual(spec, end.h * end.w) : 0;
    const struct vgg_pixels imagenet = {IMAGENET_SIDE, IMAGENET_SIDE};
    if (end.h <= 1 && !(usual > 0 && (classes == 10 || classes == 100)) &&
        vgg_input_reaches(spec, imagenet, 0)) {
        return imagenet;
    }
    return usual > 0 ? (struct vgg_pixels){usual, usual} : vgg_spec_natural_input(spec);
}

static struct vgg_pixels choose(const struct vgg_spec *spec)
{
    if (has_adaptive(spec)) {
        return choose_adaptive(spec);
    }
    const int area = find_area(spec), usual = area > 0 ? vgg_input_find_usual(spec, area) : 0;
    return usual > 0 ? (struct vgg_pixels){usual, usual} : vgg_spec_natural_input(spec);
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
    vgg_note(load, spec, "input size", given ? VGG_EVIDENCE_USER : VGG_EVIDENCE_CONVENTION, "%dx%d",
             given ? size.h : spec->input.h, given ? size.w : spec->input.w);
    return VGG_OK;
}
