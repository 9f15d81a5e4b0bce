/* A model into a packed file: its description and its weights, folded. */
#include "pack/pack_model.h"

#include <string.h>

#include "base/half.h"
#include "base/outfile.h"
#include "model/graph/norm.h"
#include "model/spec/write_spec.h"

struct packer {
    const vgg_model *model;
    const char *path; /* the checkpoint's */
    const struct vgg_pack_forms *forms;
    enum vgg_dtype weights;
    struct vgg_arena arena;  /* what lives until the end */
    struct vgg_spec spec;    /* the folded net's */
    struct vgg_graph folded; /* its nodes, of which only the names are used */
    struct vgg_packed_writer *writer;
    struct vgg_error *err;
};

vgg_status vgg_spec_fold(const char *path, const struct vgg_spec *spec, struct vgg_arena *arena,
                         struct vgg_spec *out, struct vgg_error *err)
{
    *out = *spec;
    out->features = out->classifier = NULL;
    out->layers = vgg_arena_alloc(arena, spec->layer_count, sizeof *out->layers);
    out->head = vgg_arena_alloc(arena, spec->head_count, sizeof *out->head);
    if (out->layers == NULL || out->head == NULL) {
        return vgg_fail_memory(err, path, spec->layer_count * sizeof *out->layers, "the layers");
    }
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &out->layers[i];
        *layer = spec->layers[i];
        layer->bias = layer->bias || layer->batch_norm;
        layer->batch_norm = false;
        layer->name = layer->norm = NULL;
    }
    for (size_t i = 0, norms = 0; i < spec->head_count; i++) {
        struct vgg_head *head = &out->head[i];
        *head = spec->head[i];
        head->index -= (int)norms; /* their places are no more */
        norms += head->batch_norm;
        head->bias = head->bias || head->batch_norm;
        head->batch_norm = false;
        head->name = head->norm = NULL;
    }
    return VGG_OK;
}

static void begin_tensor(struct packer *packer, const struct vgg_parameter *as,
                         enum vgg_dtype dtype, enum vgg_layout layout)
{
    vgg_packed_begin_tensor(packer->writer, as->name, dtype, layout, as->shape, as->ndim);
}

/* Numbers times a scale, rounded once to the type that weights are stored as.
 *   out  [count] of that type, and `step` elements from one to the next; not the numbers' own memory */
static vgg_status store_weights(const struct packer *packer, const struct vgg_parameter *as,
                                const float *numbers, size_t count, double scale, void *out,
                                size_t step)
{
    const bool half = packer->weights == VGG_DTYPE_F16;
    float *floats = out;
    uint16_t *halves = out;
    if (packer->weights == VGG_DTYPE_F32) {
        for (size_t i = 0; i < count; i++) {
            floats[i * step] = numbers[i];
            vgg_fold_weights(floats + i * step, 1, scale);
        }
        return VGG_OK;
    }
    const int infinity = half ? 0x7c00 : 0x7f80;
    for (size_t i = 0; i < count; i++) {
        const double value = (double)numbers[i] * scale;
        halves[i * step] = half ? vgg_half_from_double(value) : vgg_bfloat16_from_double(value);
        if ((halves[i * step] & 0x7fff) >= infinity) {
            return vgg_fail(packer->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: a weight of %.9g is beyond the largest %s, which is %s: pack "
                            "it as %s",
                            packer->path, as->name, value, vgg_dtype_string(packer->weights),
                            half ? "65504" : "3.39e38", half ? "bf16" : "f32");
        }
    }
    return VGG_OK;
}

/* Writes a convolution's weight, filter by filter.
 *   scale  of each, or NULL */
static vgg_status write_filters(struct packer *packer, const struct vgg_parameter *as,
                                const struct vgg_tensor *tensor, const double *scale)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(packer->arena.context);
    const size_t count = (size_t)(vgg_tensor_get_count(tensor) / tensor->shape[0]);
    float *filter = vgg_mem_alloc(allocator, count, 2 * sizeof *filter);
    if (filter == NULL) {
        return vgg_fail_memory(packer->err, packer->path, 2 * count * sizeof *filter, tensor->name);
    }
    vgg_status status = VGG_OK;
    begin_tensor(packer, as, packer->weights, VGG_LAYOUT_ROWS);
    for (int64_t i = 0; i < tensor->shape[0] && status == VGG_OK; i++) {
        vgg_tensor_read_range(tensor, i * (int64_t)count, (int64_t)count, filter);
        status = store_weights(packer, as, filter, count, scale != NULL ? scale[i] : 1,
                               filter + count, 1);
        vgg_packed_add(packer->writer, filter + count, count);
    }
    vgg_packed_end_tensor(packer->writer);
    vgg_mem_free(allocator, filter);
    return status;
}

