/* SPDX-License-Identifier: MIT */
/* Chooses the grid that an int8 net's input is quantised to. */
#include "pack/quantize/input_grid.h"

void vgg_quantizer_make_grid(struct vgg_quantizer *quantizer)
{
    const struct vgg_preprocess *preprocess = vgg_model_get_preprocess(quantizer->model);
    for (int p = 0; p < 3; p++) {
        const int c = preprocess->channels == 1 ? 0 : preprocess->bgr ? 2 - p : p;
        const double pixels = preprocess->unscaled ? 1 : 255;
        quantizer->grid.low[p] = (0.0f - preprocess->mean[c]) / preprocess->std[c];
        quantizer->grid.step[p] = (float)(1 / (pixels * (double)preprocess->std[c]));
        if (quantizer->off_grid) {
            const double range = (double)quantizer->max[p] - (double)quantizer->min[p];
            quantizer->grid.low[p] = quantizer->min[p];
            quantizer->grid.step[p] = range > 0 ? (float)(range / 255) : 1;
        }
    }
}
