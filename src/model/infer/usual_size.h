/* SPDX-License-Identifier: MIT */
/* Finds the input sizes that people use at which the features end as large as a classifier takes them. */
#ifndef VGG_MODEL_INFER_USUAL_SIZE_H
#define VGG_MODEL_INFER_USUAL_SIZE_H

#include "base/status.h"
#include "model/spec/spec_types.h"

/* Whether the features of an input end with this number of pixels; area 0: any number. */
bool vgg_input_reaches(const struct vgg_spec *spec, struct vgg_pixels input, int area);

/* The smallest size that people use at which the features end with this number of pixels; 0: there is none. */
int vgg_input_find_usual(const struct vgg_spec *spec, int area);

/* Adds "299x299 fits as well" for each size that people use at which the features end with this number of pixels.
 *   name    of the net, "padding 0 at "; "" for the one that is chosen
 *   chosen  the side of the size that is not listed; 0: all are */
void vgg_input_list_usual(const struct vgg_spec *spec, int area, const char *name, int chosen,
                          struct vgg_text *out);

#endif
