/* SPDX-License-Identifier: MIT */
/* From the rows of an image to the net's input: torchvision's Grayscale, Resize, CenterCrop, ToTensor and Normalize.
 *
 * Each row of an image is converted to gray if that is wanted and goes to the resizer. What comes out of it is written
 * to its place in the tensor or the crop, so that no whole image is needed between the stages. */
#include "image/preprocess.h"

#include <string.h>

#include "base/mem.h"

/* PIL's "L", the luma of ITU-R 601 with 16 fractional bits. */
static uint8_t get_luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

/* --- the end: rows of the crop --- */

/* The input channel of a plane, 0 … 2: R, G or B. */
static int get_channel(const struct vgg_preprocess *preprocess, int plane)
{
    return preprocess->bgr && vgg_placement_planes(preprocess) == 3 ? 2 - plane : plane;
}

/* ToTensor divides by 255 and Normalize subtracts, then divides, each rounded to float32. */
static void fill_values(struct vgg_preprocessing *p)
{
    const struct vgg_preprocess *preprocess = p->preprocess;
    const float scale = preprocess->unscaled ? 1.0f : 255.0f;
    for (int plane = 0; plane < vgg_placement_planes(preprocess); plane++) {
        const int channel = get_channel(preprocess, plane);
        for (int v = 0; v < 256; v++) {
            p->values[plane][v] =
                ((float)v / scale - preprocess->mean[channel]) / preprocess->std[channel];
        }
    }
}

/* Where the pixels of the window's row y begin in a plane of the result. */
static size_t get_offset(const struct vgg_placement *placement, int y)
{
    return (size_t)(placement->pad_y + y) * (size_t)placement->out_width + (size_t)placement->pad_x;
}

static void put_in_tensor(void *user, int y, const uint8_t *row)
{
    struct vgg_preprocessing *p = user;
    const struct vgg_placement *placement = &p->placement;
    const size_t plane_count = (size_t)placement->out_width * (size_t)placement->out_height;
    const size_t step = (size_t)p->resizer.resizing.channels;
    for (int plane = 0; plane < vgg_placement_planes(p->preprocess); plane++) {
        const float *values = p->values[plane];
        const uint8_t *pixel = row + (step == 3 ? get_channel(p->preprocess, plane) : 0);
        float *out = p->tensor + (size_t)plane * plane_count + get_offset(placement, y);
        for (int x = 0; x < placement->window.width; x++, pixel += step) {
            out[x] = values[*pixel];
        }
    }
}

static void put_in_crop(void *user, int y, const uint8_t *row)
{
    const struct vgg_preprocessing *p = user;
    uint8_t *out = p->crop->rgb + 3 * get_offset(&p->placement, y);
    const size_t width = (size_t)p->placement.window.width;
    if (p->resizer.resizing.channels == 3) {
        memcpy(out, row, 3 * width);
        return;
    }
    for (size_t x = 0; x < width; x++) {
        memset(out + 3 * x, row[x], 3);
    }
}

static bool is_padded(const struct vgg_placement *placement)
{
    return placement->window.width < placement->out_width ||
           placement->window.height < placement->out_height;
}

/* Fills the tensor with black, of which the padding stays. */
static void pad_tensor(struct vgg_preprocessing *p)
{
    const size_t count = (size_t)p->placement.out_width * (size_t)p->placement.out_height;
    for (int plane = 0; plane < vgg_placement_planes(p->preprocess); plane++) {
        for (size_t i = 0; i < count; i++) {
            p->tensor[(size_t)plane * count + i] = p->values[plane][0];
        }
    }
}

static vgg_status begin_tensor(struct vgg_preprocessing *p, struct vgg_image_job *job,
                               struct vgg_error *err)
{
    const uint64_t pixels = (uint64_t)p->placement.out_width * (uint64_t)p->placement.out_height;
    const uint64_t planes = (uint64_t)vgg_placement_planes(p->preprocess);
    vgg_status status =
        vgg_image_charge(job, pixels * planes * sizeof *p->tensor, "the tensor", err);
    if (status == VGG_OK) {
        fill_values(p);
    }
    if (status == VGG_OK && is_padded(&p->placement)) {
        pad_tensor(p);
    }
    return status;
}

