/* SPDX-License-Identifier: MIT */
/* Shares plans among the sessions of a model: a plan never changes once it is built, and its prepacked weights are most
 * of a session's memory. */
#include "session/shared_plan.h"

#include "plan/plan.h"

struct wanted {
    const struct vgg_model_view *model;
    const struct vgg_plan_options *options;
    struct vgg_pool *pool;
};

/* Whether two sets of options make the same plan of a model. */
static bool are_equal(const struct vgg_plan_options *a, const struct vgg_plan_options *b)
{
    const bool same_net = a->kernels == b->kernels && a->int8 == b->int8 && a->grid == b->grid &&
                          a->input.c == b->input.c && a->input.h == b->input.h &&
                          a->input.w == b->input.w;
    const bool same_use = a->batch == b->batch && a->threads == b->threads && a->conv == b->conv &&
                          a->form == b->form && a->unfused == b->unfused;
    const bool same_memory = a->one_shot == b->one_shot && a->low_memory == b->low_memory &&
                             a->activation_bytes == b->activation_bytes &&
                             a->size_unasked == b->size_unasked;
    return same_net && same_use && same_memory && a->lay_out_only == b->lay_out_only;
}

static bool is_same(const void *object, const void *wanted)
{
    const struct vgg_plan *plan = object;
    const struct wanted *w = wanted;
    return are_equal(&plan->options, w->options);
}

static vgg_status make(const void *wanted, void **object, struct vgg_error *err)
{
    const struct wanted *w = wanted;
    const struct vgg_net net = {w->model->nodes, w->model->node_count, w->model->path};
    struct vgg_plan *plan;
    const vgg_status status = vgg_plan_create(&net, w->options, w->pool, &plan, err);
    *object = plan;
    return status;
}

static void destroy(void *object)
{
    vgg_plan_destroy(object);
}

static const struct vgg_shared_kind plan_kind = {is_same, make, destroy};

vgg_status vgg_plan_share(const struct vgg_model_view *model,
                          const struct vgg_plan_options *options, struct vgg_pool *pool,
                          struct vgg_plan **out, struct vgg_error *err)
{
    const struct wanted wanted = {model, options, pool};
    void *plan = NULL;
    const vgg_status status = vgg_shared_get(model->plans, &plan_kind, &wanted, &plan, err);
    *out = plan;
    return status;
}

void vgg_plan_release(const struct vgg_model_view *model, struct vgg_plan *plan)
{
    if (plan != NULL) {
        vgg_shared_release(model->plans, &plan_kind, plan);
    }
}
