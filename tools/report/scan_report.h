/* SPDX-License-Identifier: MIT */
/* Results of `vgg-infer scan`, written while the files are scanned. */
#ifndef TOOLS_REPORT_SCAN_REPORT_H
#define TOOLS_REPORT_SCAN_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "io/json.h"
#include "vgg/scan.h"

enum scan_format { SCAN_TEXT, SCAN_JSON, SCAN_SARIF };

struct scan_report {
    FILE *out;
    enum scan_format format;
    bool verbose;     /* text: harmless names, too */
    const char *path; /* of the file that is scanned */
    struct json json;
    /* Of all files. */
    uint64_t files, with_findings, unjudged, skipped;
};

void scan_report_begin(struct scan_report *report);
void scan_report_file(struct scan_report *report, const char *path);
void scan_report_finding(struct scan_report *report, const struct vgg_scan_finding *finding);
void scan_report_opcode(struct scan_report *report, const struct vgg_scan_opcode *opcode);
/* error: why the file could not be scanned; NULL: it was. */
void scan_report_file_end(struct scan_report *report, const struct vgg_scan_result *result,
                          const char *error);
void scan_report_end(struct scan_report *report);

#endif
