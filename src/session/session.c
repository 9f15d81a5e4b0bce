/* The public session: a plan and the threads that run it. */
#include "vgg/session.h"

#include <stdlib.h>

#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"
#include "model/view.h"
#include "base/arith.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "session/roofline.h"

enum { MAX_THREADS = 1024, MAX_BATCH = 4096 };

struct vgg_session {
    struct vgg_context context; /* the model's */
    struct vgg_plan *plan;
    struct vgg_pool *pool;
    enum vgg_isa isa;
};

static void tell(const struct vgg_session *session, const char *path,
                 const struct vgg_session_options *options)
{
    const struct vgg_context *context = &session->context;
    const int threads = vgg_pool_get_threads(session->pool), cpus = vgg_cpu_count();
    const char *wanted = getenv("VGG_ISA");
    enum vgg_isa isa;
    if (wanted != NULL && (!vgg_isa_parse(wanted, &isa) || !vgg_isa_is_available(isa))) {
        vgg_log(context, VGG_LOG_WARNING,
                "VGG_ISA=%.*s is ignored: this CPU or build has no such "
                "instruction set",
                VGG_SHOWN_TEXT(wanted, 100));
    }
    if (threads > cpus) {
        vgg_log(context, VGG_LOG_WARNING, "%s: %d threads share %d CPU%s", path, threads, cpus,
                cpus > 1 ? "s" : "");
    }
    vgg_log(context, VGG_LOG_INFO,
            "%s: %s, %d threads, planned for %s; %zu MB of weights in kernel order, %zu MB of "
            "activations",
            path, vgg_isa_string(session->isa), threads,
            options->low_memory ? "low memory"
            : options->one_shot ? "the earliest answer"
                                : "the fastest run",
            session->plan->weight_bytes >> 20, session->plan->slab_bytes >> 20);
}

/* Exact is what every product is, too: AMX leaves out less than it rounds, but only where nobody minds. */
static enum vgg_isa isa_of(const struct vgg_session_options *options)
{
    const bool unasked = options->isa == VGG_ISA_AUTO && options->conv == VGG_CONV_EXACT;
    return unasked && vgg_isa_detect() == VGG_ISA_AMX ? VGG_ISA_AVX512 : options->isa;
}

/* Whether the input has the size that the file's own names and shapes suggest, or at least its scale. */
static bool has_assumed_input(const vgg_model *model, const struct vgg_shape *input)
{
    const struct vgg_shape own = vgg_model_get_input_shape(model);
    struct vgg_model_info info;
    vgg_model_get_info(model, &info);
    return vgg_model_get_spec(model)->assumed_input &&
           (info.dense || (input->h == own.h && input->w == own.w));
}

/* What activations may take. A small file must not suggest an input that takes gigabytes: more than a usual
 * net does by it is for those who ask for it. */
static uint64_t limit_activations(const vgg_model *model, const struct vgg_limits *limits,
                                  const struct vgg_plan_options *plan)
{
    const uint64_t most = limits->activation_bytes;
    const int h = plan->input.h, w = plan->input.w;
    uint64_t bytes = limits->assumed_bytes < most ? limits->assumed_bytes : most;
    if (!plan->assumed_input) {
        return most;
    }
    for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
        struct vgg_node_info info;
        vgg_model_get_node(model, i, &info);
        bytes = info.weight_bytes < most - bytes ? bytes + info.weight_bytes : most;
    }
    /* A dense evaluation's longer side is the picture's. */
    const uint64_t pictures =
        (uint64_t)plan->batch * (uint64_t)vgg_ceil_div(h > w ? h : w, h < w ? h : w);
    return bytes < most / pictures ? bytes * pictures : most;
}

static vgg_status check_options(const vgg_model *model, const struct vgg_session_options *options,
                                int threads, struct vgg_error *err)
{
    if (options->threads < 0 || threads > MAX_THREADS) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "threads: expected 1 to %d, got %d", MAX_THREADS,
                        options->threads);
    }
    if (options->batch < 0 || options->batch > MAX_BATCH) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "batch: expected 1 to %d, got %d", MAX_BATCH,
                        options->batch);
    }
    if (options->height < 0 || options->width < 0) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "input size: expected positive, got %d x %d",
                        options->width, options->height);
    }
    if (vgg_model_get_spec(model)->int8 && options->conv != VGG_CONV_AUTO) {
        return vgg_fail(
            err, VGG_ERR_ARGUMENT,
            "%s: its weights are int8, which are always convolved directly, in integers: "
            "leave the choice of a convolution out",
            vgg_model_get_path(model));
    }
    return VGG_OK;
}

/* What a session's options mean for its plan.
 *   isa  receives the instruction set; kernels are NULL where there is none */
