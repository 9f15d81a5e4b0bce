/* SPDX-License-Identifier: MIT */
/* Writes a packed file: the description at its end, and the whole file or nothing. */
#include "pack/pack_file.h"

#include "model/spec/write_spec.h"

vgg_status vgg_pack_file_open(struct vgg_pack_file *file, const char *path,
                              const struct vgg_spec *spec, const struct vgg_context *context,
                              struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(context);
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    *file =
        (struct vgg_pack_file){.path = path, .description = {.ok = true, .allocator = allocator}};
    vgg_spec_write(spec, VGG_SPEC_COMPACT, &file->description);
    vgg_status status = VGG_OK;
    if (file->description.size > limits.json_bytes) { /* readers would refuse it */
        status = vgg_fail(err, VGG_ERR_LIMIT,
                          "%s: the description and labels have %zu bytes, limit is %llu", path,
                          file->description.size, (unsigned long long)limits.json_bytes);
    }
    if (status == VGG_OK) {
        status = vgg_outfile_open(path, VGG_OUTFILE_PATCH, allocator, &file->out, err);
    }
    if (status != VGG_OK) {
        vgg_mem_free(allocator, file->description.data);
        return status;
    }
    vgg_packed_begin(&file->writer, &file->out, allocator);
    return VGG_OK;
}

vgg_status vgg_pack_file_close(struct vgg_pack_file *file, vgg_status status, struct vgg_error *err)
{
    const bool good =
        vgg_packed_finish(&file->writer, status == VGG_OK ? &file->description : NULL);
    if (status == VGG_OK && !good) {
        status = vgg_fail_memory(err, file->path, file->description.size, "the description");
    }
    if (status == VGG_OK) {
        status = vgg_outfile_commit(&file->out, err);
    } else {
        vgg_outfile_abort(&file->out);
    }
    vgg_mem_free(file->description.allocator, file->description.data);
    return status;
}