/* Writes a fully connected layer's weight [rows][k] in columns, a block of them at a time. All its numbers are
 * finite, which the kernel relies on when it leaves zeros out.
 *   scale  of each row, or NULL */
static vgg_status write_columns(struct packer *packer, const struct vgg_parameter *as,
                                const struct vgg_tensor *tensor, const double *scale)
{
    enum { ROWS = 64, BLOCK = 64 };
    const int64_t rows = tensor->shape[0], k = tensor->shape[1];
    const size_t bytes = vgg_dtype_get_bytes(packer->weights);
    float numbers[BLOCK], columns[BLOCK * ROWS];
    vgg_status status = VGG_OK;
    begin_tensor(packer, as, packer->weights, VGG_LAYOUT_COLUMNS);
    for (int64_t slice = 0; slice < rows; slice += ROWS) {
        for (int64_t first = 0; first < k && status == VGG_OK; first += BLOCK) {
            const int64_t count = k - first < BLOCK ? k - first : BLOCK;
            memset(columns, 0, sizeof columns);
            for (int64_t row = 0; row < ROWS && slice + row < rows && status == VGG_OK; row++) {
                vgg_tensor_read_range(tensor, (slice + row) * k + first, count, numbers);
                status = store_weights(packer, as, numbers, (size_t)count,
                                       scale != NULL ? scale[slice + row] : 1,
                                       (char *)columns + (size_t)row * bytes, ROWS);
            }
            vgg_packed_add(packer->writer, columns, (size_t)count * ROWS);
        }
    }
    vgg_packed_end_tensor(packer->writer);
    return status;
}

static vgg_status write_bias(struct packer *packer, const struct vgg_parameter *as,
                             const struct vgg_tensor *tensor)
{
    float *elements;
    vgg_status status =
        vgg_vector_read(tensor, packer->path, &packer->arena, &elements, packer->err);
    if (status == VGG_OK) {
        begin_tensor(packer, as, VGG_DTYPE_F32, VGG_LAYOUT_ROWS);
        vgg_packed_add(packer->writer, elements, (size_t)as->shape[0]);
        vgg_packed_end_tensor(packer->writer);
    }
    return status;
}

/* Writes the bias of a layer that had a BatchNorm. */
static vgg_status write_folded_bias(struct packer *packer, const struct vgg_parameter *as,
                                    const struct vgg_tensor *bias, const double *scale,
                                    const double *shift)
{
    float *elements;
    const size_t count = (size_t)as->shape[0];
    vgg_status status = vgg_vector_read(bias, packer->path, &packer->arena, &elements, packer->err);
    if (status == VGG_OK && elements == NULL) {
        elements = vgg_arena_alloc(&packer->arena, count, sizeof *elements);
        status = elements != NULL ? VGG_OK
                                  : vgg_fail_memory(packer->err, packer->path,
                                                    count * sizeof *elements, as->name);
    }
    if (status != VGG_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        elements[i] = vgg_fold_bias((double)elements[i], scale[i], shift[i]);
    }
    begin_tensor(packer, as, VGG_DTYPE_F32, VGG_LAYOUT_ROWS);
    vgg_packed_add(packer->writer, elements, count);
    vgg_packed_end_tensor(packer->writer);
    return VGG_OK;
}

/* Writes a convolution's weight in all forms.
 *   scale  of each filter, or NULL */
static vgg_status write_conv(struct packer *packer, const struct vgg_parameter *as,
                             const struct vgg_node *node, const double *scale)
{
    const struct vgg_pack_forms *forms = packer->forms;
    vgg_status status = VGG_OK;
    if (forms->plain) {
        status = write_filters(packer, as, node->conv.weight, scale);
    }
    if (status == VGG_OK && forms->write != NULL) {
        status = forms->write(forms->user, node, as->name, packer->writer, packer->err);
    }
    return status;
}

/* Writes the weight and the bias of a convolution or linear layer as the folded net's next parameters; *next
 * moves on.
 *   norm  the BatchNorm after it, or NULL */
