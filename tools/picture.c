/* A picture from its file to the net's input. */
#include "picture.h"

#include <stdlib.h>

#include "message.h"
#include "vgg/image.h"

vgg_status picture_read(const char *path, const struct vgg_preprocess *preprocess, float **out,
                        int *width, int *height, struct vgg_error *err)
{
    struct vgg_image image = {0};
    float *tensor = NULL;
    *out = NULL;
    vgg_status status = vgg_image_open(path, NULL, &image, err);
    if (status == VGG_OK) {
        status = vgg_preprocess_get_size(preprocess, image.width, image.height, NULL, width, height,
                                         err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    tensor = malloc((size_t)*width * (size_t)*height * 3 * sizeof *tensor);
    if (tensor == NULL) {
        status = message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path);
        goto done;
    }
    status = vgg_image_to_tensor(&image, preprocess, NULL, tensor, err);
    if (status == VGG_OK) {
        *out = tensor;
        tensor = NULL;
    }
done:
    free(tensor);
    vgg_image_destroy(&image);
    return status;
}
