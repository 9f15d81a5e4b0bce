/* SPDX-License-Identifier: MIT */
/* The output size of a window that moves over an image, as PyTorch computes it. */
#ifndef VGG_MODEL_SPEC_WINDOW_H
#define VGG_MODEL_SPEC_WINDOW_H

#include "model/spec/layer.h"

/* Replaces the size by the number of places of the window. False, and nothing changed, if it is larger than the
 * image. */
bool vgg_window_move(const struct vgg_window *window, struct vgg_shape *shape);

/* The smallest image that the window fits into. */
struct vgg_pixels vgg_window_get_min(const struct vgg_window *window);

#endif
