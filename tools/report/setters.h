/* SPDX-License-Identifier: MIT */
/* What sets a property of a net that is assumed. */
#ifndef TOOLS_REPORT_SETTERS_H
#define TOOLS_REPORT_SETTERS_H

#include <stdio.h>

#include "vgg/model.h"

/* An option, "--padding", or "description": an entry of the layers in a JSON description. A constant string. */
const char *setters_find(const char *property);

/* Writes what options set of the assumptions, "  set by options: padding (--padding); …", what the description sets, and what
 * neither can set: "  cannot be set: …". */
void setters_write_text(FILE *out, const vgg_model *model);

#endif
