/* The public face of packing: convolutions' weights in the order that the plans of some instruction sets would
 * give them, whether this machine has those or not. */
#include "pack/pack_model.h"

#include "kernels/dispatch.h"
#include "plan/f32/prepack.h"
#include "plan/plan.h"

enum { MAX_CPUS = 8 };

struct forms {
    struct vgg_plan *plans[MAX_CPUS]; /* [count] laid out, one for each instruction set */
    size_t count;
    struct vgg_pool *pool;
    const char *path; /* the checkpoint's */
    const struct vgg_allocator *allocator;
};

static struct vgg_step *find_step(struct vgg_plan *plan, const struct vgg_node *node)
{
    int s = 0;
    while (plan->steps[s].node != node) {
        s++;
    }
    return &plan->steps[s];
}

static bool is_same(const struct vgg_order_info *a, const struct vgg_order_info *b)
{
    return a->order == b->order && a->m == b->m && a->group == b->group &&
           a->channels == b->channels;
}

/* Whether one of the first `count` plans reads a node's weights in this order. */
static bool is_written(const struct forms *forms, size_t count, const struct vgg_node *node,
                       const struct vgg_order_info *order)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        const struct vgg_order_info other =
            vgg_conv_get_order(forms->plans[i], find_step(forms->plans[i], node));
        found = is_same(&other, order);
    }
    return found;
}

static vgg_status write_form(struct forms *forms, struct vgg_plan *plan, struct vgg_step *step,
                             const struct vgg_order_info *order, const char *name,
                             struct vgg_packed_writer *writer, struct vgg_error *err)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const int64_t shape[] = {conv->oc, conv->ic, conv->kernel, conv->kernel};
    uint64_t elements;
    vgg_status status = vgg_step_prepack(plan, step, forms->pool, err);
    if (status == VGG_OK) {
        vgg_prepared_measure(order, shape, 4, &elements); /* as many as the step has */
        vgg_packed_begin_prepared(writer, name, order, shape, 4);
        const struct vgg_prepared *stored = step->conv.choice.stored;
        vgg_packed_add(writer, stored != NULL ? stored->data : step->conv.weights.data,
                       (size_t)elements);
        vgg_packed_end_tensor(writer);
        vgg_step_drop_weights(plan, step);
    }
    return status;
}

static vgg_status write_forms(void *user, const struct vgg_node *node, const char *name,
                              struct vgg_packed_writer *writer, struct vgg_error *err)
{
    struct forms *forms = user;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < forms->count && status == VGG_OK; i++) {
        struct vgg_step *step = find_step(forms->plans[i], node);
        const struct vgg_order_info order = vgg_conv_get_order(forms->plans[i], step);
        if (!is_written(forms, i, node, &order)) {
            status = write_form(forms, forms->plans[i], step, &order, name, writer, err);
        }
    }
    return status;
}

/* A plan for one instruction set: how it would run one picture after the other. */
static vgg_status add_plan(struct forms *forms, const vgg_model *model, enum vgg_isa isa,
                           struct vgg_error *err)
{
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    const struct vgg_plan_options options = {
        .context = vgg_model_get_context(model),
        .kernels = vgg_kernels_describe(isa),
        .batch = 1,
        .lay_out_only = true,
        .input = vgg_model_get_input_shape(model),
        .activation_bytes = limits.activation_bytes,
    };
    vgg_status status = vgg_plan_create(nodes, count, forms->path, &options, forms->pool,
                                        &forms->plans[forms->count], err);
    forms->count += status == VGG_OK;
    return status;
}

vgg_status vgg_model_pack(const vgg_model *model, const char *path,
                          const struct vgg_pack_options *options, struct vgg_error *err)
{
    static const struct vgg_pack_options defaults = {.plain = true};
    /* Those that fill up the furthest first: what they read, others of the same vectors can read. */
    static const enum vgg_isa isas[] = {VGG_ISA_AMX, VGG_ISA_AVX512, VGG_ISA_AVX2, VGG_ISA_NEON,
                                        VGG_ISA_SCALAR};
    const struct vgg_context *context = vgg_model_get_context(model);
    struct forms forms = {.path = vgg_model_get_path(model),
                          .allocator = vgg_allocator_of(context)};
    options = options != NULL ? options : &defaults;
    if (path == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_model_pack: path is NULL");
    }
    uint32_t left = options->isas;
    vgg_status status = vgg_model_check_packable(model, err);
    if (status == VGG_OK && options->plain) {
        status = vgg_model_check_plain(model, err);
    }
    const bool halves = options->weights == VGG_DTYPE_BF16 || options->weights == VGG_DTYPE_F16;
    if (status == VGG_OK && options->weights != VGG_DTYPE_F32 && (!halves || options->isas != 0)) {
        status = vgg_fail(err, VGG_ERR_ARGUMENT,
                          "vgg_model_pack: expected weights of float32, or of 16 bits, which are "
                          "ready for no instruction set; got %s",
                          halves ? "both" : vgg_dtype_string(options->weights));
    }
    if (status == VGG_OK && options->isas != 0) {
        status = vgg_pool_create(vgg_cpu_count(), &context->allocator, &forms.pool, err);
    }
    for (size_t i = 0; i < sizeof isas / sizeof isas[0] && status == VGG_OK; i++) {
        if ((left & 1u << isas[i]) != 0) {
            left &= ~(1u << isas[i]);
            status = add_plan(&forms, model, isas[i], err);
        }
    }
    if (status == VGG_OK && (left != 0 || (options->isas == 0 && !options->plain))) {
        status = vgg_fail(err, VGG_ERR_ARGUMENT,
                          "vgg_model_pack: expected known instruction sets or plain, got 0x%x",
                          options->isas);
    }
    if (status == VGG_OK) {
        const struct vgg_pack_forms given = {.weights = options->weights,
                                             .plain = options->plain,
                                             .write = write_forms,
                                             .user = &forms};
        status = vgg_model_write_packed(model, path, &given, err);
    }
    for (size_t i = 0; i < forms.count; i++) {
        vgg_plan_destroy(forms.plans[i]);
    }
    vgg_pool_destroy(forms.pool);
    return status;
}
