/* SPDX-License-Identifier: MIT */
/* Fuzz target: a net's description in JSON, up to the graph; and labels. */
#include "base/mem.h"
#include "fuzz.h"
#include "model/graph/build.h"

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    static struct vgg_error err;
    struct vgg_limits limits;
    struct vgg_arena arena = {0};
    struct vgg_spec spec;
    struct vgg_graph graph;
    struct vgg_labels labels;
    const struct vgg_load load = {.path = "spec", .limits = &limits, .arena = &arena, .err = &err};
    vgg_limits_init(&limits);
    limits.json_bytes = 1 << 16;
    vgg_status status = vgg_spec_parse(&load, data, size, &spec);
    if (status == VGG_OK) {
        fuzz_check(vgg_spec_get_classes(&spec) > 0, "a description has classes");
        status = vgg_graph_build(&load, &spec, &graph);
    }
    vgg_status labels_status = vgg_labels_parse(&load, data, size, &labels);
    vgg_arena_destroy(&arena);
    return labels_status == VGG_ERR_MEMORY ? labels_status : status;
}