static vgg_status write_layer(struct packer *packer, const struct vgg_node *node,
                              const struct vgg_batch_norm *norm, const struct vgg_parameter **next)
{
    const bool conv = node->op == VGG_OP_CONV2D;
    const struct vgg_tensor *bias = conv ? node->conv.bias : node->linear.bias;
    double *scale = NULL, *shift = NULL;
    vgg_status status = norm == NULL ? VGG_OK
                                     : vgg_batch_norm_read(norm, packer->path, &packer->arena,
                                                           &scale, &shift, packer->err);
    if (status == VGG_OK) {
        const struct vgg_parameter *as = (*next)++;
        status = conv ? write_conv(packer, as, node, scale)
                      : write_columns(packer, as, node->linear.weight, scale);
    }
    if (status == VGG_OK && norm != NULL) {
        return write_folded_bias(packer, (*next)++, bias, scale, shift);
    }
    return status == VGG_OK && bias != NULL ? write_bias(packer, (*next)++, bias) : status;
}

static vgg_status write_layers(void *user, struct vgg_packed_writer *writer)
{
    struct packer *packer = user;
    size_t count;
    packer->writer = writer;
    const struct vgg_node *nodes = vgg_model_get_nodes(packer->model, &count);
    const struct vgg_parameter *next = packer->folded.parameters;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        const struct vgg_node *node = &nodes[i];
        if (node->op == VGG_OP_CONV2D || node->op == VGG_OP_LINEAR) {
            const bool folds = i + 1 < count && nodes[i + 1].op == VGG_OP_BATCH_NORM;
            status = write_layer(packer, node, folds ? &nodes[i + 1].norm : NULL, &next);
        }
    }
    return status;
}

vgg_status vgg_pack_write(const char *path, const char *model_path, const struct vgg_spec *spec,
                          const struct vgg_context *context, vgg_pack_fn *write, void *user,
                          struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(context);
    struct vgg_outfile out;
    struct vgg_packed_writer writer;
    struct vgg_bytes description = {.ok = true, .allocator = allocator};
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    vgg_spec_write(spec, &description);
    vgg_status status = VGG_OK;
    if (description.size > limits.json_bytes) { /* it could not be read */
        status = vgg_fail(err, VGG_ERR_LIMIT,
                          "%s: the description and labels have %zu bytes, limit is %llu",
                          model_path, description.size, (unsigned long long)limits.json_bytes);
    }
    if (status == VGG_OK) {
        status = vgg_outfile_open(path, allocator, &out, err);
    }
    if (status == VGG_OK) {
        vgg_packed_begin(&writer, &out, allocator);
        status = write(user, &writer);
        const bool good = vgg_packed_finish(&writer, status == VGG_OK ? &description : NULL);
        if (status == VGG_OK && !good) {
            status = vgg_fail_memory(err, path, description.size, "the description");
        }
        if (status == VGG_OK) {
            status = vgg_outfile_commit(&out, err);
        } else {
            vgg_outfile_abort(&out);
        }
    }
    vgg_mem_free(allocator, description.data);
    return status;
}

vgg_status vgg_model_check_packable(const vgg_model *model, struct vgg_error *err)
{
    struct vgg_model_info info;
    vgg_model_get_info(model, &info);
    if (info.int8) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: its weights are int8 already: pack the checkpoint that they were made "
                        "from",
                        vgg_model_get_path(model));
    }
    if (info.dense || vgg_model_get_preprocess(model)->crop_width != 0) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: a packed net has a square input and is not dense; both can be asked "
                        "for when it is run",
                        vgg_model_get_path(model));
    }
    return vgg_model_check_weights(model, err);
}

vgg_status vgg_model_check_plain(const vgg_model *model, struct vgg_error *err)
{
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].op == VGG_OP_CONV2D && nodes[i].conv.weight->layout == VGG_LAYOUT_PREPARED) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: the file has its weights ready for some CPUs alone: pack the "
                            "checkpoint that it was made from",
                            vgg_model_get_path(model), nodes[i].name);
        }
    }
    return VGG_OK;
}

vgg_status vgg_model_write_packed(const vgg_model *model, const char *path,
                                  const struct vgg_pack_forms *forms, struct vgg_error *err)
{
    const struct vgg_context *context = vgg_model_get_context(model);
    struct packer packer = {.model = model,
                            .path = vgg_model_get_path(model),
                            .forms = forms,
                            .weights = forms->weights,
                            .arena = {.context = context},
                            .err = err};
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    vgg_status status =
        vgg_spec_fold(packer.path, vgg_model_get_spec(model), &packer.arena, &packer.spec, err);
    if (status == VGG_OK) {
        status =
            vgg_graph_build(packer.path, &packer.spec, &limits, &packer.arena, &packer.folded, err);
    }
    if (status == VGG_OK) {
        status =
            vgg_pack_write(path, packer.path, &packer.spec, context, write_layers, &packer, err);
    }
    vgg_arena_destroy(&packer.arena);
    return status;
}
