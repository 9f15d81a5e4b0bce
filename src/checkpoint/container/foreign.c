/* SPDX-License-Identifier: MIT */
/* Recognises files that are given instead of checkpoints. Every message says what the file is and what to do. */
#include "checkpoint/container/foreign.h"

#define NOT_PYTORCH "not a PyTorch checkpoint"
#define EXPORTED                                                                                   \
    "a program of torch.export (.pt2), which is not supported: save the state_dict() of the "      \
    "model that it was exported from"

/* Signatures at a fixed offset. */
static const struct {
    size_t offset;
    const char *bytes;
    size_t length;
    const char *what;
} magics[] = {
#define MAGIC(bytes) bytes, sizeof(bytes) - 1
    {0, MAGIC("version https://git-lfs"),
     "a git-lfs pointer, not the file itself: run \"git lfs pull\""},
    {0, MAGIC("\x1f\x8b"), "compressed with gzip: unpack it first"},
    {0, MAGIC("BZh"), "compressed with bzip2: unpack it first"},
    {0, MAGIC("\3757zXZ"), "compressed with xz: unpack it first"},
    {0, MAGIC("\x28\xb5\x2f\xfd"), "compressed with zstd: unpack it first"},
    {0, MAGIC("7z\xbc\xaf\x27\x1c"), "a 7z archive: unpack it first"},
    {0, MAGIC("Rar!"), "a RAR archive: unpack it first"},
    {0, MAGIC("PK\5\6"), "an empty zip archive: download or save it again"},
    {257, MAGIC("ustar"), "the beginning of a tar archive: the file is truncated"},
    {0, MAGIC("PYTORCH1"),
     "a checkpoint of a PyTorch 1.0 preview, which is not supported: save it with a release"},
    {0, MAGIC("\x89HDF\r\n\x1a\n"),
     "an HDF5 file (Keras?), " NOT_PYTORCH ": convert it to a state dict first"},
    {0, MAGIC("\x93NUMPY"), "a NumPy array, " NOT_PYTORCH ": save tensors with torch.save"},
    {0, MAGIC("GGUF"), "a GGUF model, " NOT_PYTORCH ": use the model that it was made from"},
    {0, MAGIC("lmgg"), "a GGML model, " NOT_PYTORCH ": use the model that it was made from"},
    {4, MAGIC("TFL3"),
     "a TensorFlow Lite model, " NOT_PYTORCH ": use the model that it was made from"},
    {4, MAGIC("PTMF"),
     "a PyTorch Mobile model, which is not supported: save model.state_dict() instead"},
    {4, MAGIC("ET12"),
     "an ExecuTorch program, which is not supported: save model.state_dict() instead"},
    {0, MAGIC("MATLAB 5.0 MAT-file"),
     "a MATLAB file, " NOT_PYTORCH ": convert it to a state dict first"},
    {0, MAGIC("\4\0\0\0\1\0\0\0\3\0\0\0V 1"),
     "a Torch7 file (.t7) of Lua's Torch, " NOT_PYTORCH ": convert it to a state dict first"},
    {0, MAGIC("\3\0\0\0\1\0\0\0"),
     "a Torch7 file (.t7) of Lua's Torch, " NOT_PYTORCH ": convert it to a state dict first"},
    {0, MAGIC("4\n1\n3\nV 1\n"),
     "a Torch7 file (.t7) of Lua's Torch, " NOT_PYTORCH ": convert it to a state dict first"},
    {0, MAGIC("\x89PNG"), "a PNG image, expected a checkpoint"},
    {0, MAGIC("\xff\xd8\xff"), "a JPEG image, expected a checkpoint"},
    {0, MAGIC("%PDF"), "a PDF document, expected a checkpoint"},
    {0, MAGIC("\177ELF"), "a program or library, expected a checkpoint"},
    {0, MAGIC("{"), "a JSON text, expected a checkpoint"},
#undef MAGIC
};

/* ONNX is protobuf without a magic number: field 1 (version) a small number, field 2 (producer) a
 * short text. */
static bool is_onnx(const struct vgg_archive *archive)
{
    return archive->head_bytes > 16 && archive->head[0] == 0x08 && archive->head[1] < 0x20 &&
           archive->head[2] == 0x12 && archive->head[3] < 0x40;
}

/* Caffe models are protobuf, too: field 1 (name) a short text, then a layer (field 2 or 100) or the input
 * (field 3). */
static bool is_caffe(const struct vgg_archive *archive)
{
    const uint8_t *data = archive->head;
    if (archive->head_bytes < 80 || data[0] != 0x0a || data[1] == 0 || data[1] >= 0x40) {
        return false;
    }
    for (size_t i = 2; i < 2 + (size_t)data[1]; i++) {
        if (data[i] < ' ' || data[i] > '~') {
            return false;
        }
    }
    const uint8_t *next = data + 2 + data[1];
    return next[0] == 0x12 || next[0] == 0x1a || (next[0] == 0xa2 && next[1] == 0x06);
}

