/* SPDX-License-Identifier: MIT */
/* What training scripts keep beside a net's tensors: class names, hyperparameters, arguments. */
#ifndef VGG_CHECKPOINT_FACTS_H
#define VGG_CHECKPOINT_FACTS_H

#include "checkpoint/checkpoint.h"
#include "checkpoint/fact_items.h"

enum { VGG_FACT_PATH_BYTES = 160 };

struct vgg_fact {
    /* "meta.CLASSES" */
    char path[VGG_FACT_PATH_BYTES];
    /* Without the objects that OmegaConf and others wrap it in. */
    const struct vgg_value *value;
};

/* Finds the values under a key: in the object that was saved and in the dicts and objects in it, at most two levels
 * down. Attributes of an object count as keys.
 *   out  receives up to max facts, those of the upper levels first
 * Returns how many it has received. */
size_t vgg_checkpoint_find_facts(const struct vgg_checkpoint *checkpoint, const char *key,
                                 struct vgg_fact *out, size_t max);

#endif
