/* SPDX-License-Identifier: MIT */
/* Recognises nets whose weights were made for Caffe's preprocessing. */
#ifndef VGG_MODEL_INFER_CAFFE_H
#define VGG_MODEL_INFER_CAFFE_H

#include "model/graph/tensors.h"
#include "model/spec/spec_types.h"

/* Replaces the values of an inferred preprocessing, as an assumption with its reason and its alternatives, if the net may
 * be one that was converted from Caffe, Torch or MatConvNet under torchvision's names or its own:
 *   - the weights of the first convolution are those of Caffe's VGG-16, also after training that left them alone;
 *   - the file's name says so: it has "caffe" or "vgg_face" in it, or the hash of a file that is known to be one;
 *   - it has the 2622 classes of VGG-Face.
 * The last two only count for a net of 8 to 16 convolutions of 3x3 without BatchNorm, as the paper's are.
 *   load  with the checkpoint's path */
vgg_status vgg_caffe_apply(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           struct vgg_spec *spec);

#endif
