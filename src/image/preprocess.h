/* SPDX-License-Identifier: MIT */
/* From the rows of an image to the net's input: torchvision's Grayscale, Resize, CenterCrop, ToTensor and Normalize. */
#ifndef VGG_IMAGE_PREPROCESS_H
#define VGG_IMAGE_PREPROCESS_H

#include "image/placement.h"
#include "image/rows.h"

/* One image on its way. Exactly one of tensor and crop is the result. */
struct vgg_preprocessing {
    const struct vgg_preprocess *preprocess;
    /* [planes][out_height][out_width]; the caller's, whose memory is counted */
    float *tensor;
    /* 8-bit RGB; its pixels are allocated in begin and freed by the caller, after an error too */
    struct vgg_image *crop;

    struct vgg_placement placement;
    struct vgg_resizer resizer;
    /* [width] the row that is next, in gray; NULL: colors stay */
    uint8_t *gray;
    int width;
    /* [plane] the value of each level */
    float values[3][256];
};

/* A sink for rows that makes the result of them. The preprocessing is to be destroyed afterwards.
 * Its errors: ARGUMENT, LIMIT, MEMORY. */
struct vgg_row_sink vgg_preprocessing_sink(struct vgg_preprocessing *preprocessing);
void vgg_preprocessing_destroy(struct vgg_preprocessing *preprocessing);

#endif
