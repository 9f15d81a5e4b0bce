/* SPDX-License-Identifier: MIT */
/* What is known of a net, property by property, and where each value comes from. */
#ifndef VGG_MODEL_SPEC_EVIDENCE_H
#define VGG_MODEL_SPEC_EVIDENCE_H

#include "base/mem.h"
#include "vgg/model.h"

struct vgg_evidence_list {
    struct vgg_evidence *items;
    size_t count, max;
    /* False after an allocation failed. */
    bool failed;
};

/* Adds a property, or replaces the record of the same property if the new source is at least as strong.
 *   property      "padding", "max pool"
 *   value         "1", "2x2 after features.28"
 *   why           NULL, or the reason: "no module names it"
 *   alternatives  NULL, or what fits as well, and the option that takes it
 * The strings are copied into the arena. Without memory the list is marked as failed. */
void vgg_evidence_add(struct vgg_evidence_list *list, struct vgg_arena *arena,
                      const struct vgg_evidence *evidence);

/* The record of a property, or NULL. */
struct vgg_evidence *vgg_evidence_find(const struct vgg_evidence_list *list, const char *property);

/* Gives every assumption a stronger source, because the whole net was recognised. */
void vgg_evidence_strengthen(struct vgg_evidence_list *list, enum vgg_evidence_source source);

#endif
