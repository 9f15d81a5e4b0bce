/* SPDX-License-Identifier: MIT */
/* The built-in presets, and the names of the interpolations. */
#include "vgg/preprocess.h"

#include <string.h>

#include "base/status.h"

/* Written as torchvision writes them: double constants, rounded to float32 as its tensors are. */
static const struct vgg_preprocess presets[] = {
    {.name = "imagenet",
     .resize = 256,
     .crop = 224,
     .mean = {(float)0.485, (float)0.456, (float)0.406},
     .std = {(float)0.229, (float)0.224, (float)0.225}},
    {.name = "features",
     .resize = 256,
     .crop = 224,
     .mean = {(float)0.48235, (float)0.45882, (float)0.40784},
     .std = {(float)(1.0 / 255.0), (float)(1.0 / 255.0), (float)(1.0 / 255.0)}},
    {.name = "cifar",
     .resize = 32,
     .crop = 32,
     .mean = {0.5f, 0.5f, 0.5f},
     .std = {0.5f, 0.5f, 0.5f}},
    {.name = "caffe",
     .resize = 256,
     .crop = 224,
     .mean = {(float)123.68, (float)116.779, (float)103.939},
     .std = {1, 1, 1},
     .bgr = 1,
     .unscaled = 1},
    {.name = "vgg-face",
     .resize = 256,
     .crop = 224,
     .mean = {(float)129.1863, (float)104.7624, (float)93.594},
     .std = {1, 1, 1},
     .bgr = 1,
     .unscaled = 1},
};

vgg_status vgg_preprocess_find(const char *name, struct vgg_preprocess *out, struct vgg_error *err)
{
    struct vgg_text names = {0};
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (name != NULL && strcmp(name, presets[i].name) == 0) {
            *out = presets[i];
            return VGG_OK;
        }
        vgg_text_add(&names, "%s%s", i > 0 ? ", " : "", presets[i].name);
    }
    return vgg_fail(err, VGG_ERR_ARGUMENT, "preset '%s': expected one of %s",
                    name != NULL ? name : "(NULL)", names.buffer);
}

static const char *const interpolations[] = {
    [VGG_INTERPOLATION_BILINEAR] = "bilinear",
    [VGG_INTERPOLATION_BICUBIC] = "bicubic",
    [VGG_INTERPOLATION_NEAREST] = "nearest",
    [VGG_INTERPOLATION_LANCZOS] = "lanczos",
};
enum { INTERPOLATIONS = sizeof interpolations / sizeof interpolations[0] };

const char *vgg_interpolation_string(enum vgg_interpolation interpolation)
{
    return (unsigned)interpolation < INTERPOLATIONS ? interpolations[interpolation] : "unknown";
}

bool vgg_interpolation_parse(const char *name, enum vgg_interpolation *out)
{
    for (unsigned i = 0; i < INTERPOLATIONS; i++) {
        if (strcmp(name, interpolations[i]) == 0) {
            *out = (enum vgg_interpolation)i;
            return true;
        }
    }
    return false;
}
