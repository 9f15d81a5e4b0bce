/* SPDX-License-Identifier: MIT */
/* Dequantisation: saves an int8 net's weights and biases as float32. */
#include "base/bytes.h"
#include "checkpoint/checkpoint.h"
#include "model/spec/write_spec.h"
#include "pack/quantize/quantizer_types.h"

struct dequantizer {
    const vgg_model *model;
    const char *path;       /* of the packed file */
    struct vgg_arena arena; /* tensors and their elements */
    struct vgg_tensor *tensors;
    size_t count;
    struct vgg_error *err;
};

/* Adds a float32 tensor with the shape of another; returns its elements, NULL without memory. */
static float *add_tensor(struct dequantizer *work, const struct vgg_tensor *as)
{
    const int64_t count = vgg_tensor_get_count(as);
    struct vgg_tensor *tensor = &work->tensors[work->count++];
    float *elements = vgg_arena_alloc(&work->arena, (size_t)count, sizeof *elements);
    *tensor = (struct vgg_tensor){.name = as->name,
                                  .dtype = VGG_DTYPE_F32,
                                  .ndim = as->ndim,
                                  .data = elements,
                                  .file_offset = VGG_NO_OFFSET};
    int64_t stride = 1;
    for (int i = as->ndim - 1; i >= 0; i--) {
        tensor->shape[i] = as->shape[i];
        tensor->stride[i] = stride;
        stride *= as->shape[i];
    }
    return elements;
}

/* Adds the weights and the bias of a layer; the grid is removed from those of the layer that reads the input. */
static vgg_status add_layer(struct dequantizer *work, const struct vgg_node *node, bool input)
{
    const bool conv = node->op == VGG_OP_CONV2D;
    const struct vgg_tensor *weight = conv ? node->conv.weight : node->linear.weight;
    const struct vgg_tensor *bias = conv ? node->conv.bias : node->linear.bias;
    const struct vgg_int8_grid *grid = &vgg_model_get_spec(work->model)->grid;
    const int64_t rows = weight->shape[0], count = vgg_tensor_get_count(weight) / rows;
    const int64_t area = count / weight->shape[1];
    float *weights = add_tensor(work, weight), *biases = add_tensor(work, bias);
    if (weights == NULL || biases == NULL) {
        return vgg_fail_memory(work->err, work->path, (size_t)(rows * count) * sizeof *weights,
                               weight->name);
    }
    vgg_tensor_read_f32(bias, biases);
    for (int64_t row = 0; row < rows; row++) {
        float *w = weights + row * count, scale;
        vgg_tensor_read_range(node->int8.weight_scale, row, 1, &scale);
        vgg_tensor_read_range(weight, row * count, count, w);
        /* Integers up to 2^24 are exact in float32, and no bias needs more digits than a float32 has. */
        double shift = (double)biases[row] * (double)node->int8.input_scale * (double)scale;
        for (int64_t i = 0; i < count; i++) {
            double real = (double)w[i] * (double)scale;
            if (input) {
                real /= (double)grid->step[i / area];
                shift -= real * (double)grid->low[i / area];
            }
            w[i] = (float)real;
        }
        biases[row] = (float)shift;
    }
    return VGG_OK;
}

static vgg_status save(struct dequantizer *work, const char *path)
{
    struct vgg_spec spec = *vgg_model_get_spec(work->model);
    struct vgg_bytes description = {.ok = true, .allocator = vgg_allocator_of(work->arena.context)};
    spec.int8 = false;
    vgg_spec_write(&spec, VGG_SPEC_COMPACT, &description);
    vgg_status status = description.ok ? VGG_OK
                                       : vgg_fail_memory(work->err, work->path, description.size,
                                                         "the description");
    if (status == VGG_OK) {
        const struct vgg_checkpoint whole = {
            .context = *work->arena.context,
            .path = work->path,
            .container = VGG_CONTAINER_PACKED,
            .dict = {.tensors = work->tensors, .count = work->count},
            .description = description.data,
            .description_bytes = description.size,
        };
        status = vgg_checkpoint_save(&whole, path, work->err);
    }
    vgg_mem_free(description.allocator, description.data);
    return status;
}

vgg_status vgg_model_dequantize(const vgg_model *model, const char *path, struct vgg_error *err)
{
    struct dequantizer work = {.model = model,
                               .path = vgg_model_get_path(model),
                               .arena = {.context = vgg_model_get_context(model)},
                               .err = err};
    size_t count;
    bool input = true;
    vgg_status status = VGG_OK;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    if (!vgg_model_get_spec(model)->int8) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "%s: expected int8 weights, got others", work.path);
    }
    work.tensors = vgg_arena_alloc(&work.arena, 2 * count, sizeof *work.tensors);
    if (work.tensors == NULL) {
        return vgg_fail_memory(err, work.path, 2 * count * sizeof *work.tensors, "the tensors");
    }
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        if (nodes[i].op == VGG_OP_CONV2D || nodes[i].op == VGG_OP_LINEAR) {
            status = add_layer(&work, &nodes[i], input);
            input = false;
        }
    }
    if (status == VGG_OK) {
        status = save(&work, path);
    }
    vgg_arena_destroy(&work.arena);
    return status;
}
