/* SPDX-License-Identifier: MIT */
/* Saves the int8 net as a packed file. */
#include "model/graph/build.h"
#include "pack/fold_spec.h"
#include "pack/pack_file.h"
#include "pack/quantize/quantizer_types.h"

static void write_tensor(struct vgg_packed_writer *writer, const struct vgg_parameter *as,
                         const void *elements, size_t count)
{
    const struct vgg_packed_tensor tensor = {.name = as->name,
                                             .dtype = as->dtype,
                                             .layout = as->layout,
                                             .shape = as->shape,
                                             .ndim = as->ndim};
    vgg_packed_begin_tensor(writer, &tensor);
    vgg_packed_add(writer, elements, count);
    vgg_packed_end_tensor(writer);
}

/* In the order of the parameters of the int8 net's graph. */
static void write_tensors(const struct vgg_quantizer *quantizer, const struct vgg_parameter *next,
                          struct vgg_packed_writer *writer)
{
    for (size_t l = 0; l < quantizer->layer_count; l++) {
        const struct vgg_quantizer_layer *layer = &quantizer->layers[l];
        const size_t oc = (size_t)layer->oc;
        write_tensor(writer, next++, layer->weights, layer->weight_bytes);
        write_tensor(writer, next++, layer->biases, oc);
        write_tensor(writer, next++, layer->scales, oc);
        write_tensor(writer, next++, layer->sums, oc);
    }
}

vgg_status vgg_quantizer_save(const vgg_quantizer *quantizer, const char *path,
                              struct vgg_error *err)
{
    const struct vgg_context *context = vgg_model_get_context(quantizer->model);
    struct vgg_graph graph; /* of the int8 net's description: names and shapes of the tensors */
    struct vgg_pack_file file;
    struct vgg_arena arena = {.context = context};
    struct vgg_limits limits;
    struct vgg_spec spec;
    vgg_limits_init(&limits);
    if (path == NULL || !quantizer->chosen) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_quantizer_save: %s",
                        path == NULL ? "path is NULL" : "no scales are chosen");
    }
    const struct vgg_load load = {
        .path = quantizer->path, .limits = &limits, .arena = &arena, .err = err};
    vgg_status status = vgg_spec_fold(&load, vgg_model_get_spec(quantizer->model), &spec);
    if (status == VGG_OK) {
        spec.int8 = true;
        spec.grid = quantizer->grid;
        spec.scales = vgg_arena_alloc(&arena, quantizer->layer_count, sizeof *spec.scales);
        status = spec.scales != NULL
                     ? VGG_OK
                     : vgg_fail_memory(err, quantizer->path, quantizer->layer_count * sizeof(float),
                                       "the scales");
    }
    if (status == VGG_OK) {
        for (size_t l = 0; l + 1 < quantizer->layer_count; l++) {
            spec.scales[l] = quantizer->layers[l].output_scale;
        }
        status = vgg_graph_build(&load, &spec, &graph);
    }
    if (status == VGG_OK) {
        status = vgg_pack_file_open(&file, path, &spec, context, err);
    }
    if (status == VGG_OK) {
        write_tensors(quantizer, graph.parameters, &file.writer);
        status = vgg_pack_file_close(&file, VGG_OK, err);
    }
    vgg_arena_destroy(&arena);
    return status;
}
