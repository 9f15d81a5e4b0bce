/* SPDX-License-Identifier: MIT */
/* Reads one layer from a module object of PyTorch. */
#include "model/infer/module_layer.h"

#include <math.h>
#include <string.h>

#include "model/spec/module_types.h"

struct reader {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    const struct vgg_module *module;
    struct vgg_layer *out;
    bool *missing;
};

static vgg_status fail_setting(const struct reader *reader, const char *key, const char *expected)
{
    return vgg_fail(reader->load->err, VGG_ERR_UNSUPPORTED,
                    "%s: %s: %s %s is not supported: expected %s", reader->load->path,
                    reader->module->name, reader->module->type, key, expected);
}

/* ---- settings ---- */

/* Reads two sizes; *out keeps its value when the file does not have them. */
static vgg_status read_pixels(const struct reader *reader, const char *key, int min,
                              struct vgg_pixels *out)
{
    int64_t sizes[2];
    const enum vgg_setting found = vgg_module_get_ints(reader->module, key, 2, sizes);
    if (found == VGG_SETTING_ABSENT) {
        *reader->missing = true;
        return VGG_OK;
    }
    for (int i = 0; i < 2; i++) {
        if (found == VGG_SETTING_OTHER || sizes[i] < min || sizes[i] > VGG_MAX_SIDE) {
            return fail_setting(reader, key, "numbers of pixels");
        }
    }
    *out = (struct vgg_pixels){(int)sizes[0], (int)sizes[1]};
    return VGG_OK;
}

static vgg_status read_bool(const struct reader *reader, const char *key, bool *out)
{
    int64_t value;
    const enum vgg_setting found = vgg_module_get_int(reader->module, key, &value);
    if (found == VGG_SETTING_OTHER) {
        return fail_setting(reader, key, "True or False");
    }
    *out = found == VGG_SETTING_FOUND ? value != 0 : *out;
    return VGG_OK;
}

static vgg_status read_real(const struct reader *reader, const char *key, double min, double max,
                            double *out)
{
    double value = *out;
    const enum vgg_setting found = vgg_module_get_real(reader->module, key, &value);
    if (found == VGG_SETTING_OTHER || !(value >= min && value <= max)) {
        return fail_setting(reader, key, "a number in its usual range");
    }
    *reader->missing = *reader->missing || found == VGG_SETTING_ABSENT;
    *out = value;
    return VGG_OK;
}

/* Padding of a convolution: numbers, "valid", or "same": as much as keeps the size, more at the end. */
static vgg_status read_padding(const struct reader *reader, struct vgg_window *window)
{
    if (vgg_module_is(reader->module, "padding", "valid")) {
        window->padding = (struct vgg_margins){0};
        return VGG_OK;
    }
    if (vgg_module_is(reader->module, "padding", "same")) {
        const int h = window->dilation.h * (window->kernel.h - 1);
        const int w = window->dilation.w * (window->kernel.w - 1);
        window->padding = (struct vgg_margins){
            .top = h / 2, .left = w / 2, .bottom = h - h / 2, .right = w - w / 2};
        return VGG_OK;
    }
    struct vgg_pixels padding = {window->padding.top, window->padding.left};
    vgg_status status = read_pixels(reader, "padding", 0, &padding);
    window->padding = (struct vgg_margins){
        .top = padding.h, .left = padding.w, .bottom = padding.h, .right = padding.w};
    return status;
}

/* ---- tensors ---- */

static const struct vgg_tensor *find_tensor(const struct reader *reader, const char *leaf)
{
    return vgg_tensor_list_findf(reader->tensors, "%s%s%s", reader->module->name,
                                 reader->module->name[0] != '\0' ? "." : "", leaf);
}

/* The module's weight, which must have this number of dimensions. */
static vgg_status find_weight(const struct reader *reader, int ndim, const struct vgg_tensor **out)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    const struct vgg_tensor *weight = find_tensor(reader, "weight");
    *out = weight;
    if (weight == NULL || weight->ndim != ndim) {
        return vgg_fail(reader->load->err, VGG_ERR_MISMATCH,
                        "%s: %s (%s): expected a weight of %d dimensions, found %s",
                        reader->load->path, reader->module->name, reader->module->type, ndim,
                        weight != NULL ? vgg_shape_text(weight->shape, weight->ndim, shape)
                                       : "none");
    }
    for (int i = 0; i < ndim; i++) {
        if (weight->shape[i] < 1 || weight->shape[i] > VGG_MAX_CHANNELS) {
            return vgg_fail(reader->load->err, VGG_ERR_LIMIT,
                            "%s: %s: expected sides of 1 to %d, found %s", reader->load->path,
                            weight->name, VGG_MAX_CHANNELS,
                            vgg_shape_text(weight->shape, weight->ndim, shape));
        }
    }
    return VGG_OK;
}

/* ---- layers ---- */

