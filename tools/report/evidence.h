/* SPDX-License-Identifier: MIT */
/* What is known of a net and from where, as text and as JSON. */
#ifndef TOOLS_REPORT_EVIDENCE_H
#define TOOLS_REPORT_EVIDENCE_H

#include <stdio.h>

#include "io/json.h"
#include "vgg/model.h"

/* Writes a line for each source: "  from names and shapes: layers …; order …". */
void evidence_write_text(FILE *out, const vgg_model *model);

/* Writes the members "evidence", all properties, and "assumptions", those that nothing but convention shows.
 *   model  NULL: empty lists */
void evidence_write_json(struct json *json, const vgg_model *model);

#endif
