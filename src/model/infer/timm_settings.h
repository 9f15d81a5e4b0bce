/* SPDX-License-Identifier: MIT */
/* The settings of timm's VGG class in its config.json. */
#ifndef VGG_MODEL_INFER_TIMM_SETTINGS_H
#define VGG_MODEL_INFER_TIMM_SETTINGS_H

#include "base/json.h"
#include "model/infer/found.h"

/* Reads the settings that change the net, from the top of a config.json and from its model_args.
 *   path  of the file, as for messages
 *   out   receives the activation, or why the net is not known
 * Errors: MEMORY. */
vgg_status vgg_timm_read_settings(const struct vgg_load *load, const char *path,
                                  const struct vgg_json *root, struct vgg_found_net *out);

/* Applies the settings to a net that names and shapes show. A caller's description or activation has precedence.
 * Errors: UNSUPPORTED for a setting that is not understood, or that the weights contradict; MEMORY. */
vgg_status vgg_timm_apply_settings(const struct vgg_load *load, const struct vgg_found_net *found,
                                   struct vgg_spec *spec);

#endif
