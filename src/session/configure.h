/* SPDX-License-Identifier: MIT */
/* Makes the options of a plan from those of a session. */
#ifndef VGG_SESSION_CONFIGURE_H
#define VGG_SESSION_CONFIGURE_H

#include "model/view.h"
#include "plan/types.h"

struct vgg_session_config {
    struct vgg_plan_options plan;
    int threads;
    enum vgg_isa isa;
};

/* Errors: ARGUMENT, UNSUPPORTED (the instruction set). */
vgg_status vgg_session_configure(const struct vgg_model_view *model,
                                 const struct vgg_session_options *options,
                                 struct vgg_session_config *out, struct vgg_error *err);

#endif
