/* Recognise a checkpoint by its content, never by its name; say what other files are. */
#include "checkpoint/container.h"

#include <inttypes.h>

#include "checkpoint/tar_members.h"

/* Files that people take for checkpoints, by bytes at a fixed place. */
static const struct {
    size_t offset;
    const char *bytes;
    size_t length;
    const char *what;
} strangers[] = {
#define MAGIC(bytes) bytes, sizeof(bytes) - 1
    {0, MAGIC("version https://git-lfs"),
     "a git-lfs pointer, not the file itself: run \"git lfs pull\""},
    {0, MAGIC("\x1f\x8b"), "compressed with gzip: unpack it first"},
    {0, MAGIC("BZh"), "compressed with bzip2: unpack it first"},
    {0, MAGIC("\3757zXZ"), "compressed with xz: unpack it first"},
    {0, MAGIC("\x28\xb5\x2f\xfd"), "compressed with zstd: unpack it first"},
    {0, MAGIC("7z\xbc\xaf\x27\x1c"), "a 7z archive: unpack it first"},
    {0, MAGIC("Rar!"), "a RAR archive: unpack it first"},
    {0, MAGIC("PK\5\6"), "an empty zip archive"},
    {257, MAGIC("ustar"), "the beginning of a tar archive: the file is truncated"},
    {0, MAGIC("PYTORCH1"), "a checkpoint of a PyTorch 1.0 preview, which is not supported"},
    {0, MAGIC("\x89HDF\r\n\x1a\n"), "an HDF5 file (Keras?), not a PyTorch checkpoint"},
    {0, MAGIC("\x93NUMPY"), "a NumPy array, not a PyTorch checkpoint"},
    {0, MAGIC("GGUF"), "a GGUF model, not a PyTorch checkpoint"},
    {0, MAGIC("\x89PNG"), "a PNG picture, expected a checkpoint"},
    {0, MAGIC("\xff\xd8\xff"), "a JPEG picture, expected a checkpoint"},
    {0, MAGIC("%PDF"), "a PDF document, expected a checkpoint"},
    {0, MAGIC("\177ELF"), "a program or library, expected a checkpoint"},
#undef MAGIC
};

static bool has_bytes(const struct vgg_file *file, size_t offset, const char *bytes, size_t length)
{
    return file->size >= offset && file->size - offset >= length &&
           memcmp(file->data + offset, bytes, length) == 0;
}

/* ONNX is protobuf without a magic number: field 1 (version) a small number, field 2 (producer) a
 * short text. */
static bool is_onnx(const struct vgg_file *file)
{
    return file->size > 16 && file->data[0] == 0x08 && file->data[1] < 0x20 &&
           file->data[2] == 0x12 && file->data[3] < 0x40;
}

static bool is_markup(const struct vgg_file *file)
{
    size_t i = 0;
    while (i < file->size && i < 64 && memchr(" \t\r\n\xef\xbb\xbf", file->data[i], 7) != NULL) {
        i++;
    }
    return i < file->size && file->data[i] == '<';
}

static const char *describe(const struct vgg_file *file)
{
    if (file->size == 0) {
        return "the file is empty";
    }
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        if (has_bytes(file, strangers[i].offset, strangers[i].bytes, strangers[i].length)) {
            return strangers[i].what;
        }
    }
    if (is_markup(file)) {
        return "an HTML or XML page, not a checkpoint: the download went wrong";
    }
    if (is_onnx(file)) {
        return "an ONNX model, not a PyTorch checkpoint";
    }
    if (file->data[0] == 0x80 && (file->size < 2 || file->data[1] <= 5)) {
        return file->size < 32 ? "the beginning of a pickle: the file is truncated"
                               : "a bare pickle, not written by torch.save";
    }
    return "not a PyTorch checkpoint (neither a zip nor a legacy stream nor safetensors)";
}

vgg_status vgg_archive_open(struct vgg_archive *archive, struct vgg_error *err)
{
    if (has_bytes(archive->file, 0, "PK\3\4", 4)) {
        return vgg_zip_open(archive, err);
    }
    if (vgg_tar_is(archive)) {
        return vgg_tar_open(archive, err);
    }
    bool is_legacy;
    vgg_status status = vgg_legacy_is(archive, &is_legacy, err);
    if (status != VGG_OK || is_legacy) {
        return status == VGG_OK ? vgg_legacy_open(archive, err) : status;
    }
    if (vgg_safetensors_is(archive)) {
        return vgg_safetensors_open(archive, err);
    }
    return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: %s", archive->path, describe(archive->file));
}

vgg_status vgg_archive_read(struct vgg_archive *archive, struct vgg_pickle *out,
                            struct vgg_storages *storages, struct vgg_error *err)
{
    if (archive->read != NULL) {
        return archive->read(archive, out, storages, err);
    }
    vgg_status status =
        vgg_pickle_read(&archive->pickle, archive->limits, archive->arena, out, err);
    if (status != VGG_OK) {
        return status;
    }
    return vgg_storages_collect(out, archive->path, archive->arena, storages, err);
}

vgg_status vgg_archive_locate(struct vgg_archive *archive, size_t pickle_bytes,
                              struct vgg_storages *storages, struct vgg_error *err)
{
    return archive->locate != NULL ? archive->locate(archive, pickle_bytes, storages, err) : VGG_OK;
}

void vgg_archive_close(struct vgg_archive *archive)
{
    if (archive->close != NULL) {
        archive->close(archive);
    }
    archive->close = NULL;
}

vgg_status vgg_archive_read_plain(const struct vgg_archive *archive, uint64_t opcodes,
                                  size_t *offset, size_t end, const struct vgg_value **out,
                                  struct vgg_error *err)
{
    struct vgg_pickle pickle;
    struct vgg_limits limits = *archive->limits;
    limits.pickle_opcodes =
        opcodes < limits.pickle_opcodes ? (uint32_t)opcodes : limits.pickle_opcodes;
    struct vgg_pickle_source source = {.path = archive->path,
                                       .data = archive->file->data + *offset,
                                       .size = end - *offset,
                                       .file_offset = *offset};
    vgg_status status = vgg_pickle_read(&source, &limits, archive->arena, &pickle, err);
    if (status != VGG_OK) {
        return status;
    }
    if (pickle.persistent_count > 0) {
        return vgg_fail_at(err, VGG_ERR_FORMAT, *offset, "%s: storages in the stream's header",
                           archive->path);
    }
    *offset += pickle.size;
    *out = pickle.root;
    return VGG_OK;
}

vgg_status vgg_fail_truncated(const struct vgg_archive *archive, uint64_t expected, bool exact,
                              struct vgg_error *err)
{
    const uint64_t mega = 1 << 20; /* as torchvision counts its files' sizes */
    uint64_t found = archive->file->size;
    const char *about = exact ? "" : "about ";
    if (expected < 10 * mega) {
        return vgg_fail(err, VGG_ERR_FORMAT, "%s: truncated: %" PRIu64 " of %s%" PRIu64 " bytes",
                        archive->path, found, about, expected);
    }
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: truncated: %" PRIu64 " of %s%" PRIu64 " MB",
                    archive->path, found / mega, about, (expected + mega / 2) / mega);
}
