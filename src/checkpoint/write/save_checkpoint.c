/* SPDX-License-Identifier: MIT */
/* Saves a checkpoint in another format: vgg_checkpoint_save. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "checkpoint/write/pth_writer.h"
#include "checkpoint/write/safetensors_writer.h"

/* Whether a path has this extension, and something before it. */
static bool has_extension(const char *path, const char *extension)
{
    const size_t length = strlen(path);
    return length > strlen(extension) && vgg_ends_with(path, length, extension);
}

/* The description's path: that of the file with another extension, .json. NULL without memory. */
static char *path_beside(const char *path, const struct vgg_allocator *allocator)
{
    static const char extension[] = ".json";
    const size_t stem = (size_t)(strrchr(path, '.') - path);
    char *beside = vgg_mem_alloc(allocator, stem + sizeof extension, 1);
    if (beside != NULL) {
        memcpy(beside, path, stem);
        memcpy(beside + stem, extension, sizeof extension);
    }
    return beside;
}

/* Writes the description of a packed file beside the checkpoint, where it is found when the checkpoint is opened. A
 * different file in its place is not overwritten; it would describe the net wrongly. */
static vgg_status save_description(const vgg_checkpoint *checkpoint, const char *path,
                                   struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(&checkpoint->context);
    const size_t size = checkpoint->description_bytes;
    struct vgg_outfile out;
    struct vgg_file file;
    char *beside = path_beside(path, allocator);
    if (beside == NULL) {
        return vgg_fail_memory(err, path, strlen(path), "a path");
    }
    vgg_status status = vgg_file_read(beside, (uint64_t)size + 1, allocator, &file, NULL);
    bool there = status == VGG_OK && file.size == size &&
                 memcmp(file.data, checkpoint->description, size) == 0;
    if (status == VGG_OK) {
        vgg_file_close(&file);
    }
    if (!there && access(beside, F_OK) == 0) {
        status = vgg_fail(err, VGG_ERR_IO,
                          "%s: exists already, and would describe %s as another net: move it away",
                          beside, path);
    } else if (!there) {
        status = vgg_outfile_open(beside, allocator, &out, err);
        if (status == VGG_OK) {
            vgg_outfile_write(&out, checkpoint->description, size);
            status = vgg_outfile_commit(&out, err);
        }
    }
    vgg_mem_free(allocator, beside);
    return status;
}

static vgg_status check_plain(const vgg_checkpoint *checkpoint, struct vgg_error *err)
{
    for (size_t i = 0; i < checkpoint->dict.count; i++) {
        const struct vgg_tensor *tensor = &checkpoint->dict.tensors[i];
        if (tensor->layout == VGG_LAYOUT_PREPACKED) {
            return vgg_fail_hint(err, VGG_ERR_UNSUPPORTED, VGG_HINT_PACK,
                                 "%s: %.*s: expected plain weights, got only weights prepacked for "
                                 "some instruction sets",
                                 checkpoint->path, VGG_SHOWN_TEXT(tensor->name, 200));
        }
    }
    return VGG_OK;
}

vgg_status vgg_checkpoint_save(const vgg_checkpoint *checkpoint, const char *path,
                               struct vgg_error *err)
{
    struct vgg_outfile out;
    if (path == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_save: path is NULL");
    }
    const bool pth = has_extension(path, ".pth") || has_extension(path, ".pt");
    if (!pth && !has_extension(path, ".safetensors")) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: expected a name that ends in .pth, .pt or .safetensors", path);
    }
    vgg_status status = check_plain(checkpoint, err);
    if (status == VGG_OK && checkpoint->description != NULL) {
        status = save_description(checkpoint, path, err);
    }
    if (status == VGG_OK) {
        status = vgg_outfile_open(path, vgg_allocator_of(&checkpoint->context), &out, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    status =
        pth ? vgg_write_pth(checkpoint, &out, err) : vgg_write_safetensors(checkpoint, &out, err);
    if (status != VGG_OK) {
        vgg_outfile_abort(&out);
        return status;
    }
    return vgg_outfile_commit(&out, err);
}
