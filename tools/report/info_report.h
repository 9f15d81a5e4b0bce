/* SPDX-License-Identifier: MIT */
/* Results of `vgg-infer info`: info.c collects them, info_report.c writes them. */
#ifndef TOOLS_REPORT_INFO_REPORT_H
#define TOOLS_REPORT_INFO_REPORT_H

#include <stdio.h>

#include "timing/measure.h"
#include "report/report.h"
#include "vgg/model.h"

struct info {
    const struct report_model *about;
    const vgg_model *model;
    const vgg_checkpoint *checkpoint;
    bool tensors;                               /* list them instead of the layers */
    const struct measure_options *plan_options; /* NULL: the plan was not asked for */
    const struct measurement *plan;
};

/* False: out of memory. */
bool info_write_text(const struct info *info, FILE *out);
void info_write_json(const struct info *info, FILE *out);

/* info_origin.c: who wrote the file, and what the net was recognised by. */
void info_write_origin(const struct info *info, FILE *out);
void info_write_origin_json(const struct info *info, struct json *json);

/* info_tensors.c */
bool info_write_tensors(const struct info *info, FILE *out);
void info_write_tensors_json(const struct info *info, struct json *json);

#endif