static struct vgg_plan_options make_plan_options(const vgg_model *model,
                                                 const struct vgg_session_options *options,
                                                 enum vgg_isa *isa)
{
    const struct vgg_spec *spec = vgg_model_get_spec(model);
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    if (options->limits != NULL) {
        limits = *options->limits;
    }
    struct vgg_plan_options plan = {
        .kernels = vgg_kernels_find(isa_of(options), isa),
        .batch = options->batch > 0 ? options->batch : 1,
        .conv = options->conv,
        .one_shot = options->one_shot,
        .low_memory = options->low_memory,
        .input = vgg_model_get_input_shape(model),
        .on_node = options->on_node,
        .on_node_user = options->on_node_user,
    };
    if (spec->int8) {
        plan.int8 = vgg_int8_kernels_find(options->isa);
        plan.grid = &spec->grid;
    }
    plan.input.h = options->height > 0 ? options->height : plan.input.h;
    plan.input.w = options->width > 0 ? options->width : plan.input.w;
    plan.assumed_input = has_assumed_input(model, &plan.input);
    plan.activation_bytes = limit_activations(model, &limits, &plan);
    return plan;
}

vgg_status vgg_session_create(const vgg_model *model, const struct vgg_session_options *options,
                              vgg_session **out, struct vgg_error *err)
{
    static const struct vgg_session_options defaults;
    vgg_status status;
    size_t node_count;
    *out = NULL;
    options = options != NULL ? options : &defaults;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &node_count);
    const char *path = vgg_model_get_path(model);
    const int threads = options->threads > 0 ? options->threads : vgg_cpu_count();
    if ((status = check_options(model, options, threads, err)) != VGG_OK ||
        (status = vgg_model_check_classifier(model, err)) != VGG_OK) {
        return status;
    }
    const struct vgg_context *context = vgg_model_get_context(model);
    struct vgg_session *session =
        vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *session);
    if (session == NULL) {
        return vgg_fail_memory(err, path, sizeof *session, "the session");
    }
    session->context = *context;
    struct vgg_plan_options plan_options = make_plan_options(model, options, &session->isa);
    plan_options.context = &session->context;
    const struct vgg_shape input = plan_options.input;
    status = vgg_model_check_size(model, input.h, input.w, err);
    if (status == VGG_OK && plan_options.kernels == NULL) {
        status = vgg_fail(err, VGG_ERR_UNSUPPORTED, "this CPU or build has no %s kernels",
                          vgg_isa_string(options->isa));
    }
    if (status != VGG_OK ||
        (status = vgg_pool_create(threads, &session->context.allocator, &session->pool, err)) !=
            VGG_OK ||
        (status = vgg_plan_create(nodes, node_count, path, &plan_options, session->pool,
                                  &session->plan, err)) != VGG_OK) {
        vgg_session_destroy(session);
        return status;
    }
    tell(session, path, options);
    *out = session;
    return VGG_OK;
}

void vgg_session_destroy(vgg_session *session)
{
    if (session == NULL) {
        return;
    }
    vgg_pool_destroy(session->pool);
    vgg_plan_destroy(session->plan);
    const struct vgg_allocator allocator = session->context.allocator;
    vgg_mem_free(&allocator, session);
}

vgg_status vgg_session_run(vgg_session *session, const float *input, int count, float *logits,
                           struct vgg_error *err)
{
    if (count < 1 || count > session->plan->batch) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "count: expected 1 to %d pictures, got %d",
                        session->plan->batch, count);
    }
    vgg_plan_run(session->plan, session->pool, input, count, logits);
    return VGG_OK;
}

void vgg_session_get_info(const vgg_session *session, struct vgg_session_info *info)
{
    *info = (struct vgg_session_info){
        .threads = vgg_pool_get_threads(session->pool),
        .isa = session->isa,
        .height = session->plan->input.h,
        .width = session->plan->input.w,
        .weight_bytes = session->plan->weight_bytes,
        .activation_bytes = session->plan->slab_bytes,
    };
}

size_t vgg_session_get_step_count(const vgg_session *session)
{
    return (size_t)session->plan->step_count;
}

void vgg_session_get_step(const vgg_session *session, size_t index, struct vgg_step_info *info)
{
    *info = session->plan->info[index];
    info->last_ns = session->plan->steps[index].last_ns;
    info->prepare_ns = session->plan->steps[index].prepare_ns;
    const struct vgg_step *step = &session->plan->steps[index];
    const bool counted = step->inputs > 0;
    info->read_bytes = counted ? step->read_bytes : info->weight_bytes;
    info->input_density =
        counted ? (double)step->nonzero_inputs / (double)step->inputs : info->products > 0;
}

void vgg_session_measure_roof(vgg_session *session, struct vgg_roof *roof)
{
    vgg_plan_measure_roof(session->plan, session->pool, roof);
}
