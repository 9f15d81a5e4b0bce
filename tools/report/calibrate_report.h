/* SPDX-License-Identifier: MIT */
/* What calibration chose and what it costs, as text and JSON. */
#ifndef TOOLS_REPORT_CALIBRATE_REPORT_H
#define TOOLS_REPORT_CALIBRATE_REPORT_H

#include <stdio.h>

#include "report/report.h"
#include "vgg/quantize.h"

struct calibrate_report {
    const struct report_model *model;
    const char *folder, *output;
    size_t found, failed; /* images */
    const vgg_quantizer *quantizer;
};

void calibrate_write_text(const struct calibrate_report *report, FILE *out);
void calibrate_write_json(const struct calibrate_report *report, FILE *out);

#endif
