/* A picture from its file to the net's input. */
#ifndef TOOLS_PICTURE_H
#define TOOLS_PICTURE_H

#include "vgg/preprocess.h"
#include "vgg/status.h"

/* [3][height][width], to be freed by the caller; NULL after an error. */
vgg_status picture_read(const char *path, const struct vgg_preprocess *preprocess, float **out,
                        int *width, int *height, struct vgg_error *err);

#endif
