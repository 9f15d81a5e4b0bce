/* SPDX-License-Identifier: MIT */
/* Allocates pixels within the limits, and frees them. */
#include "image/image.h"

#include <limits.h>

#include "base/mem.h"

vgg_status vgg_image_check_size(const char *name, uint64_t width, uint64_t height,
                                uint64_t max_pixels, struct vgg_error *err)
{
    if (width > INT_MAX || height > INT_MAX || width > max_pixels / height) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: image of %llu x %llu pixels, limit is %llu in all",
                        name, (unsigned long long)width, (unsigned long long)height,
                        (unsigned long long)max_pixels);
    }
    return VGG_OK;
}

vgg_status vgg_image_create(const struct vgg_image_request *request, uint64_t width,
                            uint64_t height, struct vgg_image *out, struct vgg_error *err)
{
    const char *name = request->name;
    const struct vgg_allocator *allocator = request->allocator;
    size_t bytes;
    vgg_status status = vgg_image_check_size(name, width, height, request->max_pixels, err);
    if (status != VGG_OK) {
        return status;
    }
    if (!vgg_size_mul((size_t)width, (size_t)height, &bytes) || !vgg_size_mul(bytes, 3, &bytes)) {
        return vgg_fail_memory(err, name, SIZE_MAX, "pixels");
    }
    uint8_t *rgb = vgg_mem_alloc(allocator, bytes, 1);
    if (rgb == NULL) {
        return vgg_fail_memory(err, name, bytes, "pixels");
    }
    *out = (struct vgg_image){.width = (int)width, .height = (int)height, .rgb = rgb};
    if (allocator != NULL) {
        out->allocator = *allocator;
    }
    return VGG_OK;
}

void vgg_image_destroy(struct vgg_image *image)
{
    if (image != NULL) {
        vgg_mem_free(&image->allocator, image->rgb);
        *image = (struct vgg_image){0};
    }
}
