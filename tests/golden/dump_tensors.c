/* SPDX-License-Identifier: MIT */
/* Prints a checkpoint's tensors for tests/golden/checkpoints.py and contents.py:
 *   # CONTAINER KEY PREFIX CLASS
 * with "-" for what is empty, and one line per tensor,
 *   NAME DTYPE SHAPE CONTIGUOUS FILE_OFFSET HASH
 * with the shape as "2x3" ("-" when it has no dimensions) and the hash (64-bit FNV-1a) of the row-major
 * float32 values' bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vgg/checkpoint.h"

static uint64_t hash_bytes(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3u;
    }
    return hash;
}

static int print_tensor(const struct vgg_tensor *tensor)
{
    size_t count = (size_t)vgg_tensor_get_count(tensor);
    float *values = malloc((count > 0 ? count : 1) * sizeof *values);
    if (values == NULL) {
        return EXIT_FAILURE;
    }
    vgg_tensor_read_f32(tensor, values);
    printf("%s %s ", tensor->name, vgg_dtype_string(tensor->dtype));
    for (int i = 0; i < tensor->ndim; i++) {
        printf("%s%" PRId64, i > 0 ? "x" : "", tensor->shape[i]);
    }
    printf("%s %s %" PRId64 " %016" PRIx64 "\n", tensor->ndim == 0 ? "-" : "",
           vgg_tensor_is_contiguous(tensor) ? "contiguous" : "strided",
           (int64_t)tensor->file_offset, hash_bytes(values, count * sizeof *values));
    free(values);
    return EXIT_SUCCESS;
}

static const char *or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "-";
}

int main(int argc, char **argv)
{
    vgg_checkpoint *checkpoint;
    static struct vgg_error err;
    int status = EXIT_SUCCESS;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: dump_tensors CHECKPOINT [KEY]\n");
        return 2;
    }
    const struct vgg_checkpoint_options options = {.key = argv[2]};
    if (vgg_checkpoint_open_with(argv[1], &options, NULL, &checkpoint, &err) != VGG_OK) {
        fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
    }
    printf("# %s %s %s %s\n", vgg_container_string(vgg_checkpoint_get_container(checkpoint)),
           or_dash(vgg_checkpoint_get_key(checkpoint)),
           or_dash(vgg_checkpoint_get_prefix(checkpoint)),
           or_dash(vgg_checkpoint_get_class(checkpoint)));
    for (size_t i = 0; status == EXIT_SUCCESS && i < vgg_checkpoint_get_tensor_count(checkpoint);
         i++) {
        status = print_tensor(vgg_checkpoint_get_tensor(checkpoint, i));
    }
    vgg_checkpoint_close(checkpoint);
    return status;
}