static vgg_status read_conv(const struct reader *reader)
{
    struct vgg_conv_layer *conv = &reader->out->conv;
    const struct vgg_tensor *weight;
    int64_t groups = 1;
    vgg_status status = find_weight(reader, 4, &weight);
    if (status != VGG_OK) {
        return status;
    }
    if (vgg_module_get_int(reader->module, "groups", &groups) == VGG_SETTING_ABSENT) {
        *reader->missing = true;
    }
    if (groups < 1 || groups > VGG_MAX_CHANNELS / weight->shape[1] ||
        weight->shape[0] % groups != 0) {
        return fail_setting(reader, "groups", "a divisor of the channels");
    }
    if (!vgg_module_is(reader->module, "padding_mode", "zeros") &&
        vgg_value_get(reader->module->state, "padding_mode") != NULL) {
        return fail_setting(reader, "padding_mode", "zeros");
    }
    *conv = (struct vgg_conv_layer){
        .in_channels = (int)(weight->shape[1] * groups),
        .out_channels = (int)weight->shape[0],
        .groups = (int)groups,
        .bias = find_tensor(reader, "bias") != NULL,
        .window = vgg_window_square(1, 1, 0),
    };
    struct vgg_window *window = &conv->window;
    window->kernel = (struct vgg_pixels){(int)weight->shape[2], (int)weight->shape[3]};
    window->padding = (struct vgg_margins){window->kernel.h / 2, window->kernel.w / 2,
                                           window->kernel.h / 2, window->kernel.w / 2};
    status = read_pixels(reader, "stride", 1, &window->stride);
    status = status ? status : read_pixels(reader, "dilation", 1, &window->dilation);
    return status ? status : read_padding(reader, window);
}

static vgg_status read_norm(const struct reader *reader)
{
    struct vgg_norm_layer *norm = &reader->out->norm;
    const struct vgg_tensor *mean = find_tensor(reader, "running_mean");
    *norm = (struct vgg_norm_layer){.eps = VGG_DEFAULT_EPS,
                                    .affine = find_tensor(reader, "weight") != NULL};
    if (mean == NULL || mean->ndim != 1 || mean->shape[0] < 1 ||
        mean->shape[0] > VGG_MAX_CHANNELS) {
        return vgg_fail(reader->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s (%s): expected running statistics, found none", reader->load->path,
                        reader->module->name, reader->module->type);
    }
    norm->channels = (int)mean->shape[0];
    return read_real(reader, "eps", 0, 1, &norm->eps);
}

static vgg_status read_activation(const struct reader *reader)
{
    struct vgg_activation_layer *activation = &reader->out->activation;
    const struct vgg_tensor *slopes;
    *activation = vgg_activation_find(reader->module->type);
    switch (activation->kind) {
    case VGG_ACTIVATION_LEAKY_RELU:
        return read_real(reader, "negative_slope", -1e6, 1e6, &activation->slope);
    case VGG_ACTIVATION_ELU:
        return read_real(reader, "alpha", -1e6, 1e6, &activation->slope);
    case VGG_ACTIVATION_GELU:
        if (vgg_module_is(reader->module, "approximate", "tanh")) {
            activation->kind = VGG_ACTIVATION_GELU_TANH;
        }
        return VGG_OK;
    case VGG_ACTIVATION_PRELU: {
        vgg_status status = find_weight(reader, 1, &slopes);
        activation->slopes = status == VGG_OK ? (int)slopes->shape[0] : 0;
        return status;
    }
    default:
        return VGG_OK;
    }
}

static vgg_status read_pool(const struct reader *reader)
{
    struct vgg_general_pool *pool = &reader->out->pool;
    struct vgg_window *window = &pool->window;
    struct vgg_pixels padding = {0, 0};
    int64_t divisor;
    *pool = (struct vgg_general_pool){.average = strcmp(reader->module->type, "AvgPool2d") == 0,
                                      .count_include_pad = true,
                                      .window = vgg_window_square(2, 2, 0)};
    vgg_status status = read_pixels(reader, "kernel_size", 1, &window->kernel);
    window->stride = window->kernel;
    status = status ? status : read_pixels(reader, "stride", 1, &window->stride);
    status = status ? status : read_pixels(reader, "padding", 0, &padding);
    window->padding = (struct vgg_margins){padding.h, padding.w, padding.h, padding.w};
    if (status == VGG_OK && !pool->average) {
        status = read_pixels(reader, "dilation", 1, &window->dilation);
    }
    status = status ? status : read_bool(reader, "ceil_mode", &window->ceil_mode);
    status = status ? status : read_bool(reader, "count_include_pad", &pool->count_include_pad);
    if (status == VGG_OK &&
        vgg_module_get_int(reader->module, "divisor_override", &divisor) != VGG_SETTING_ABSENT) {
        return fail_setting(reader, "divisor_override", "None");
    }
    return status;
}

