/* SPDX-License-Identifier: MIT */
/* The parts of a SARIF 2.1.0 log (OASIS) about scanned files. */
#ifndef TOOLS_REPORT_SCAN_SARIF_H
#define TOOLS_REPORT_SCAN_SARIF_H

#include "io/json.h"
#include "vgg/scan.h"

/* What stands before the results, and after them. */
void scan_sarif_begin(struct json *json);
void scan_sarif_end(struct json *json);
/* A result; harmless names are none. */
void scan_sarif_finding(struct json *json, const char *path,
                        const struct vgg_scan_finding *finding);

#endif
