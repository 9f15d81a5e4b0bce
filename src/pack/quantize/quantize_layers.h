/* SPDX-License-Identifier: MIT */
/* The int8 net's layers. */
#ifndef VGG_PACK_QUANTIZE_QUANTIZE_LAYERS_H
#define VGG_PACK_QUANTIZE_QUANTIZE_LAYERS_H

#include "pack/quantize/quantizer_types.h"

/* Lists the layers and lays out the int8 net, whose weights are zeros so far. Refuses nets that the int8 net
 * cannot be made of. */
vgg_status vgg_quantizer_list_layers(struct vgg_quantizer *quantizer, struct vgg_error *err);

/* Takes over the layers' output scales: into the nodes and the integers of the biases. */
void vgg_quantizer_set_scales(struct vgg_quantizer *quantizer);

/* Plans the int8 net as it is now.
 *   on_node  NULL, or called after each node
 *   out      to be freed even after an error */
vgg_status vgg_quantizer_plan(struct vgg_quantizer *quantizer, vgg_node_fn *on_node,
                              struct vgg_quantizer_runner *out, struct vgg_error *err);
void vgg_quantizer_free_plan(struct vgg_quantizer_runner *runner);

#endif
