/* SPDX-License-Identifier: MIT */
/* The list of what a pickle names and does. */
#include "checkpoint/scan/names.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAME_SHOWN = 150, ARGUMENT_SHOWN = 80 };

/* FNV-1a */
static uint32_t hash_span(uint32_t hash, struct vgg_span text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        hash = (hash ^ (uint8_t)text.bytes[i]) * 16777619u;
    }
    return hash;
}

static bool is_same(const struct vgg_scan_record *a, const struct vgg_scan_record *b)
{
    return a->hash == b->hash && a->what == b->what &&
           (a->what != NULL || (vgg_span_compare(a->module, b->module) == 0 &&
                                vgg_span_compare(a->name, b->name) == 0));
}

static bool grow(struct vgg_scan_job *job, struct vgg_scan_names *names)
{
    const size_t capacity = names->capacity > 0 ? 2 * names->capacity : 32;
    void *grown =
        vgg_mem_grow(vgg_load_allocator(job->load), names->records,
                     names->count * sizeof *names->records, capacity * sizeof *names->records);
    if (grown == NULL) {
        job->status =
            vgg_load_fail_memory(job->load, capacity * sizeof *names->records, "the scan");
        return false;
    }
    names->records = grown;
    names->capacity = capacity;
    return true;
}

/* The number of an equal record; 0: there is none. */
static uint16_t find(struct vgg_scan_names *names, const struct vgg_scan_record *record)
{
    for (size_t i = 0; i < names->count; i++) {
        if (is_same(&names->records[i], record)) {
            names->records[i].count++;
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

static uint16_t append(struct vgg_scan_job *job, struct vgg_scan_names *names,
                       struct vgg_scan_record record)
{
    if (names->count == VGG_SCAN_NAMES_MAX) {
        if (names->more++ == 0) {
            names->more_offset = record.offset;
        }
        if (record.verdict.severity > names->worst_of_more) {
            names->worst_of_more = record.verdict.severity;
        }
        return 0;
    }
    if (names->count == names->capacity && !grow(job, names)) {
        return 0;
    }
    record.count = 1;
    names->records[names->count++] = record;
    return (uint16_t)names->count;
}

uint16_t vgg_scan_names_add(struct vgg_scan_job *job, struct vgg_scan_names *names,
                            struct vgg_scan_record record)
{
    record.hash = hash_span(hash_span(2166136261u, record.module), record.name);
    uint16_t number = find(names, &record);
    if (number == 0) {
        record.verdict = vgg_scan_judge(record.module, record.name, job->options->allowed);
        number = append(job, names, record);
    }
    return number;
}

void vgg_scan_names_call(struct vgg_scan_names *names, uint16_t name, uint64_t offset,
                         struct vgg_span argument)
{
    struct vgg_scan_record *record = &names->records[name - 1];
    if (record->calls++ == 0) {
        record->call_offset = offset;
        record->argument = argument;
    }
    names->acts += record->verdict.severity > VGG_SCAN_INERT;
}

void vgg_scan_names_act(struct vgg_scan_job *job, struct vgg_scan_names *names,
                        struct vgg_scan_record record)
{
    names->acts += record.rule != VGG_SCAN_RULE_EXTENSION;
    if (find(names, &record) == 0) {
        append(job, names, record);
    }
}

static void report_name(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                        const struct vgg_scan_record *record)
{
    char subject[2 * NAME_SHOWN + 2];
    snprintf(subject, sizeof subject, "%.*s.%.*s",
             VGG_SHOWN(record->module.bytes, record->module.length, NAME_SHOWN),
             VGG_SHOWN(record->name.bytes, record->name.length, NAME_SHOWN));
    const bool called = record->calls > 0;
    const struct vgg_scan_place place = {
        .rule = record->rule,
        .severity = record->verdict.severity,
        .offset = called && record->verdict.severity > VGG_SCAN_INERT ? record->call_offset
                                                                      : record->offset,
        .subject = subject,
        .count = record->count,
    };
    const char *reason = record->verdict.reason;
    const struct vgg_span argument = record->argument;
    vgg_scan_report(
        job, item, &place, "%s %s%s%.*s%s%s%s", called ? "calls" : "imports", subject,
        called ? (argument.length > 0 ? "('" : "()") : "",
        VGG_SHOWN(argument.bytes, argument.length, ARGUMENT_SHOWN),
        called && argument.length > 0 ? (argument.length > ARGUMENT_SHOWN ? "…')" : "')") : "",
        reason != NULL ? ", " : "", reason != NULL ? reason : "");
}

void vgg_scan_names_report(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                           const struct vgg_scan_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct vgg_scan_record *record = &names->records[i];
        if (record->what == NULL) {
            report_name(job, item, record);
            continue;
        }
        const struct vgg_scan_place place = {.rule = record->rule,
                                             .severity = record->verdict.severity,
                                             .offset = record->offset,
                                             .count = record->count};
        vgg_scan_report(job, item, &place, "%s", record->what);
    }
    if (names->more > 0) {
        const struct vgg_scan_place place = {.rule = VGG_SCAN_RULE_NAME,
                                             .severity = names->worst_of_more > VGG_SCAN_SUSPICIOUS
                                                             ? names->worst_of_more
                                                             : VGG_SCAN_SUSPICIOUS,
                                             .offset = names->more_offset,
                                             .count = names->more};
        vgg_scan_report(job, item, &place, "%" PRIu64 " more names than the %d that are listed",
                        names->more, VGG_SCAN_NAMES_MAX);
    }
}
