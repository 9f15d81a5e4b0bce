/* SPDX-License-Identifier: MIT */
/* A model: its description, its nodes with their weights, and the memory that holds them. */
#ifndef VGG_MODEL_MODEL_TYPES_H
#define VGG_MODEL_MODEL_TYPES_H

#include "base/shared.h"
#include "model/graph/build.h"
#include "model/view_types.h"

struct vgg_model {
    /* The checkpoint's context and path. */
    struct vgg_context context;
    const char *path;
    /* Owns everything that the model points to, except the path and the tensors. */
    struct vgg_arena arena;
    const char *name;
    /* The text of vgg_model_info. */
    const char *assumed;
    /* The input size in pixels. */
    int height, width;
    bool dense;
    /* Dense because the file's linear layers are filters that are smaller than the features, not by request. */
    bool moves_filters;
    struct vgg_shared *plans; /* of the model's sessions */
    struct vgg_spec spec;
    struct vgg_graph graph;
    struct vgg_model_view view;
};

#endif
