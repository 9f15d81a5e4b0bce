/* SPDX-License-Identifier: MIT */
/* Reads the layers of a description: its keys `layers` and `classifier`. */
#include "model/spec/read_layers.h"

#include <stdio.h>
#include <string.h>

/* The largest window of local response normalisation that the kernels compute. */
enum { MAX_LRN_CHANNELS = 255 };

/* Reads one entry of `layers`; *layer holds the defaults. */
static vgg_status read_layer(const struct vgg_load *load, const char *key,
                             const struct vgg_json *item, struct vgg_layer *layer)
{
    int padding = -1;
    const struct vgg_field conv[] = {
        {"conv", VGG_FIELD_INT, &layer->channels, true, {1, VGG_MAX_CHANNELS}},
        {"kernel", VGG_FIELD_INT, &layer->kernel, false, {1, VGG_MAX_SIDE}},
        {"stride", VGG_FIELD_INT, &layer->stride, false, {1, VGG_MAX_SIDE}},
        {"padding", VGG_FIELD_INT, &padding, false, {0, VGG_MAX_SIDE}},
        {"bias", VGG_FIELD_BOOL, &layer->bias, false, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &layer->batch_norm, false, {0, 0}},
    };
    const struct vgg_field pool[] = {
        {"max_pool", VGG_FIELD_INT, &layer->kernel, true, {1, VGG_MAX_SIDE}},
        {"stride", VGG_FIELD_INT, &layer->stride, false, {1, VGG_MAX_SIDE}},
    };
    const struct vgg_field lrn[] = {
        {"lrn", VGG_FIELD_INT, &layer->kernel, true, {1, MAX_LRN_CHANNELS}},
        {"alpha", VGG_FIELD_NUMBER, &layer->alpha, false, {0, 1e6}},
        {"beta", VGG_FIELD_NUMBER, &layer->beta, false, {0, 1e3}},
        {"k", VGG_FIELD_NUMBER, &layer->k, false, {0, 1e6}},
    };
    vgg_status status = VGG_OK;
    if (vgg_json_is(item, VGG_JSON_TEXT) && strcmp(vgg_json_text(item), "M") == 0) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    } else if (vgg_json_is(item, VGG_JSON_TEXT) && strcmp(vgg_json_text(item), "D") == 0) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_DROPOUT};
    } else if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        status = vgg_read_int(load, key, item, (struct vgg_range){1, VGG_MAX_CHANNELS},
                              &layer->channels);
    } else if (vgg_json_get(item, "conv") != NULL) {
        status = VGG_READ_OBJECT(load, key, item, conv);
        layer->padding = padding >= 0 ? padding : layer->kernel / 2;
    } else if (vgg_json_get(item, "max_pool") != NULL) {
        *layer = (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL};
        status = VGG_READ_OBJECT(load, key, item, pool);
        layer->stride = layer->stride > 0 ? layer->stride : layer->kernel;
    } else if (vgg_json_get(item, "lrn") != NULL) {
        /* PyTorch's defaults. */
        *layer = (struct vgg_layer){.kind = VGG_LAYER_LRN, .alpha = 1e-4, .beta = 0.75, .k = 1};
        status = VGG_READ_OBJECT(load, key, item, lrn);
    } else {
        return vgg_read_fail_expected(load, key,
                                      "channels, \"M\", \"D\", {\"conv\": channels, …}, "
                                      "{\"max_pool\": side, …} or {\"lrn\": channels, …}",
                                      item);
    }
    return status;
}

vgg_status vgg_spec_read_layers(const struct vgg_load *load, const struct vgg_json *list,
                                bool batch_norm, struct vgg_spec *spec)
{
    char key[VGG_KEY_BYTES];
    bool has_conv = false;
    vgg_status status =
        vgg_read_count(load, "layers", list, load->limits->layers, &spec->layer_count);
    if (status != VGG_OK) {
        return status;
    }
    spec->layers = vgg_arena_alloc(load->arena, spec->layer_count, sizeof *spec->layers);
    if (spec->layers == NULL) {
        return vgg_load_fail_memory(load, spec->layer_count * sizeof *spec->layers,
                                    "the description");
    }
    size_t i = 0;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item), i++) {
        spec->layers[i] = (struct vgg_layer){.kind = VGG_LAYER_CONV,
                                             .kernel = 3,
                                             .stride = 1,
                                             .padding = 1,
                                             .bias = true,
                                             .batch_norm = batch_norm};
        snprintf(key, sizeof key, "layers[%zu]", i);
        status = read_layer(load, key, item, &spec->layers[i]);
        if (status != VGG_OK) {
            return status;
        }
        has_conv = has_conv || spec->layers[i].kind == VGG_LAYER_CONV;
    }
    return has_conv ? VGG_OK
                    : vgg_read_fail_key(load, "layers", "expected a convolution, found none");
}

/* Reads one entry of `classifier`, or the whole value when it is not a list; *head holds the defaults. */
static vgg_status read_linear(const struct vgg_load *load, const char *key,
                              const struct vgg_json *item, struct vgg_head *head)
{
    const struct vgg_field linear[] = {
        {"linear", VGG_FIELD_INT, &head->features, true, {1, VGG_MAX_CHANNELS}},
        {"bias", VGG_FIELD_BOOL, &head->bias, false, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &head->batch_norm, false, {0, 0}},
        {"index", VGG_FIELD_INT, &head->index, false, {0, 999999}},
    };
    if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        return vgg_read_int(load, key, item, (struct vgg_range){1, VGG_MAX_CHANNELS},
                            &head->features);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return vgg_read_fail_expected(load, key, "features or {\"linear\": features, …}", item);
    }
    return VGG_READ_OBJECT(load, key, item, linear);
}

vgg_status vgg_spec_read_classifier(const struct vgg_load *load, const struct vgg_json *list,
                                    bool dropout, struct vgg_spec *spec)
{
    char key[VGG_KEY_BYTES];
    const bool single = !vgg_json_is(list, VGG_JSON_LIST);
    spec->head_count = 1;
    vgg_status status =
        single ? VGG_OK
               : vgg_read_count(load, "classifier", list, load->limits->layers, &spec->head_count);
    if (status != VGG_OK) {
        return status;
    }
    spec->head = vgg_arena_alloc(load->arena, spec->head_count, sizeof *spec->head);
    if (spec->head == NULL) {
        return vgg_load_fail_memory(load, spec->head_count * sizeof *spec->head, "the description");
    }
    if (single) {
        spec->head[0] = (struct vgg_head){.bias = true, .index = -1};
        return read_linear(load, "classifier", list, &spec->head[0]);
    }
    size_t i = 0;
    int index = 0;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item), i++) {
        spec->head[i] = (struct vgg_head){.bias = true, .index = index};
        snprintf(key, sizeof key, "classifier[%zu]", i);
        status = read_linear(load, key, item, &spec->head[i]);
        if (status != VGG_OK) {
            return status;
        }
        index = spec->head[i].index + (dropout ? 3 : 2) + spec->head[i].batch_norm;
    }
    return VGG_OK;
}
