/* SPDX-License-Identifier: MIT */
/* Preprocess many images in many ways for tests/golden/preprocess.py, in one process.
 *
 *     dump_preprocess < LIST > RESULTS
 *
 * Each line of LIST is "RESIZE RESIZE_WIDTH CROP CROP_WIDTH INTERPOLATION GRAY CHANNELS BGR UNSCALED" and then three
 * means, three standard deviations and the PATH. RESULTS has for each line two native 32-bit integers, the width and
 * height after the crop; uint8 [height][width][3] after the crop; and float32 [channels][height][width]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vgg/image.h>

static void fail(const char *message)
{
    fprintf(stderr, "dump_preprocess: %s\n", message);
    exit(2);
}

static void write_all(const void *data, size_t bytes, size_t count)
{
    if (fwrite(data, bytes, count, stdout) != count) {
        fail("cannot write");
    }
}

/* Reads a line up to the path, and returns that. */
static const char *parse(char *line, struct vgg_preprocess *p)
{
    char interpolation[16];
    int used = 0;
    float *const m = p->mean, *const s = p->std;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%d %d %d %d %15s %d %d %d %d %f %f %f %f %f %f %n", &p->resize,
               &p->resize_width, &p->crop, &p->crop_width, interpolation, &p->gray, &p->channels,
               &p->bgr, &p->unscaled, &m[0], &m[1], &m[2], &s[0], &s[1], &s[2], &used) != 15 ||
        !vgg_interpolation_parse(interpolation, &p->interpolation)) {
        fail(line);
    }
    return line + used;
}

static void dump(const char *path, const struct vgg_preprocess *preprocess)
{
    static struct vgg_error err;
    struct vgg_image image = {0}, crop = {0};
    int width = 0, height = 0;
    if (vgg_image_open(path, NULL, &image, &err) != VGG_OK ||
        vgg_preprocess_get_size(preprocess, image.width, image.height, NULL, &width, &height,
                                &err) != VGG_OK ||
        vgg_image_crop(&image, preprocess, NULL, &crop, &err) != VGG_OK) {
        fail(err.message);
    }
    const size_t planes = preprocess->channels == 1 ? 1 : 3;
    const size_t pixels = (size_t)width * (size_t)height;
    float *tensor = malloc(pixels * planes * sizeof *tensor);
    if (tensor == NULL || width != crop.width || height != crop.height) {
        fail("no memory, or another size than was said");
    }
    /* The crop is made of all pixels, the tensor without them. */
    vgg_image_file *file = NULL;
    if (vgg_image_file_open(path, NULL, &file, &err) != VGG_OK ||
        vgg_image_file_to_tensor(file, preprocess, tensor, &err) != VGG_OK) {
        fail(err.message);
    }
    vgg_image_file_close(file);
    const int32_t size[2] = {width, height};
    write_all(size, sizeof size, 1);
    write_all(crop.rgb, 3, pixels);
    write_all(tensor, planes * sizeof *tensor, pixels);
    free(tensor);
    vgg_image_destroy(&crop);
    vgg_image_destroy(&image);
}

int main(void)
{
    char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct vgg_preprocess preprocess = {.name = "custom"};
        const char *path = parse(line, &preprocess);
        dump(path, &preprocess);
    }
    return 0;
}
