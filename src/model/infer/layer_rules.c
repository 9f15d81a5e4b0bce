/* SPDX-License-Identifier: MIT */
/* Checks that hold for the layers of every inferred net, however its layers are named. */
#include "model/infer/layer_rules.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/defaults.h"

vgg_status vgg_infer_check_kernel(const struct vgg_load *load, const struct vgg_tensor *weight)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    const int64_t kernel = weight->shape[2];
    if (kernel == weight->shape[3] && (kernel == 3 || kernel == 1)) {
        return VGG_OK;
    }
    return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                    "%s: %s: expected a convolution of 3x3 or 1x1, as a VGG has, found %s",
                    load->path, weight->name, vgg_shape_text(weight->shape, weight->ndim, shape));
}

vgg_status vgg_infer_read_width(const struct vgg_load *load, const struct vgg_tensor *weight,
                                int dim, int *out)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    if (weight->shape[dim] < 1 || weight->shape[dim] > VGG_MAX_CHANNELS) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: %s: expected sides of 1 to %d, found %s",
                        load->path, weight->name, VGG_MAX_CHANNELS,
                        vgg_shape_text(weight->shape, weight->ndim, shape));
    }
    *out = (int)weight->shape[dim];
    return VGG_OK;
}

vgg_status vgg_infer_check_count(const struct vgg_load *load, const struct vgg_cfg *cfg,
                                 size_t count, const struct vgg_tensor *first,
                                 const struct vgg_tensor *last)
{
    return cfg->conv_count == count
               ? VGG_OK
               : vgg_fail(load->err, VGG_ERR_MISMATCH,
                          "%s: expected %zu convolutions as cfg has, found %zu: %s … %s",
                          load->path, cfg->conv_count, count, first->name, last->name);
}

vgg_status vgg_infer_check_entry(const struct vgg_load *load, const struct vgg_cfg *cfg,
                                 size_t entry, const struct vgg_tensor *weight)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    const int channels = cfg->layers[entry].channels;
    return weight->shape[0] == channels
               ? VGG_OK
               : vgg_fail(load->err, VGG_ERR_MISMATCH,
                          "%s: %s: expected %d output channels, entry %zu of cfg, found %s",
                          load->path, weight->name, channels, entry + 1,
                          vgg_shape_text(weight->shape, weight->ndim, shape));
}

/* Describes the features that a classifier of 7x7 pixels was made for, in case two nets were mixed up. */
static void describe_expected_features(int in_features, int channels, char *out, size_t bytes)
{
    out[0] = '\0';
    if (in_features % 49 == 0 && in_features / 49 != channels) {
        snprintf(out, bytes, ", which is %d x 7x7: made for features that end in %d channels",
                 in_features / 49, in_features / 49);
    }
}

vgg_status vgg_infer_avgpool(const struct vgg_load *load, const struct vgg_tensor *conv,
                             const struct vgg_tensor *linear, int *side)
{
    int channels = 0, features = 0;
    vgg_status status = vgg_infer_read_width(load, conv, 0, &channels);
    status = status ? status : vgg_infer_read_width(load, linear, 1, &features);
    if (status != VGG_OK) {
        return status;
    }
    *side = 1;
    /* Ends at 4096 at the latest: features are at most VGG_MAX_CHANNELS. */
    while (*side * *side < features / channels) {
        ++*side;
    }
    if ((int64_t)*side * *side * channels == features) {
        return VGG_OK;
    }
    char origin[96];
    describe_expected_features(features, channels, origin, sizeof origin);
    return vgg_fail(load->err, VGG_ERR_MISMATCH,
                    "%s: %s: expected as in_features the %d channels of %s times a square "
                    "number of pixels (%lld for 7x7), found %d%s",
                    load->path, linear->name, channels, conv->name, 49LL * channels, features,
                    origin);
}

vgg_status vgg_infer_finish(const struct vgg_load *load, const char *assumed, struct vgg_spec *spec)
{
    const size_t length = strlen(assumed);
    if (length > 0) {
        spec->assumed = vgg_arena_copy_string(load->arena, assumed, length);
        if (spec->assumed == NULL) {
            return vgg_load_fail_memory(load, length + 1, "the list of assumptions");
        }
    }
    spec->input = vgg_spec_natural_input(spec);
    spec->assumed_input = true;
    spec->assumed_avgpool = true;
    return VGG_OK;
}
