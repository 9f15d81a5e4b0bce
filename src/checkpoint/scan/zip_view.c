/* SPDX-License-Identifier: MIT */
/* A zip archive in the scan: as the strict reader sees it, or else as any lax one may. */
#include "checkpoint/scan/zip_view.h"

#include <inttypes.h>

#include "checkpoint/scan/inflate.h"
#include "checkpoint/scan/zip_loose.h"

enum {
    FLAG_ENCRYPTED = 1,
    HEAD_BYTES = 1 << 20, /* of a member that does not look like a pickle, what is unpacked */
    ENDS_MAX = 4,         /* end records that are read */
};

static bool ends_with_any(struct vgg_span name, const char *const *ends)
{
    for (; *ends != NULL; ends++) {
        if (vgg_span_ends_with(name, *ends)) {
            return true;
        }
    }
    return false;
}

static bool is_named_pickle(struct vgg_span name)
{
    static const char *const ends[] = {".pkl", ".pickle", ".joblib", ".dill", NULL};
    return ends_with_any(name, ends);
}

/* The name up to its last slash. */
static struct vgg_span folder_of(struct vgg_span name)
{
    while (name.length > 0 && name.bytes[name.length - 1] != '/') {
        name.length--;
    }
    return name;
}

/* Adds a member's bytes, as they lie there or unpacked. */
static void push_member(struct vgg_scan_job *job, const struct vgg_scan_item *archive,
                        const struct vgg_zip_directory *directory,
                        const struct vgg_loose_member *member)
{
    const bool pickle = is_named_pickle(member->name);
    struct vgg_scan_item item = {.data = archive->data + member->data,
                                 .size = (size_t)member->packed_bytes,
                                 .file_offset = archive->file_offset == VGG_NO_OFFSET
                                                    ? VGG_NO_OFFSET
                                                    : archive->file_offset + member->data,
                                 .member = archive->member,
                                 .role = pickle ? VGG_SCAN_PICKLE : VGG_SCAN_ANY,
                                 .directory = directory,
                                 .folder = folder_of(member->name)};
    if (member->method == VGG_ZIP_DEFLATED && item.size > 0) {
        const struct vgg_scan_item packed = item;
        vgg_scan_inflate(job, &packed, VGG_INFLATE_RAW,
                         pickle ? job->load->limits->pickle_bytes : HEAD_BYTES, &item);
        if (item.data == NULL) {
            vgg_scan_unread(job, archive, member->header, "cannot be unpacked: %.*s",
                            VGG_SHOWN(member->name.bytes, member->name.length, 200));
            return;
        }
        /* A pickle under another name. */
        if (item.cut && !pickle && vgg_scan_begins_pickle(item.data, item.size)) {
            vgg_scan_inflate(job, &packed, VGG_INFLATE_RAW, job->load->limits->pickle_bytes, &item);
        }
    } else if (member->method != VGG_ZIP_STORED && member->method != VGG_ZIP_DEFLATED) {
        vgg_scan_unread(job, archive, member->header,
                        "compressed by a method other than deflate: %.*s",
                        VGG_SHOWN(member->name.bytes, member->name.length, 200));
        return;
    }
    if (item.data == NULL || (item.size == 0 && !pickle)) {
        return;
    }
    item.whole_size = member->bytes > 0 ? member->bytes : UINT64_MAX;
    if (pickle && member->crc != 0 && !item.cut && vgg_scan_spend(job, archive, item.size) &&
        vgg_scan_crc(item.data, item.size) != member->crc) {
        vgg_scan_trick(job, archive, member->header,
                       "another CRC than it says, which not every reader compares: %.*s",
                       VGG_SHOWN(member->name.bytes, member->name.length, 200));
    }
    vgg_scan_push(job, archive, item, member->name);
}

/* ---- archives that all readers see alike ---- */

static void push_strict(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                        const struct vgg_zip_directory *directory)
{
    struct vgg_loose_list list = {0};
    struct vgg_zip_directory *kept = vgg_load_alloc(job->load, 1, sizeof *kept);
    if (kept == NULL) {
        job->status = vgg_load_fail_memory(job->load, sizeof *kept, "the scan");
        return;
    }
    *kept = *directory;
    for (size_t i = 0; i < directory->count && job->status == VGG_OK; i++) {
        const struct vgg_zip_member *m = &directory->members[i];
        vgg_loose_add(job, item, &list,
                      (struct vgg_loose_member){.name = m->name,
                                                .method = m->method,
                                                .flags = m->flags,
                                                .crc = m->crc,
                                                .header = m->offset,
                                                .data = m->data_offset,
                                                .packed_bytes = m->packed_bytes,
                                                .bytes = m->bytes,
                                                .listed = true});
    }
    vgg_loose_find_headers(job, item, &list);
    for (size_t i = 0; i < list.count && job->status == VGG_OK; i++) {
        if (i == 0 && list.members[0].header > 0 && list.members[0].listed) {
            vgg_scan_trick(job, item, 0, "%" PRIu64 " bytes before the zip archive",
                           list.members[0].header);
        }
        if (!list.members[i].listed) {
            vgg_scan_trick(job, item, list.members[i].header,
                           "a member that the directory does not list: %.*s",
                           VGG_SHOWN(list.members[i].name.bytes, list.members[i].name.length, 200));
        }
        push_member(job, item, kept, &list.members[i]);
    }
    vgg_mem_free(vgg_load_allocator(job->load), list.members);
}

