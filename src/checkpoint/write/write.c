/* The public face of writing: a checkpoint's tensors into a file of another format. */
#include "checkpoint/write/write.h"

#include <unistd.h>

#include "checkpoint/tensor/layout.h"

static void put_elements(const uint8_t *data, int64_t count, int64_t stride_bytes, size_t bytes,
                         bool swap, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++, data += stride_bytes, out += bytes) {
        for (size_t b = 0; b < bytes; b++) {
            out[b] = data[swap ? bytes - 1 - b : b];
        }
    }
}

void vgg_tensor_write(const struct vgg_tensor *tensor, vgg_bytes_fn *fn, void *user)
{
    enum { PIECE_BYTES = 8192 };
    uint8_t piece[PIECE_BYTES];
    const size_t bytes = vgg_dtype_get_bytes(tensor->dtype);
    const int64_t total = vgg_tensor_get_count(tensor);
    const bool big = tensor->swapped == vgg_host_is_little();
    const bool contiguous = vgg_tensor_is_contiguous(tensor);
    if (contiguous && (!big || bytes == 1)) {
        fn(user, tensor->data, (size_t)total * bytes);
        return;
    }
    if (tensor->layout != VGG_LAYOUT_ROWS) {
        const int64_t most = PIECE_BYTES / (int64_t)bytes;
        for (int64_t at = 0; at < total; at += most) {
            const int64_t count = total - at < most ? total - at : most;
            for (int64_t i = 0; i < count; i++) {
                put_elements(vgg_tensor_get_address(tensor, at + i), 1, 0, bytes, big,
                             piece + (size_t)i * bytes);
            }
            fn(user, piece, (size_t)count * bytes);
        }
        return;
    }
    /* A contiguous tensor is one row; else the last dimension makes the rows. */
    const int last = tensor->ndim - 1;
    const int64_t row = contiguous ? total : tensor->shape[last];
    const int64_t stride = (contiguous ? 1 : tensor->stride[last]) * (int64_t)bytes;
    const int64_t most = PIECE_BYTES / (int64_t)bytes;
    int64_t index[VGG_MAX_DIMS] = {0};
    int64_t offset = 0; /* of the row, in elements */
    for (int64_t done = 0; done < total; done += row) {
        const uint8_t *data = (const uint8_t *)tensor->data + offset * (int64_t)bytes;
        for (int64_t at = 0; at < row; at += most) {
            const int64_t count = row - at < most ? row - at : most;
            put_elements(data + at * stride, count, stride, bytes, big, piece);
            fn(user, piece, (size_t)count * bytes);
        }
        vgg_tensor_next_row(tensor, index, &offset);
    }
}

void vgg_bytes_add(struct vgg_bytes *bytes, const void *data, size_t count)
{
    if (count > bytes->capacity - bytes->size && bytes->ok) {
        const size_t capacity = 2 * (bytes->size + count);
        uint8_t *grown = vgg_mem_grow(bytes->allocator, bytes->data, bytes->size, capacity);
        bytes->ok = grown != NULL;
        if (bytes->ok) {
            bytes->data = grown;
            bytes->capacity = capacity;
        }
    }
    if (bytes->ok && count > 0) {
        memcpy(bytes->data + bytes->size, data, count);
        bytes->size += count;
    }
}

void vgg_bytes_add_le(struct vgg_bytes *bytes, uint64_t value, unsigned count)
{
    uint8_t little[8];
    for (unsigned i = 0; i < count; i++) {
        little[i] = (uint8_t)(value >> (8 * i));
    }
    vgg_bytes_add(bytes, little, count);
}

void vgg_bytes_add_string(struct vgg_bytes *json, const char *text)
{
    vgg_bytes_add(json, "\"", 1);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            vgg_bytes_add(json, "\\", 1);
        }
        vgg_bytes_add(json, p, 1);
    }
    vgg_bytes_add(json, "\"", 1);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
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

/* Writes the description that a packed file has, where the net would be looked up. Another one in its place
 * is somebody's, and would describe the net wrongly. */
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
        status =
            vgg_fail(err, VGG_ERR_IO,
                     "%s: is there already, and would describe %s as another net: move it away",
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
        if (tensor->layout == VGG_LAYOUT_PREPARED) {
            return vgg_fail(
                err, VGG_ERR_UNSUPPORTED,
                "%s: %.200s: there only in the order of some CPUs' kernels; a file packed "
                "with --for any has it plain, too",
                checkpoint->path, tensor->name);
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
    const bool pth = ends_with(path, ".pth") || ends_with(path, ".pt");
    if (!pth && !ends_with(path, ".safetensors")) {
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
