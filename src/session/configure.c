/* SPDX-License-Identifier: MIT */
/* Makes the options of a plan from those of a session. */
#include "session/configure.h"

#include "base/arith.h"
#include "base/cpu.h"
#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"

enum { MAX_BATCH = 4096 };

static vgg_status check(const struct vgg_model_view *model,
                        const struct vgg_session_options *options, int threads,
                        struct vgg_error *err)
{
    if (options->threads < 0 || threads > VGG_MAX_THREADS) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "threads: expected 1 to %d, got %d", VGG_MAX_THREADS,
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
    if (model->spec->int8 && options->conv != VGG_CONV_AUTO) {
        return vgg_fail(
            err, VGG_ERR_ARGUMENT,
            "%s: expected no choice of a convolution algorithm: int8 weights are always convolved "
            "directly, in integers",
            model->path);
    }
    return vgg_isa_check(err);
}

/* Only direct and F(2) sums are exact in the sense of VGG_CONV_EXACT. AMX, which omits the smallest partial products,
 * must be requested. */
static enum vgg_isa isa_of(const struct vgg_session_options *options)
{
    const bool unasked = options->isa == VGG_ISA_AUTO && options->conv == VGG_CONV_EXACT;
    return unasked && vgg_isa_detect() == VGG_ISA_AMX ? VGG_ISA_AVX512 : options->isa;
}

static bool is_users(const struct vgg_model_view *model, const char *property)
{
    const struct vgg_evidence *evidence = vgg_evidence_find(&model->spec->evidence, property);
    return evidence != NULL && evidence->source == VGG_EVIDENCE_USER;
}

/* Whether nobody asked for the input's size: the file states it, or its names and shapes suggest it. So does the size of
 * images that are resized, but not cropped, as the file says. */
static bool is_size_unasked(const struct vgg_model_view *model, const struct vgg_shape *input)
{
    const struct vgg_preprocess *preprocess = &model->spec->preprocess;
    const bool is_models = input->h == model->input.h && input->w == model->input.w;
    if (model->info.dense || is_models) {
        return !is_users(model, "input size");
    }
    return preprocess->crop == 0 && preprocess->resize > 0 && !is_users(model, "resize");
}

/* The limit on the bytes of activations. A size that nobody asked for gets a small budget, sufficient for a usual net with
 * such weights: a few bytes of a file could otherwise take gigabytes. Larger inputs must be requested. */
static uint64_t limit_activations(const struct vgg_model_view *model,
                                  const struct vgg_limits *limits,
                                  const struct vgg_plan_options *plan)
{
    const uint64_t max = limits->activation_bytes;
    const int h = plan->input.h, w = plan->input.w;
    uint64_t bytes = limits->assumed_bytes < max ? limits->assumed_bytes : max;
    if (!plan->size_unasked) {
        return max;
    }
    bytes = model->weight_bytes < max - bytes ? bytes + model->weight_bytes : max;
    /* The longer side of a dense evaluation follows from the image. */
    const uint64_t images =
        (uint64_t)plan->batch * (uint64_t)vgg_ceil_div(h > w ? h : w, h < w ? h : w);
    return bytes < max / images ? bytes * images : max;
}

vgg_status vgg_session_configure(const struct vgg_model_view *model,
                                 const struct vgg_session_options *options,
                                 struct vgg_session_config *out, struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    if (options->limits != NULL) {
        limits = *options->limits;
    }
    out->threads = options->threads > 0 ? options->threads : vgg_cpu_count();
    vgg_status status = check(model, options, out->threads, err);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_plan_options *plan = &out->plan;
    *plan = (struct vgg_plan_options){
        .context = model->context,
        .kernels = vgg_kernels_find(isa_of(options), &out->isa),
        .batch = options->batch > 0 ? options->batch : 1,
        .threads = out->threads,
        .conv = options->conv,
        .one_shot = options->one_shot || options->low_memory,
        .low_memory = options->low_memory,
        .unfused = options->on_node != NULL,
        .input = model->input,
    };
    if (plan->kernels == NULL) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "this CPU or build has no %s kernels",
                        vgg_isa_string(options->isa));
    }
    if (model->spec->int8) {
        plan->int8 = vgg_int8_kernels_find(options->isa);
        plan->grid = &model->spec->grid;
    }
    plan->input.h = options->height > 0 ? options->height : plan->input.h;
    plan->input.w = options->width > 0 ? options->width : plan->input.w;
    plan->size_unasked = is_size_unasked(model, &plan->input);
    plan->activation_bytes = limit_activations(model, &limits, plan);
    return VGG_OK;
}
