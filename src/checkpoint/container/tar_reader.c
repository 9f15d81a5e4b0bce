/* SPDX-License-Identifier: MIT */
/* Reading a member of a tar archive. */
#include "checkpoint/container/tar_reader.h"

#include "base/byteorder.h"

struct vgg_tar_reader vgg_tar_reader_make(const struct vgg_archive *archive,
                                          const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                                          enum vgg_tar_name name)
{
    static const char *const texts[] = {"sys_info", "pickle", "tensors", "storages"};
    const struct vgg_tar_member *member = &members[name];
    return (struct vgg_tar_reader){archive, texts[name], member->offset, member->end};
}

vgg_status vgg_tar_fail(const struct vgg_tar_reader *reader, const char *what)
{
    return vgg_fail_at(reader->archive->load.err, VGG_ERR_FORMAT, reader->offset,
                       "%s: tar member %s: %s", reader->archive->load.path, reader->name, what);
}

vgg_status vgg_tar_read_pickle(struct vgg_tar_reader *reader, uint64_t opcodes,
                               enum vgg_value_kind kind, const char *expected,
                               const struct vgg_value **out)
{
    size_t offset = reader->offset;
    vgg_status status =
        vgg_archive_read_plain(reader->archive, opcodes, &reader->offset, reader->end, out);
    if (status == VGG_OK && (*out)->kind != kind) {
        return vgg_fail_at(reader->archive->load.err, VGG_ERR_FORMAT, offset,
                           "%s: tar member %s: expected %s, found %s", reader->archive->load.path,
                           reader->name, expected, vgg_value_kind_string((*out)->kind));
    }
    return status;
}

bool vgg_tar_read_numbers(struct vgg_tar_reader *reader, size_t count, uint64_t *out)
{
    if (count > (reader->end - reader->offset) / sizeof *out ||
        !vgg_file_copy(reader->archive->file, reader->offset, count * sizeof *out, out)) {
        return false;
    }
    reader->offset += count * sizeof *out;
    for (size_t i = 0; i < count && !vgg_host_is_little(); i++) {
        out[i] = __builtin_bswap64(out[i]);
    }
    return true;
}

vgg_status vgg_tar_check_end(const struct vgg_tar_reader *reader)
{
    return reader->offset == reader->end ? VGG_OK
                                         : vgg_tar_fail(reader, "bytes after its last entry");
}
