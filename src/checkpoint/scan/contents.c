/* SPDX-License-Identifier: MIT */
/* Recognises what a part of the file is. The same bytes can be several things to several readers, so that none of them
 * excludes another. */
#include "checkpoint/scan/contents.h"

#include "base/cursor.h"
#include "checkpoint/container/foreign.h"
#include "checkpoint/container/packed.h"
#include "checkpoint/container/safetensors.h"
#include "checkpoint/scan/inflate.h"
#include "checkpoint/scan/streams.h"
#include "checkpoint/scan/tar_view.h"
#include "checkpoint/scan/zip_view.h"

static bool begins(const struct vgg_scan_item *item, const char *bytes, size_t length)
{
    return item->size >= length && memcmp(item->data, bytes, length) == 0;
}

/* Formats that are not unpacked here. */
static const char *packed_kind(const struct vgg_scan_item *item)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *kind;
    } kinds[] = {
#define KIND(bytes, kind) {bytes, sizeof(bytes) - 1, kind}
        KIND("\xfd"
             "7zXZ\0",
             "xz"),
        KIND("\x28\xb5\x2f\xfd", "zstd"),
        KIND("7z\xbc\xaf\x27\x1c", "7z"),
        KIND("Rar!\x1a\x07", "RAR"),
        KIND("\x04\x22\x4d\x18", "LZ4"),
        KIND("\x5d\0\0\x80\0", "LZMA"),
        KIND("LZIP", "lzip"),
#undef KIND
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (begins(item, kinds[i].bytes, kinds[i].length)) {
            return kinds[i].kind;
        }
    }
    /* "BZh" alone stands at the beginning of too many other bytes. */
    const bool bzip2 = begins(item, "BZh", 3) && item->size > 10 &&
                       (memcmp(item->data + 4, "1AY&SY", 6) == 0 ||
                        memcmp(item->data + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
    return bzip2 ? "bzip2" : NULL;
}

/* zlib's or gzip's stream, as joblib writes. */
static bool scan_compressed(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    static const char name[] = "unpacked";
    const bool gzip = begins(item, "\x1f\x8b\x08", 3);
    const bool zlib = item->size > 6 && (item->data[0] & 0x8f) == 0x08 &&
                      (item->data[1] & 0x20) == 0 && (item->data[0] << 8 | item->data[1]) % 31 == 0;
    struct vgg_scan_item inner = *item;
    if (!gzip && !zlib) {
        return false;
    }
    vgg_scan_inflate(job, item, VGG_INFLATE_ZLIB_OR_GZIP, job->load->limits->pickle_bytes, &inner);
    if (inner.data == NULL) {
        if (gzip && job->status == VGG_OK) {
            vgg_scan_unread(job, item, 0, "a gzip stream that cannot be unpacked");
        }
        return gzip;
    }
    inner.whole_size = UINT64_MAX;
    inner.compressed = item->depth == 0 || item->compressed;
    vgg_scan_push(job, item, inner, (struct vgg_span){name, sizeof name - 1});
    return true;
}

/* The array of a .npy file; of objects it is a pickle. */
static bool scan_array(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    struct vgg_cursor in = vgg_cursor_make(item->data, item->size);
    if (!begins(item, "\x93NUMPY", 6)) {
        return false;
    }
    vgg_cursor_take(&in, 6);
    const uint64_t version = vgg_cursor_le(&in, 1);
    vgg_cursor_take(&in, 1);
    const uint64_t length = vgg_cursor_le(&in, version == 1 ? 2 : 4);
    const uint8_t *header = vgg_cursor_take(&in, length);
    if (header == NULL) {
        vgg_scan_unread(job, item, 0, "a NumPy array whose header is truncated");
        return true;
    }
    vgg_scan_pickles(job, item, in.offset, memmem(header, (size_t)length, "|O", 2) != NULL);
    return true;
}

/* An item as what recognises containers wants it, with a copy of its first bytes. */
struct opened {
    struct vgg_file file;
    uint8_t head[VGG_ARCHIVE_HEAD_BYTES];
    struct vgg_archive archive;
};

static void open_item(const struct vgg_scan_job *job, const struct vgg_scan_item *item,
                      struct opened *out)
{
    const size_t bytes = item->size < sizeof out->head ? item->size : sizeof out->head;
    vgg_file_borrow(item->data, item->size, &out->file);
    vgg_copy_changing(item->data, bytes, out->head);
    out->archive = (struct vgg_archive){
        .load = *job->load, .file = &out->file, .head = out->head, .head_bytes = bytes};
}

/* Files of which it is known that they hold no pickle. */
static bool is_plain_format(const struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    struct opened opened;
    struct vgg_cursor in = vgg_cursor_make(item->data, item->size);
    open_item(job, item, &opened);
    return vgg_packed_is(&opened.archive) ||
           (vgg_safetensors_is(&opened.archive) && vgg_cursor_le(&in, 8) <= item->size - 8);
}

static bool ends_with_any(const char *name, const char *const *ends)
{
    for (; *ends != NULL; ends++) {
        if (vgg_ends_with(name, strlen(name), *ends)) {
            return true;
        }
    }
    return false;
}

/* Whether programs that load models unpickle files of such a name. */
static bool is_named_model(const char *name)
{
    static const char *const ends[] = {
        ".pkl", ".pickle", ".pth", ".pt",    ".ckpt", ".bin",  ".joblib", ".dill", ".p",    ".pck",
        ".pcl", ".model",  ".npy", ".npz",   ".pt2",  ".ptl",  ".tar",    ".zip",  ".data", ".dat",
        ".mar", ".nemo",   ".h5",  ".keras", ".pb",   ".onnx", ".gguf",   ".gz",   ".z",    NULL};
    return ends_with_any(name, ends);
}

static bool is_named_pickle(const char *name)
{
    static const char *const ends[] = {".pkl", ".pickle", ".joblib", ".dill", NULL};
    return ends_with_any(name, ends);
}

/* Reports a file that is nothing of what is known. */
static void report_unknown(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    struct vgg_error err = {0};
    struct opened opened;
    open_item(job, item, &opened);
    if (job->options->skip_others && !is_named_model(job->load->path)) {
        return;
    }
    opened.archive.load.path = "";
    opened.archive.load.err = &err;
    vgg_foreign_fail(&opened.archive);
    vgg_scan_unread(job, item, 0, "%s", err.message + strspn(err.message, ": "));
}

/* TorchScript code runs when a model is called, and some of its functions reach files. */
static void scan_script(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    static const char *const calls[] = {"torch.from_file(", "aten.from_file(", "torch.save(",
                                        "aten.save("};
    if (!vgg_scan_spend(job, item, item->size)) {
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const size_t length = strlen(calls[i]);
        const uint8_t *found =
            item->size > 0 ? memmem(item->data, item->size, calls[i], length) : NULL;
        if (found != NULL) {
            const struct vgg_scan_place place = {.rule = VGG_SCAN_RULE_SCRIPT,
                                                 .severity = VGG_SCAN_DANGEROUS,
                                                 .offset = (uint64_t)(found - item->data)};
            vgg_scan_report(job, item, &place, "TorchScript code calls %.*s, which reaches files",
                            (int)length - 1, calls[i]);
        }
    }
}

void vgg_scan_contents(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    const bool outer = item->depth == 0 || item->compressed;
    const bool magic = vgg_scan_begins_pickle(item->data, item->size);
    const bool tar = vgg_scan_tar(job, item);
    bool known = vgg_scan_zip(job, item, tar) || tar;
    known = scan_compressed(job, item) || known;
    known = scan_array(job, item) || known;
    known = is_plain_format(job, item) || known;
    const char *kind = packed_kind(item);
    if (kind != NULL) {
        vgg_scan_unread(job, item, 0, "compressed or archived by %s: unpack it first", kind);
        job->result->recognised = true;
        return;
    }
    if (vgg_ends_with(item->member, strlen(item->member), ".py")) {
        scan_script(job, item);
    }
    const bool expected = !known && (item->role != VGG_SCAN_ANY ||
                                     (outer && (magic || is_named_pickle(job->load->path))));
    known = vgg_scan_pickles(job, item, 0, expected) || known || expected;
    if (outer) {
        job->result->recognised = job->result->recognised || known;
        if (!known) {
            report_unknown(job, item);
        }
    }
}