static vgg_status read_adaptive(const struct reader *reader)
{
    struct vgg_adaptive_layer *adaptive = &reader->out->adaptive;
    const char *type = reader->module->type;
    adaptive->kind = strcmp(type, "AdaptiveAvgPool2d") == 0   ? VGG_ADAPTIVE_AVG
                     : strcmp(type, "AdaptiveMaxPool2d") == 0 ? VGG_ADAPTIVE_MAX
                                                              : VGG_ADAPTIVE_CONCAT;
    adaptive->out = (struct vgg_pixels){1, 1};
    return read_pixels(reader, "output_size", 0, &adaptive->out);
}

static vgg_status read_lrn(const struct reader *reader)
{
    struct vgg_lrn *lrn = &reader->out->lrn;
    int64_t size = 0;
    *lrn = (struct vgg_lrn){.alpha = 1e-4, .beta = 0.75, .k = 1};
    if (vgg_module_get_int(reader->module, "size", &size) != VGG_SETTING_FOUND || size < 1 ||
        size > 255) {
        return fail_setting(reader, "size", "1 to 255 channels");
    }
    lrn->size = (int)size;
    vgg_status status = read_real(reader, "alpha", 0, 1e6, &lrn->alpha);
    status = status ? status : read_real(reader, "beta", 0, 1e3, &lrn->beta);
    return status ? status : read_real(reader, "k", 0, 1e6, &lrn->k);
}

static vgg_status read_zero_pad(const struct reader *reader)
{
    int64_t sides[4]; /* left, right, top, bottom */
    if (vgg_module_get_ints(reader->module, "padding", 4, sides) != VGG_SETTING_FOUND) {
        return fail_setting(reader, "padding", "four numbers");
    }
    for (int i = 0; i < 4; i++) {
        if (sides[i] < -VGG_MAX_SIDE || sides[i] > VGG_MAX_SIDE) {
            return fail_setting(reader, "padding", "numbers of pixels");
        }
    }
    reader->out->zero_pad = (struct vgg_margins){.left = (int)sides[0],
                                                 .right = (int)sides[1],
                                                 .top = (int)sides[2],
                                                 .bottom = (int)sides[3]};
    return VGG_OK;
}

static vgg_status read_linear(const struct reader *reader)
{
    const struct vgg_tensor *weight;
    vgg_status status = find_weight(reader, 2, &weight);
    if (status == VGG_OK) {
        reader->out->linear = (struct vgg_linear_layer){
            .in_features = (int)weight->shape[1],
            .out_features = (int)weight->shape[0],
            .bias = find_tensor(reader, "bias") != NULL,
        };
    }
    return status;
}

/* Softmax over another dimension than the classes is another function. */
static vgg_status read_softmax(const struct reader *reader)
{
    int64_t dim = 1;
    vgg_module_get_int(reader->module, "dim", &dim);
    reader->out->softmax.log = strcmp(reader->module->type, "LogSoftmax") == 0;
    return dim == 1 || dim == -1 ? VGG_OK : fail_setting(reader, "dim", "1 or -1");
}

/* Flatten keeps the images of a batch apart. */
static vgg_status read_flatten(const struct reader *reader)
{
    int64_t start = 1, end = -1, channels_last = 0;
    vgg_module_get_int(reader->module, "channels_last", &channels_last);
    reader->out->flatten.channels_last = channels_last != 0;
    vgg_module_get_int(reader->module, "start_dim", &start);
    vgg_module_get_int(reader->module, "end_dim", &end);
    const bool all = (start == 1 || start == -3) && (end == -1 || end == 3);
    return all ? VGG_OK : fail_setting(reader, "start_dim or end_dim", "1 and -1");
}

vgg_status vgg_module_read_layer(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                 const struct vgg_module *module, struct vgg_layer *out,
                                 bool *missing)
{
    const struct reader reader = {load, tensors, module, out, missing};
    *out = (struct vgg_layer){.name = module->name};
    vgg_module_type_find(module->type, &out->kind);
    switch (out->kind) {
    case VGG_LAYER_CONV:
        return read_conv(&reader);
    case VGG_LAYER_BATCH_NORM:
        return read_norm(&reader);
    case VGG_LAYER_ACTIVATION:
        return read_activation(&reader);
    case VGG_LAYER_LRN:
        return read_lrn(&reader);
    case VGG_LAYER_POOL:
        return read_pool(&reader);
    case VGG_LAYER_ADAPTIVE_POOL:
        return read_adaptive(&reader);
    case VGG_LAYER_ZERO_PAD:
        return read_zero_pad(&reader);
    case VGG_LAYER_LINEAR:
        return read_linear(&reader);
    case VGG_LAYER_SOFTMAX:
        return read_softmax(&reader);
    case VGG_LAYER_FLATTEN:
        return read_flatten(&reader);
    case VGG_LAYER_IDENTITY:
        break;
    }
    return VGG_OK;
}
