/* SPDX-License-Identifier: MIT */
/* Records where each property of an inferred net comes from. */
#ifndef VGG_MODEL_INFER_NOTES_H
#define VGG_MODEL_INFER_NOTES_H

#include "model/infer/candidates.h"
#include "model/infer/published.h"

/* All that was found. */
struct vgg_findings {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    const struct vgg_outline *outline;
    const struct vgg_overrides *overrides;
    const struct vgg_published *published;
    const struct vgg_choice *choice;
    /* How the places of pools were found. */
    enum {
        VGG_POOLS_BY_NUMBERS,
        VGG_POOLS_PUBLISHED,
        VGG_POOLS_BY_BLOCKS,
        VGG_POOLS_EACH,
        VGG_POOLS_BY_CFG
    } pools;
    /* "a 2x2 max pool after each of the 5 blocks (conv1 …)" */
    char pools_text[160];
};

/* The value of "flatten": features are flattened as PyTorch's Flatten does. */
#define VGG_FLATTEN_ORDER "channels, height, width"

/* The value of "logits": no activation, normalisation or scale follows the last layer. */
#define VGG_LOGITS "the last layer's output, unchanged"

/* Adds a record to the description. The value is formatted. */
__attribute__((format(printf, 5, 6))) void vgg_note(const struct vgg_load *load,
                                                    struct vgg_spec *spec, const char *property,
                                                    enum vgg_evidence_source source,
                                                    const char *format, ...);

/* Records the properties of the layers and the input size. */
void vgg_note_layers(const struct vgg_findings *findings, struct vgg_spec *spec);

/* Records what a caller gives of the properties that a description assumes. */
void vgg_note_overrides(const struct vgg_load *load, const struct vgg_overrides *overrides,
                        struct vgg_spec *spec);

#endif
