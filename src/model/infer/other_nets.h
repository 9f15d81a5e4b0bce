/* Nets that are no VGGs, by what only they call their tensors. */
#ifndef VGG_MODEL_INFER_OTHER_NETS_H
#define VGG_MODEL_INFER_OTHER_NETS_H

#include "model/graph/tensors.h"

/* What net the tensors are of, if it is a known one and no VGG: "a ResNet". NULL otherwise.
 *   telling  receives the tensor that tells */
const char *vgg_other_net_find(const struct vgg_tensor_list *tensors,
                               const struct vgg_tensor **telling);

#endif
