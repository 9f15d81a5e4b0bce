/* SPDX-License-Identifier: MIT */
/* Results of scans, as text for people and as JSON. */
#include "report/scan_report.h"

#include <inttypes.h>
#include <string.h>

#include "io/message.h"
#include "io/plural.h"
#include "report/report.h"
#include "report/scan_sarif.h"

void scan_report_begin(struct scan_report *report)
{
    report->json = json_make(report->out, true);
    if (report->format == SCAN_SARIF) {
        scan_sarif_begin(&report->json);
    } else if (report->format == SCAN_JSON) {
        json_open_object(&report->json, NULL, false);
        json_integer(&report->json, "schema", REPORT_SCHEMA);
        json_string(&report->json, "version", vgg_version());
        json_open_array(&report->json, "files", false);
    }
}

void scan_report_file(struct scan_report *report, const char *path)
{
    report->path = path;
    if (report->format == SCAN_JSON) {
        json_open_object(&report->json, NULL, false);
        json_string(&report->json, "path", path);
        json_open_array(&report->json, "findings", false);
    }
}

static void write_json(struct json *json, const struct vgg_scan_finding *finding)
{
    json_open_object(json, NULL, true);
    json_string(json, "severity", vgg_scan_severity_string(finding->severity));
    json_string(json, "rule", vgg_scan_rule_string(finding->rule));
    json_string(json, "member", finding->member);
    json_integer(json, "offset", (int64_t)finding->offset);
    if (finding->file_offset != VGG_NO_OFFSET) {
        json_integer(json, "file_offset", (int64_t)finding->file_offset);
    } else {
        json_null(json, "file_offset");
    }
    json_string(json, "name", finding->subject);
    json_integer(json, "count", (int64_t)finding->count);
    json_string(json, "message", finding->message);
    json_close_object(json);
}

/* "FILE: MEMBER: ": the beginning of a line. */
static void write_place(struct scan_report *report, const char *member)
{
    message_write_visible(report->out, report->path);
    fputs(": ", report->out);
    if (member[0] != '\0') {
        message_write_visible(report->out, member);
        fputs(": ", report->out);
    }
}

void scan_report_finding(struct scan_report *report, const struct vgg_scan_finding *finding)
{
    if (report->format == SCAN_SARIF) {
        scan_sarif_finding(&report->json, report->path, finding);
    } else if (report->format == SCAN_JSON) {
        write_json(&report->json, finding);
    } else if (finding->severity > VGG_SCAN_INERT || report->verbose) {
        write_place(report, finding->member);
        fprintf(report->out, "%s: ", vgg_scan_severity_string(finding->severity));
        message_write_visible(report->out, finding->message);
        fprintf(report->out, " (at byte %" PRIu64, finding->offset);
        if (finding->count > 1) {
            fprintf(report->out, ", %" PRIu64 " times", finding->count);
        }
        fputs(")\n", report->out);
    }
}

void scan_report_opcode(struct scan_report *report, const struct vgg_scan_opcode *opcode)
{
    enum { OPERAND_SHOWN = 120 };
    char text[OPERAND_SHOWN + 1];
    size_t bytes = opcode->operand_bytes < OPERAND_SHOWN ? opcode->operand_bytes : OPERAND_SHOWN;
    if (bytes > 0) {
        memcpy(text, opcode->operand, bytes);
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n' || text[i] == '\0') {
            text[i] = ' ';
        }
    }
    text[bytes] = '\0';
    write_place(report, opcode->member);
    fprintf(report->out, "%" PRIu64 ": %s", opcode->offset, opcode->name);
    if (bytes > 0) {
        fputs(" '", report->out);
        message_write_visible(report->out, text);
        fputs(bytes < opcode->operand_bytes ? "...'" : "'", report->out);
    } else if (opcode->number > 0) {
        fprintf(report->out, " %" PRIu64, opcode->number);
    }
    putc('\n', report->out);
}

static void write_verdict(struct scan_report *report, const struct vgg_scan_result *result)
{
    if (result->dangerous + result->suspicious > 0) {
        fprintf(report->out, "%" PRIu64 " dangerous, %" PRIu64 " suspicious", result->dangerous,
                result->suspicious);
    } else if (result->unread > 0) {
        fputs("cannot be judged", report->out);
    } else {
        fprintf(report->out, "nothing found (%" PRIu64 " pickle%s, %" PRIu64 " harmless name%s)",
                result->pickles, plural_s((size_t)result->pickles), result->inert,
                plural_s((size_t)result->inert));
        return;
    }
    if (result->unread > 0 && result->dangerous + result->suspicious > 0) {
        fputs(", and parts that cannot be judged", report->out);
    }
}

void scan_report_file_end(struct scan_report *report, const struct vgg_scan_result *result,
                          const char *error)
{
    const bool found = result->dangerous + result->suspicious > 0;
    const bool skipped = error == NULL && !result->recognised && !found && result->unread == 0;
    report->files++;
    report->skipped += skipped;
    report->with_findings += found;
    report->unjudged += error != NULL || (result->unread > 0 && !found);
    if (report->format == SCAN_TEXT && error == NULL && !skipped) {
        write_place(report, "");
        write_verdict(report, result);
        putc('\n', report->out);
    } else if (report->format == SCAN_JSON) {
        json_close_array(&report->json);
        json_integer(&report->json, "dangerous", (int64_t)result->dangerous);
        json_integer(&report->json, "suspicious", (int64_t)result->suspicious);
        json_integer(&report->json, "unread", (int64_t)result->unread);
        json_integer(&report->json, "inert", (int64_t)result->inert);
        json_integer(&report->json, "pickles", (int64_t)result->pickles);
        json_bool(&report->json, "recognised", result->recognised);
        json_string(&report->json, "error", error);
        json_close_object(&report->json);
    }
}

void scan_report_end(struct scan_report *report)
{
    if (report->format == SCAN_SARIF) {
        scan_sarif_end(&report->json);
    } else if (report->format == SCAN_JSON) {
        json_close_array(&report->json);
        json_close_object(&report->json);
    } else if (report->files > 1) {
        fprintf(report->out,
                "%" PRIu64 " files: %" PRIu64 " with findings, %" PRIu64 " not judged, %" PRIu64
                " of other kinds\n",
                report->files, report->with_findings, report->unjudged, report->skipped);
    }
}
