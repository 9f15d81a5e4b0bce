/* SPDX-License-Identifier: MIT */
/* The int8 net's layers. */
#ifndef VGG_PACK_QUANTIZE_QUANTIZE_LAYERS_H
#define VGG_PACK_QUANTIZE_QUANTIZE_LAYERS_H

#include "pack/quantize/quantizer_types.h"

/* Lists the layers and makes the nodes of the int8 net, with weights of zero. Refuses nets that cannot be
 * quantised. */
vgg_status vgg_quantizer_list_layers(struct vgg_quantizer *quantizer, struct vgg_error *err);

/* Sets the scales of the nodes and the integer biases from the layers' output scales. */
void vgg_quantizer_set_scales(struct vgg_quantizer *quantizer);

/* Plans the int8 net as it is now.
 *   on_node  NULL, or called after each node
 *   out      to be freed even after an error */
vgg_status vgg_quantizer_plan(struct vgg_quantizer *quantizer, vgg_node_fn *on_node,
                              struct vgg_quantizer_runner *out, struct vgg_error *err);
void vgg_quantizer_free_plan(struct vgg_quantizer_runner *runner);

#endif
