/* SPDX-License-Identifier: MIT */
/* The scan of a file: its parts, one after the other. */
#include "vgg/scan.h"

#include "base/file.h"
#include "checkpoint/scan/contents.h"

static vgg_status scan(const struct vgg_load *load, const struct vgg_file *file,
                       const struct vgg_scan_options *options, struct vgg_scan_result *out)
{
    static const struct vgg_scan_options none;
    struct vgg_scan_job job = {.load = load,
                               .options = options != NULL ? options : &none,
                               .result = out,
                               .file_bytes = file->size};
    struct vgg_scan_item item = {.data = file->data, .size = file->size, .member = ""};
    *out = (struct vgg_scan_result){0};
    vgg_scan_contents(&job, &item);
    while (job.count > 0 && job.status == VGG_OK) {
        item = job.items[--job.count];
        vgg_scan_contents(&job, &item);
    }
    vgg_mem_free(vgg_load_allocator(load), job.items);
    return job.status;
}

vgg_status vgg_scan_memory(const void *bytes, size_t count, const char *name,
                           const struct vgg_scan_options *options,
                           const struct vgg_context *context, struct vgg_scan_result *out,
                           struct vgg_error *err)
{
    struct vgg_limits limits;
    struct vgg_arena arena = {.context = context};
    struct vgg_file file;
    if (bytes == NULL || name == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "vgg_scan_memory: expected bytes, a name and a result, got NULL");
    }
    vgg_limits_take(context, &limits);
    const struct vgg_load load = {.path = name, .limits = &limits, .arena = &arena, .err = err};
    vgg_file_borrow(bytes, count, &file);
    const vgg_status status = scan(&load, &file, options, out);
    vgg_arena_destroy(&arena);
    return status;
}

vgg_status vgg_scan_file(const char *path, const struct vgg_scan_options *options,
                         const struct vgg_context *context, struct vgg_scan_result *out,
                         struct vgg_error *err)
{
    struct vgg_limits limits;
    struct vgg_arena arena = {.context = context};
    struct vgg_file file;
    if (path == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "vgg_scan_file: expected a path and a result, got NULL");
    }
    vgg_limits_take(context, &limits);
    vgg_status status = vgg_file_map(path, limits.file_bytes, &file, err);
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_load load = {.path = path, .limits = &limits, .arena = &arena, .err = err};
    status = scan(&load, &file, options, out);
    vgg_arena_destroy(&arena);
    vgg_file_close(&file);
    return status;
}

const char *vgg_scan_severity_string(enum vgg_scan_severity severity)
{
    static const char *const names[] = {"inert", "unread", "suspicious", "dangerous"};
    return (unsigned)severity < sizeof names / sizeof names[0] ? names[severity] : "unknown";
}

const char *vgg_scan_rule_string(enum vgg_scan_rule rule)
{
    static const char *const names[] = {"name",   "computed", "changed", "extension",
                                        "broken", "archive",  "script",  "unread"};
    return (unsigned)rule < sizeof names / sizeof names[0] ? names[rule] : "unknown";
}
