/* SPDX-License-Identifier: MIT */
/* Reads the assumptions in a description. */
#ifndef VGG_MODEL_SPEC_READ_ASSUMED_H
#define VGG_MODEL_SPEC_READ_ASSUMED_H

#include "base/json.h"
#include "base/load.h"
#include "model/spec/evidence.h"

/* Reads a list of objects with property, value and, optionally, why and alternatives; each is added as a convention.
 * Errors: FORMAT, LIMIT, MEMORY. */
vgg_status vgg_spec_read_assumed(const struct vgg_load *load, const struct vgg_json *list,
                                 struct vgg_evidence_list *out);

#endif