static vgg_status begin_crop(struct vgg_preprocessing *p, struct vgg_image_job *job,
                             struct vgg_error *err)
{
    struct vgg_image_job crop_job = *job;
    crop_job.width = p->placement.out_width;
    crop_job.height = p->placement.out_height;
    vgg_status status = vgg_image_create(&crop_job, p->crop, err);
    job->used_bytes = crop_job.used_bytes;
    if (status == VGG_OK && is_padded(&p->placement)) {
        memset(p->crop->rgb, 0, 3 * (size_t)p->crop->width * (size_t)p->crop->height);
    }
    return status;
}

/* --- the sink --- */

static vgg_status create_resizer(struct vgg_preprocessing *p, struct vgg_image_job *job,
                                 struct vgg_error *err)
{
    const struct vgg_resizing resizing = {.width = p->placement.width,
                                          .height = p->placement.height,
                                          .interpolation = p->preprocess->interpolation,
                                          .window = p->placement.window,
                                          .channels = p->gray != NULL ? 1 : 3};
    const struct vgg_resized resized = {p->tensor != NULL ? put_in_tensor : put_in_crop, p};
    return vgg_resizer_create(job, &resizing, &resized, &p->resizer, err);
}

static vgg_status begin(void *user, struct vgg_image_job *job, struct vgg_error *err)
{
    struct vgg_preprocessing *p = user;
    void *gray = NULL;
    p->width = job->width;
    vgg_status status = vgg_placement_make(job, p->preprocess, &p->placement, err);
    if (status == VGG_OK) {
        status = p->tensor != NULL ? begin_tensor(p, job, err) : begin_crop(p, job, err);
    }
    if (status == VGG_OK && (p->preprocess->gray || p->preprocess->channels == 1)) {
        status = vgg_image_alloc(job, (uint64_t)job->width, "a gray row", &gray, err);
        p->gray = gray;
    }
    return status ? status : create_resizer(p, job, err);
}

static void take(void *user, const uint8_t *rgb)
{
    struct vgg_preprocessing *p = user;
    if (p->gray != NULL && vgg_resizer_needs_row(&p->resizer)) {
        for (int x = 0; x < p->width; x++) {
            p->gray[x] = get_luma(rgb + 3 * (size_t)x);
        }
    }
    vgg_resizer_take(&p->resizer, p->gray != NULL ? p->gray : rgb);
}

struct vgg_row_sink vgg_preprocessing_sink(struct vgg_preprocessing *preprocessing)
{
    return (struct vgg_row_sink){begin, take, preprocessing};
}

void vgg_preprocessing_destroy(struct vgg_preprocessing *preprocessing)
{
    vgg_mem_free(preprocessing->resizer.allocator, preprocessing->gray);
    vgg_resizer_destroy(&preprocessing->resizer);
}

/* --- of an image that is decoded already --- */

static vgg_status run(struct vgg_preprocessing *p, const struct vgg_image *image,
                      const struct vgg_limits *limits, struct vgg_error *err)
{
    const struct vgg_row_sink sink = vgg_preprocessing_sink(p);
    struct vgg_image_job job = vgg_image_job_make(NULL, limits, &image->allocator);
    job.width = image->width;
    job.height = image->height;
    vgg_status status = sink.begin(sink.user, &job, err);
    for (int y = 0; status == VGG_OK && y < image->height; y++) {
        sink.take(sink.user, image->rgb + (size_t)y * (size_t)image->width * 3);
    }
    vgg_preprocessing_destroy(p);
    return status;
}

vgg_status vgg_image_crop(const struct vgg_image *image, const struct vgg_preprocess *preprocess,
                          const struct vgg_limits *limits, struct vgg_image *out,
                          struct vgg_error *err)
{
    struct vgg_image crop = {0};
    if (image == NULL || image->rgb == NULL || preprocess == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "crop: expected an image, a preset and an image for the result");
    }
    struct vgg_preprocessing p = {.preprocess = preprocess, .crop = &crop};
    vgg_status status = run(&p, image, limits, err);
    if (status == VGG_OK) {
        *out = crop;
    } else {
        vgg_image_destroy(&crop);
    }
    return status;
}

vgg_status vgg_image_to_tensor(const struct vgg_image *image,
                               const struct vgg_preprocess *preprocess,
                               const struct vgg_limits *limits, float *out, struct vgg_error *err)
{
    if (image == NULL || image->rgb == NULL || preprocess == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "tensor: expected an image, a preset and memory for the result");
    }
    struct vgg_preprocessing p = {.preprocess = preprocess, .tensor = out};
    return run(&p, image, limits, err);
}