static bool is_markup(const struct vgg_archive *archive)
{
    size_t i = 0;
    while (i < archive->head_bytes && i < 64 &&
           memchr(" \t\r\n\xef\xbb\xbf", archive->head[i], 7) != NULL) {
        i++;
    }
    return i < archive->head_bytes && archive->head[i] == '<';
}

/* A file whose space was allocated and never written, as by an interrupted download. */
static bool is_zero(const struct vgg_archive *archive)
{
    for (size_t i = 0; i < archive->head_bytes; i++) {
        if (archive->head[i] != 0) {
            return false;
        }
    }
    return true;
}

/* A phrase for "vgg16.pth: …"; never NULL. */
static const char *describe(const struct vgg_archive *archive)
{
    if (archive->head_bytes == 0) {
        return "the file is empty: download or save it again";
    }
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (archive->head_bytes >= magics[i].offset &&
            archive->head_bytes - magics[i].offset >= magics[i].length &&
            memcmp(archive->head + magics[i].offset, magics[i].bytes, magics[i].length) == 0) {
            return magics[i].what;
        }
    }
    if (is_markup(archive)) {
        return "an HTML or XML page, not a checkpoint: the download went wrong";
    }
    if (is_onnx(archive)) {
        return "an ONNX model, " NOT_PYTORCH ": use the model that it was exported from";
    }
    if (is_caffe(archive)) {
        return "a Caffe model, " NOT_PYTORCH ": convert it to a state dict first";
    }
    if (archive->head[0] == 0x80 && (archive->head_bytes < 2 || archive->head[1] <= 5)) {
        return archive->head_bytes < 32
                   ? "the beginning of a pickle: the file is truncated"
                   : "a bare pickle, not written by torch.save: save with torch.save";
    }
    if (is_zero(archive)) {
        return "begins with zeros, " NOT_PYTORCH ": download or save it again";
    }
    return NOT_PYTORCH " (no zip, legacy stream, tar or safetensors)";
}

vgg_status vgg_foreign_fail(const struct vgg_archive *archive)
{
    const bool json = archive->head_bytes > 0 && archive->head[0] == '{';
    return vgg_fail_hint(archive->load.err, VGG_ERR_UNSUPPORTED,
                         json ? VGG_HINT_SPEC : VGG_HINT_NONE, "%s: %s", archive->load.path,
                         describe(archive));
}

/* ---- zip archives ---- */

vgg_status vgg_foreign_fail_zip(const struct vgg_archive *archive,
                                const struct vgg_zip_directory *directory)
{
    /* By the end of a member's name; the most specific kind first. */
    static const struct {
        const char *end, *what;
    } kinds[] = {
        {"serialized_exported_program.json", EXPORTED},
        {"archive_format", EXPORTED},
        {"models/model.json", EXPORTED},
        {"model.json", "a TorchScript archive of PyTorch 1.0 or 1.1, which is not supported: save "
                       "model.state_dict() instead"},
        {"[Content_Types].xml", "an Office document, expected a checkpoint"},
        {"META-INF/MANIFEST.MF", "a Java archive, expected a checkpoint"},
        {"AndroidManifest.xml", "an Android app, expected a checkpoint"},
        {"model.weights.h5", "a Keras model, " NOT_PYTORCH ": convert it to a state dict first"},
    };
    static const char *const checkpoints[] = {".pth",         ".pt",  ".pth.tar", ".ckpt", ".bin",
                                              ".safetensors", ".pkl", ".tar",     ".onnx", ".h5"};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < directory->count; i++) {
            if (vgg_span_ends_with(directory->members[i].name, kinds[k].end)) {
                return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED, "%s: %s",
                                archive->load.path, kinds[k].what);
            }
        }
    }
    for (size_t k = 0; k < sizeof checkpoints / sizeof checkpoints[0]; k++) {
        for (size_t i = 0; i < directory->count; i++) {
            struct vgg_span name = directory->members[i].name;
            if (vgg_span_ends_with(name, checkpoints[k]) && !vgg_span_equals(name, "data.pkl")) {
                return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                                "%s: a zip archive that holds %.*s: unpack it first",
                                archive->load.path, VGG_SHOWN(name.bytes, name.length, 200));
            }
        }
    }
    bool arrays = directory->count > 0;
    for (size_t i = 0; i < directory->count && arrays; i++) {
        arrays = vgg_span_ends_with(directory->members[i].name, ".npy");
    }
    if (arrays) {
        return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                        "%s: NumPy arrays (.npz), " NOT_PYTORCH ": save tensors with torch.save",
                        archive->load.path);
    }
    struct vgg_span first = directory->first_name;
    return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                    "%s: a zip archive without FOLDER/data.pkl (it begins with \"%.*s\"), "
                    "" NOT_PYTORCH,
                    archive->load.path, VGG_SHOWN(first.bytes, first.length, 200));
}
