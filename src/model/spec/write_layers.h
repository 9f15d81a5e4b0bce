/* SPDX-License-Identifier: MIT */
/* Writes the layers of a net as the JSON list that read_layers.c reads. */
#ifndef VGG_MODEL_SPEC_WRITE_LAYERS_H
#define VGG_MODEL_SPEC_WRITE_LAYERS_H

#include "base/bytes.h"
#include "model/spec/spec_types.h"

/* Writes [{"type": class, "name": path, …}, …], with all settings that differ from PyTorch's defaults.
 *   separator  between two layers: "," or ",\n    " */
void vgg_spec_write_layers(const struct vgg_spec *spec, const char *separator,
                           struct vgg_bytes *json);

#endif
