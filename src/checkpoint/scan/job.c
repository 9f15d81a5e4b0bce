/* SPDX-License-Identifier: MIT */
/* The list of parts and the reports of a scan. */
#include "checkpoint/scan/job.h"

#include <stdio.h>

enum {
    REPORTS_MAX = 1000, /* of one severity; all are counted */
    DEPTH_MAX = 8,
    SEARCHED_BACK = 8,
    SPEND_FACTOR = 8, /* times the file's size, and */
    SPEND_BYTES = 256 << 20,
    TEXT_BYTES = 600,
    NAME_SHOWN = 300,
};

static uint64_t *count_of(struct vgg_scan_result *result, enum vgg_scan_severity severity)
{
    switch (severity) {
    case VGG_SCAN_DANGEROUS:
        return &result->dangerous;
    case VGG_SCAN_SUSPICIOUS:
        return &result->suspicious;
    case VGG_SCAN_UNREAD:
        return &result->unread;
    case VGG_SCAN_INERT:
        break;
    }
    return &result->inert;
}

static void report(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                   const struct vgg_scan_place *place, const char *format, va_list args)
{
    char text[TEXT_BYTES];
    uint64_t *count = count_of(job->result, place->severity);
    if (++*count > REPORTS_MAX || job->options->found == NULL) {
        return;
    }
    vsnprintf(text, sizeof text, format, args);
    /* What an archive says of its own places can be wrong. */
    const uint64_t offset = place->offset < item->size ? place->offset : item->size;
    const struct vgg_scan_finding finding = {
        .rule = place->rule,
        .severity = place->severity,
        .member = item->member,
        .subject = place->subject != NULL ? place->subject : "",
        .message = text,
        .offset = offset,
        .file_offset =
            item->file_offset == VGG_NO_OFFSET ? VGG_NO_OFFSET : item->file_offset + offset,
        .count = place->count > 0 ? place->count : 1,
    };
    job->options->found(job->options->user, &finding);
}

void vgg_scan_report(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                     const struct vgg_scan_place *place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(job, item, place, format, args);
    va_end(args);
}

void vgg_scan_unread(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t offset,
                     const char *format, ...)
{
    const struct vgg_scan_place place = {
        .rule = VGG_SCAN_RULE_UNREAD, .severity = VGG_SCAN_UNREAD, .offset = offset};
    va_list args;
    va_start(args, format);
    report(job, item, &place, format, args);
    va_end(args);
}

void vgg_scan_trick(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t offset,
                    const char *format, ...)
{
    const struct vgg_scan_place place = {
        .rule = VGG_SCAN_RULE_ARCHIVE, .severity = VGG_SCAN_SUSPICIOUS, .offset = offset};
    va_list args;
    va_start(args, format);
    report(job, item, &place, format, args);
    va_end(args);
}

/* "a.zip > b.pkl" */
static const char *join_names(struct vgg_scan_job *job, const char *parent, struct vgg_span name)
{
    char text[TEXT_BYTES];
    const int length = vgg_shown_length(name.bytes, name.length, NAME_SHOWN);
    snprintf(text, sizeof text, "%.*s%s%.*s", VGG_SHOWN_TEXT(parent, NAME_SHOWN - 8),
             parent[0] != '\0' ? " > " : "", length, name.bytes);
    return vgg_arena_copy_string(job->load->arena, text, strlen(text));
}

void vgg_scan_push(struct vgg_scan_job *job, const struct vgg_scan_item *parent,
                   struct vgg_scan_item item, struct vgg_span name)
{
    if (job->status != VGG_OK) {
        return;
    }
    /* The same bytes can be found in two ways. */
    for (size_t i = job->count; i-- > 0 && i + SEARCHED_BACK >= job->count;) {
        if (job->items[i].data == item.data && job->items[i].size == item.size) {
            job->items[i].role = item.role > job->items[i].role ? item.role : job->items[i].role;
            return;
        }
    }
    if (parent->depth >= DEPTH_MAX || job->taken >= job->load->limits->zip_entries) {
        vgg_scan_unread(job, parent, 0, "holds more archives and pickles than are looked into");
        return;
    }
    if (job->count == job->capacity) {
        const size_t capacity = job->capacity > 0 ? 2 * job->capacity : 64;
        void *grown = vgg_mem_grow(vgg_load_allocator(job->load), job->items,
                                   job->count * sizeof *job->items, capacity * sizeof *job->items);
        if (grown == NULL) {
            job->status = vgg_load_fail_memory(job->load, capacity * sizeof item, "the scan");
            return;
        }
        job->items = grown;
        job->capacity = capacity;
    }
    item.member = join_names(job, parent->member, name);
    item.depth = parent->depth + 1;
    if (item.member == NULL) {
        job->status = vgg_load_fail_memory(job->load, name.length, "the scan");
        return;
    }
    job->taken++;
    job->items[job->count++] = item;
}

bool vgg_scan_spend(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t bytes)
{
    const uint64_t max = SPEND_FACTOR * job->file_bytes + SPEND_BYTES;
    if (job->spent_bytes > max || bytes > max - job->spent_bytes) {
        vgg_scan_unread(job, item, 0, "the same bytes are part of too many archives");
        return false;
    }
    job->spent_bytes += bytes;
    return true;
}

uint8_t *vgg_scan_keep(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t bytes)
{
    const uint64_t max = 2 * job->load->limits->pickle_bytes;
    if (job->kept_bytes > max || bytes > max - job->kept_bytes) {
        vgg_scan_unread(job, item, 0, "unpacks to more bytes than are looked into");
        return NULL;
    }
    job->kept_bytes += bytes;
    uint8_t *buffer = vgg_load_alloc(job->load, (size_t)bytes + 1, 1);
    if (buffer == NULL) {
        job->status = vgg_load_fail_memory(job->load, (size_t)bytes, "the scan");
    }
    return buffer;
}
