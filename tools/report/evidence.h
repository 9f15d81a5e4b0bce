/* SPDX-License-Identifier: MIT */
/* What is known of a net and from where, as text and as JSON. */
#ifndef TOOLS_REPORT_EVIDENCE_H
#define TOOLS_REPORT_EVIDENCE_H

#include <stdbool.h>
#include <stdio.h>

#include "io/json.h"
#include "vgg/model.h"

/* Writes a line for each source, "  from names and shapes: layers …; order …", all alternatives where the line of
 * assumptions shows only the first of them, and what sets the properties that are assumed.
 *   assumed  that line, as in vgg_model_info */
void evidence_write_text(FILE *out, const char *assumed, const vgg_model *model);

/* Whether the line of assumptions shows only some of the alternatives. */
bool evidence_is_cut(const char *assumed, const vgg_model *model);

/* Writes the members "evidence", all properties, and "assumptions", those that nothing but convention shows.
 *   model  NULL: empty lists */
void evidence_write_json(struct json *json, const vgg_model *model);

/* The help that says how to set what is assumed: "vgg-infer help net". A constant string. */
const char *evidence_help(const vgg_model *model);

#endif
