/* SPDX-License-Identifier: MIT */
/* Decode and preprocess many images for tests/golden/images.py, in one process.
 *
 *     dump_image < LIST > RESULTS
 *
 * Each line of LIST is "PRESET PATH". RESULTS has for each line three native 32-bit integers and what
 * they announce:
 *     0, width, height     uint8 [height][width][3] after the crop, float32 [3][height][width]
 *     status, length, 0    the message, length bytes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vgg/image.h>

static void write_all(const void *data, size_t bytes, size_t count)
{
    if (fwrite(data, bytes, count, stdout) != count) {
        perror("dump_image: cannot write");
        exit(2);
    }
}

static vgg_status dump(const char *preset, const char *path, struct vgg_error *err)
{
    struct vgg_preprocess preprocess;
    struct vgg_image image = {0}, crop = {0};
    vgg_image_file *file = NULL;
    float *tensor = NULL;
    int width, height;
    vgg_status status = vgg_preprocess_find(preset, &preprocess, err);
    if (status != VGG_OK || (status = vgg_image_open(path, NULL, &image, err)) != VGG_OK) {
        return status;
    }
    if ((status = vgg_preprocess_get_size(&preprocess, image.width, image.height, NULL, &width,
                                          &height, err)) != VGG_OK ||
        (status = vgg_image_crop(&image, &preprocess, NULL, &crop, err)) != VGG_OK) {
        goto done;
    }
    size_t pixels = (size_t)width * (size_t)height;
    tensor = malloc(pixels * 3 * sizeof *tensor);
    if (tensor == NULL) {
        perror("dump_image");
        exit(2);
    }
    /* The crop is made of all pixels, the tensor without them. */
    if ((status = vgg_image_file_open(path, NULL, &file, err)) != VGG_OK ||
        (status = vgg_image_file_to_tensor(file, &preprocess, tensor, err)) != VGG_OK) {
        goto done;
    }
    const int32_t head[3] = {0, crop.width, crop.height};
    write_all(head, sizeof head, 1);
    write_all(crop.rgb, 3, pixels);
    write_all(tensor, 3 * sizeof *tensor, pixels);
done:
    free(tensor);
    vgg_image_file_close(file);
    vgg_image_destroy(&crop);
    vgg_image_destroy(&image);
    return status;
}

int main(void)
{
    char line[8192];
    static struct vgg_error err;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *path = strchr(line, ' ');
        if (path == NULL) {
            fprintf(stderr, "dump_image: expected PRESET PATH, found %s\n", line);
            return 2;
        }
        *path++ = '\0';
        if (dump(line, path, &err) != VGG_OK) {
            const int32_t head[3] = {(int32_t)err.code, (int32_t)strlen(err.message), 0};
            write_all(head, sizeof head, 1);
            write_all(err.message, 1, strlen(err.message));
        }
    }
    return 0;
}
