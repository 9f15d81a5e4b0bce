/* The int8 net into a packed file. */
#include "pack/pack_model.h"
#include "pack/quantize/quantizer_types.h"

struct saver {
    const struct vgg_quantizer *quantizer;
    struct vgg_graph graph; /* of the int8 net's description: what is written under which names */
};

static void write_tensor(struct vgg_packed_writer *writer, const struct vgg_parameter *as,
                         const void *elements, size_t count)
{
    vgg_packed_begin_tensor(writer, as->name, as->dtype, as->layout, as->shape, as->ndim);
    vgg_packed_add(writer, elements, count);
    vgg_packed_end_tensor(writer);
}

/* In the order of the graph's parameters. */
static vgg_status write_tensors(void *user, struct vgg_packed_writer *writer)
{
    const struct saver *saver = user;
    const struct vgg_parameter *next = saver->graph.parameters;
    for (size_t l = 0; l < saver->quantizer->layer_count; l++) {
        const struct vgg_quantizer_layer *layer = &saver->quantizer->layers[l];
        const size_t oc = (size_t)layer->oc;
        write_tensor(writer, next++, layer->weights, layer->weight_bytes);
        write_tensor(writer, next++, layer->biases, oc);
        write_tensor(writer, next++, layer->scales, oc);
        write_tensor(writer, next++, layer->sums, oc);
    }
    return VGG_OK;
}

vgg_status vgg_quantizer_save(const vgg_quantizer *quantizer, const char *path,
                              struct vgg_error *err)
{
    const struct vgg_context *context = vgg_model_get_context(quantizer->model);
    struct saver saver = {.quantizer = quantizer};
    struct vgg_arena arena = {.context = context};
    struct vgg_limits limits;
    struct vgg_spec spec;
    vgg_limits_init(&limits);
    if (path == NULL || !quantizer->chosen) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_quantizer_save: %s",
                        path == NULL ? "path is NULL" : "no scales are chosen");
    }
    vgg_status status =
        vgg_spec_fold(quantizer->path, vgg_model_get_spec(quantizer->model), &arena, &spec, err);
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
        status = vgg_graph_build(quantizer->path, &spec, &limits, &arena, &saver.graph, err);
    }
    if (status == VGG_OK) {
        status = vgg_pack_write(path, quantizer->path, &spec, context, write_tensors, &saver, err);
    }
    vgg_arena_destroy(&arena);
    return status;
}
