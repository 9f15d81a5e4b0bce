/* SPDX-License-Identifier: MIT */
/* The public functions of sessions: an executor of the model's plan, and the threads that run it. */
#include "vgg/session.h"

#include <stdlib.h>

#include "plan/executor.h"
#include "session/configure.h"
#include "session/roofline.h"
#include "session/shared_plan.h"

struct vgg_session {
    struct vgg_model_view model;
    struct vgg_plan *plan; /* shared by the model's sessions */
    struct vgg_executor *executor;
    struct vgg_pool *pool;
    enum vgg_isa isa;
};

static void log_choice(const struct vgg_session *session, const struct vgg_session_options *options)
{
    const struct vgg_context *context = session->model.context;
    const char *path = session->model.path;
    const int threads = vgg_pool_get_threads(session->pool), cpus = vgg_cpu_count();
    if (threads > cpus) {
        vgg_log(context, VGG_LOG_WARNING, "%s: %d threads share %d CPU%s", path, threads, cpus,
                cpus > 1 ? "s" : "");
    }
    vgg_log(context, VGG_LOG_INFO,
            "%s: %s, %d threads, %s plan; %zu MB of prepacked weights, %zu MB of activations", path,
            vgg_isa_string(session->isa), threads,
            options->low_memory ? "low-memory"
            : options->one_shot ? "one-shot"
                                : "steady",
            session->plan->weight_bytes >> 20, session->plan->slab_bytes >> 20);
}

static vgg_status open_session(vgg_session *session, const struct vgg_session_config *config,
                               const struct vgg_session_options *options, struct vgg_error *err)
{
    struct vgg_plan_options plan = config->plan;
    session->isa = config->isa;
    vgg_status status =
        vgg_pool_create(config->threads, session->model.context, &session->pool, err);
    if (status == VGG_OK) {
        plan.threads = vgg_pool_get_threads(session->pool); /* perhaps fewer */
        status = vgg_plan_share(&session->model, &plan, session->pool, &session->plan, err);
    }
    if (status == VGG_OK) {
        const struct vgg_node_listener listener = {options->on_node, options->on_node_user};
        status =
            vgg_executor_create(session->plan, session->pool, &listener, &session->executor, err);
    }
    return status;
}

vgg_status vgg_session_create(const vgg_model *model, const struct vgg_session_options *options,
                              vgg_session **out, struct vgg_error *err)
{
    static const struct vgg_session_options defaults;
    struct vgg_session_config config;
    *out = NULL;
    options = options != NULL ? options : &defaults;
    const struct vgg_model_view view = *vgg_model_get_view(model);
    vgg_status status = vgg_session_configure(&view, options, &config, err);
    if (status != VGG_OK || (status = vgg_model_check_classifier(model, err)) != VGG_OK ||
        (status = vgg_model_check_size(model, config.plan.input.h, config.plan.input.w, err)) !=
            VGG_OK) {
        return status;
    }
    vgg_session *session = vgg_mem_alloc_cleared(&view.context->allocator, 1, sizeof *session);
    if (session == NULL) {
        return vgg_fail_memory(err, view.path, sizeof *session, "the session");
    }
    session->model = view;
    status = open_session(session, &config, options, err);
    if (status != VGG_OK) {
        vgg_session_destroy(session);
        return status;
    }
    log_choice(session, options);
    *out = session;
    return VGG_OK;
}

void vgg_session_destroy(vgg_session *session)
{
    if (session == NULL) {
        return;
    }
    vgg_pool_destroy(session->pool);
    vgg_executor_destroy(session->executor);
    vgg_plan_release(&session->model, session->plan);
    vgg_mem_free(&session->model.context->allocator, session);
}

vgg_status vgg_session_run(vgg_session *session, const float *input, int count, float *logits,
                           struct vgg_error *err)
{
    const int batch = session->plan->options.batch;
    if (count < 1 || count > batch) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "count: expected 1 to %d images, got %d", batch,
                        count);
    }
    vgg_executor_run(session->executor, input, count, logits);
    return VGG_OK;
}

void vgg_session_get_info(const vgg_session *session, struct vgg_session_info *info)
{
    *info = (struct vgg_session_info){
        .threads = vgg_pool_get_threads(session->pool),
        .isa = session->isa,
        .height = session->plan->options.input.h,
        .width = session->plan->options.input.w,
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
    const struct vgg_step *step = &session->plan->steps[index];
    const struct vgg_step_state *state = vgg_executor_get_state(session->executor, step);
    const bool counted = state->inputs > 0;
    *info = session->plan->info[index];
    info->last_ns = state->last_ns;
    info->prepack_ns = step->prepack_ns + state->prepack_ns;
    info->read_bytes = counted ? state->read_bytes : info->weight_bytes;
    info->input_density =
        counted ? (double)state->nonzero_inputs / (double)state->inputs : info->products > 0;
}

void vgg_session_measure_peak(vgg_session *session, struct vgg_peak *out)
{
    vgg_plan_measure_peak(session->plan, session->pool, out);
}
