/* SPDX-License-Identifier: MIT */
/* Saves a checkpoint in another format: vgg_checkpoint_save. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "checkpoint/tensor/extent.h"
#include "checkpoint/write/elements.h"
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

/* A checkpoint that is being written, and the description beside it. */
struct saving {
    const vgg_checkpoint *checkpoint;
    const char *path;
    char *beside; /* the description's path; NULL: none is written */
    struct vgg_outfile out, description;
};

/* Whether the description is there already. A different file in its place is not overwritten; it would describe the net
 * wrongly. */
static vgg_status find_description(struct saving *saving, bool *found, struct vgg_error *err)
{
    const vgg_checkpoint *checkpoint = saving->checkpoint;
    const size_t size = checkpoint->description_bytes;
    struct vgg_file file;
    *found = false;
    if (vgg_file_read_regular(saving->beside, (uint64_t)size + 1,
                              vgg_allocator_of(&checkpoint->context), &file, NULL) == VGG_OK) {
        *found = file.size == size && memcmp(file.data, checkpoint->description, size) == 0;
        vgg_file_close(&file);
    }
    return *found || access(saving->beside, F_OK) != 0
               ? VGG_OK
               : vgg_fail(err, VGG_ERR_IO,
                          "%s: exists already, and would describe %s as another net: move it away",
                          saving->beside, saving->path);
}

/* Writes the description of a packed file to where it is found when the checkpoint is opened, without its name yet. */
static vgg_status write_description(struct saving *saving, struct vgg_error *err)
{
    const vgg_checkpoint *checkpoint = saving->checkpoint;
    const struct vgg_allocator *allocator = vgg_allocator_of(&checkpoint->context);
    bool found;
    saving->beside = path_beside(saving->path, allocator);
    if (saving->beside == NULL) {
        return vgg_fail_memory(err, saving->path, strlen(saving->path), "a path");
    }
    vgg_status status = find_description(saving, &found, err);
    if (status == VGG_OK && !found) {
        status = vgg_outfile_open(saving->beside, VGG_OUTFILE_APPEND, allocator,
                                  &saving->description, err);
    }
    if (status != VGG_OK || found) {
        vgg_mem_free(allocator, saving->beside);
        saving->beside = NULL;
        return status;
    }
    vgg_outfile_write(&saving->description, checkpoint->description, checkpoint->description_bytes);
    return vgg_outfile_sync(&saving->description, err);
}

/* Gives both files their names, once both are whole and on the disk: neither is left without the other. */
static vgg_status commit(struct saving *saving, struct vgg_error *err)
{
    vgg_status status = vgg_outfile_sync(&saving->out, err);
    if (status == VGG_OK && saving->beside != NULL) {
        status = vgg_outfile_commit(&saving->description, err);
    }
    if (status != VGG_OK) {
        vgg_outfile_abort(&saving->out);
        return status;
    }
    status = vgg_outfile_commit(&saving->out, err);
    if (status != VGG_OK && saving->beside != NULL) {
        unlink(saving->beside);
    }
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

/* Bounds what is written by the bytes that the tensors lie in: modules with two names have each tensor twice, but thousands
 * of views of one storage would become terabytes. */
static vgg_status check_repeated(const vgg_checkpoint *checkpoint, struct vgg_error *err)
{
    enum { NAMES_MAX = 4 }; /* of a tensor, all in all */
    const struct vgg_allocator *allocator = vgg_allocator_of(&checkpoint->context);
    const size_t count = checkpoint->dict.count;
    struct vgg_limits limits;
    uint64_t total = 0;
    vgg_limits_init(&limits);
    struct vgg_extent *extents = vgg_mem_alloc(allocator, count, sizeof *extents);
    if (extents == NULL) {
        return vgg_fail_memory(err, checkpoint->path, count * sizeof *extents, "the tensors");
    }
    /* The sum does not overflow: an element has 8 bytes at most, and their number a limit. */
    for (size_t i = 0; i < count; i++) {
        extents[i] = vgg_extent_of(&checkpoint->dict.tensors[i]);
        total += vgg_tensor_get_bytes(&checkpoint->dict.tensors[i]);
    }
    const uint64_t held = vgg_extents_count_bytes(extents, count);
    vgg_mem_free(allocator, extents);
    if (total / NAMES_MAX > held && total - NAMES_MAX * held > limits.repeated_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "%s: %" PRIu64 " bytes of tensors in %" PRIu64
                        " of the file: expected at most %d times as many, and %" PRIu64 " more",
                        checkpoint->path, total, held, NAMES_MAX, limits.repeated_bytes);
    }
    return VGG_OK;
}

static vgg_status write_all(struct saving *saving, bool pth, struct vgg_error *err)
{
    const vgg_checkpoint *checkpoint = saving->checkpoint;
    vgg_status status = vgg_outfile_open(saving->path, VGG_OUTFILE_PATCH,
                                         vgg_allocator_of(&checkpoint->context), &saving->out, err);
    if (status == VGG_OK && checkpoint->description != NULL) {
        status = write_description(saving, err);
    }
    if (status == VGG_OK) {
        status = pth ? vgg_write_pth(checkpoint, &saving->out, err)
                     : vgg_write_safetensors(checkpoint, &saving->out, err);
    }
    if (status == VGG_OK) {
        return commit(saving, err);
    }
    vgg_outfile_abort(&saving->description);
    vgg_outfile_abort(&saving->out);
    return status;
}

vgg_status vgg_checkpoint_save(const vgg_checkpoint *checkpoint, const char *path,
                               struct vgg_error *err)
{
    struct saving saving = {
        .checkpoint = checkpoint, .path = path, .out = {.fd = -1}, .description = {.fd = -1}};
    if (path == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_save: path is NULL");
    }
    const bool pth = has_extension(path, ".pth") || has_extension(path, ".pt");
    if (!pth && !has_extension(path, ".safetensors")) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: expected a name that ends in .pth, .pt or .safetensors", path);
    }
    vgg_status status = check_plain(checkpoint, err);
    status = status ? status : check_repeated(checkpoint, err);
    if (status == VGG_OK) {
        status = write_all(&saving, pth, err);
    }
    vgg_mem_free(vgg_allocator_of(&checkpoint->context), saving.beside);
    return status;
}
