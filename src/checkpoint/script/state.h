/* SPDX-License-Identifier: MIT */
/* The settings and parameters of a call as those of a module. */
#ifndef VGG_CHECKPOINT_SCRIPT_STATE_H
#define VGG_CHECKPOINT_SCRIPT_STATE_H

#include "checkpoint/script/recorder.h"

struct vgg_setting_term {
    struct vgg_span key;
    struct vgg_term term;
};

/* Makes a dict of settings. Stops if one of them is no constant.
 *   operation  for messages */
bool vgg_state_make(struct vgg_recorder *recorder, struct vgg_span operation,
                    const struct vgg_setting_term *settings, size_t count,
                    const struct vgg_value **out);

/* Finds the module whose parameters and buffers those of a call are: each parameter of a call is the module's of the
 * same name, and the module has none that the call leaves out. Constants of the code get a name.
 *   name  receives the module's path
 * Stops if there is no such module. */
bool vgg_state_find_owner(struct vgg_recorder *recorder, enum vgg_weighted_kind kind,
                          const struct vgg_setting_term *settings, size_t count, const char **name);

#endif
