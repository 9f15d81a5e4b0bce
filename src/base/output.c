/* SPDX-License-Identifier: MIT */
/* The files of programs: vgg/file.h. */
#include "vgg/file.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/outfile.h"

vgg_status vgg_small_file_read(const char *path, uint64_t max_bytes, char **bytes, size_t *size,
                               struct vgg_error *err)
{
    struct vgg_file file;
    *bytes = NULL;
    *size = 0;
    vgg_status status = vgg_file_read_regular(path, max_bytes, NULL, &file, err);
    if (status != VGG_OK) {
        return status;
    }
    /* Without an allocator memory is malloc's. A file that is read whole leaves a byte for the 0: its end was seen. */
    *bytes = (char *)file.data;
    (*bytes)[file.size] = '\0';
    *size = file.size;
    return VGG_OK;
}

struct vgg_output {
    struct vgg_outfile file;
    char path[];
};

vgg_status vgg_output_open(const char *path, enum vgg_output_use use, vgg_output **out,
                           struct vgg_error *err)
{
    const size_t bytes = strlen(path) + 1;
    *out = NULL;
    vgg_output *output = malloc(sizeof *output + bytes);
    if (output == NULL) {
        return vgg_fail_memory(err, path, sizeof *output + bytes, "writing");
    }
    memcpy(output->path, path, bytes);
    vgg_status status = vgg_outfile_open(
        output->path, use == VGG_OUTPUT_SEEKABLE ? VGG_OUTFILE_PATCH : VGG_OUTFILE_APPEND, NULL,
        &output->file, err);
    if (status != VGG_OK) {
        free(output);
        return status;
    }
    *out = output;
    return VGG_OK;
}

int vgg_output_get_descriptor(const vgg_output *output)
{
    return output->file.fd;
}

int vgg_output_is_replaced(const vgg_output *output)
{
    return output->file.temporary != NULL;
}

vgg_status vgg_output_commit(vgg_output *output, struct vgg_error *err)
{
    vgg_status status = vgg_outfile_commit(&output->file, err);
    free(output);
    return status;
}

void vgg_output_abort(vgg_output *output)
{
    if (output != NULL) {
        vgg_outfile_abort(&output->file);
        free(output);
    }
}