/* ---- all others ---- */

/* Adds a member as its directory and as its local header have it. */
static void push_loose(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                       const struct vgg_loose_member *member)
{
    const uint8_t *header = item->data + member->header;
    struct vgg_loose_member other = *member;
    if ((member->flags & FLAG_ENCRYPTED) != 0) {
        vgg_scan_trick(job, item, member->header,
                       "marked as encrypted, which not every reader heeds: %.*s",
                       VGG_SHOWN(member->name.bytes, member->name.length, 200));
    }
    push_member(job, item, NULL, member);
    other.method = (uint16_t)(header[8] | header[9] << 8);
    other.name =
        (struct vgg_span){(const char *)header + 30, (uint32_t)(header[26] | header[27] << 8)};
    const bool fits = other.name.length <= item->size - member->header - 30;
    if (!fits || other.method == member->method) {
        /* Whoever goes by local headers finds the same bytes under another name. */
        if (fits && is_named_pickle(other.name) && !is_named_pickle(member->name)) {
            push_member(job, item, NULL, &other);
        }
        return;
    }
    push_member(job, item, NULL, &other);
}

static void scan_loosely(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    struct vgg_loose_list list = {0};
    size_t ends = 0;
    for (size_t at = item->size; ends < ENDS_MAX && at > 0; ends++) {
        at = vgg_loose_find_end(item, at - 1);
        if (at == SIZE_MAX) {
            break;
        }
        vgg_loose_read_directory(job, item, at, &list);
    }
    if (ends > 1) {
        vgg_scan_trick(job, item, 0, "%zu end records of a zip archive", ends);
    }
    vgg_loose_find_headers(job, item, &list);
    for (size_t i = 0; i < list.count && job->status == VGG_OK; i++) {
        push_loose(job, item, &list.members[i]);
    }
    vgg_mem_free(vgg_load_allocator(job->load), list.members);
}

/* Whether it begins as an archive, or ends as one. */
static bool is_zip(const struct vgg_scan_item *item)
{
    return (item->size >= 30 && memcmp(item->data, "PK\3\4", 4) == 0) ||
           (item->size >= 22 && vgg_loose_find_end(item, item->size - 22) != SIZE_MAX);
}

bool vgg_scan_zip(struct vgg_scan_job *job, const struct vgg_scan_item *item, bool is_tar)
{
    struct vgg_error err = {0};
    struct vgg_load load = *job->load;
    struct vgg_file file;
    struct vgg_zip_directory directory;
    const uint64_t end_bytes = item->size < UINT16_MAX ? item->size : UINT16_MAX;
    if (!vgg_scan_spend(job, item, end_bytes) || !is_zip(item)) {
        return false;
    }
    if (job->kept_bytes > 2 * job->load->limits->pickle_bytes) {
        vgg_scan_unread(job, item, 0, "more archives than are looked into");
        return true;
    }
    load.path = "";
    load.err = &err;
    vgg_file_borrow(item->data, item->size, &file);
    const struct vgg_archive archive = {.load = load, .file = &file};
    const vgg_status status = vgg_zip_directory_read(&archive, &directory);
    if (status == VGG_ERR_MEMORY) {
        job->status = vgg_load_fail_memory(job->load, item->size, "the zip directory");
        return true;
    }
    if (status == VGG_OK) {
        job->kept_bytes += directory.count * sizeof *directory.members;
        push_strict(job, item, &directory);
        return true;
    }
    /* Without a path the message begins with ": "; a report has the place elsewhere. */
    const char *text = err.message + strspn(err.message, ": ");
    char *place = strstr(err.message, " (at byte ");
    if (place != NULL) {
        *place = '\0';
    }
    if (status == VGG_ERR_LIMIT) {
        vgg_scan_unread(job, item, 0, "%s", text);
    } else if (status == VGG_ERR_FORMAT && !is_tar) {
        vgg_scan_trick(job, item, err.byte_offset == VGG_NO_OFFSET ? 0 : err.byte_offset, "%s",
                       text);
    }
    scan_loosely(job, item);
    return true;
}
