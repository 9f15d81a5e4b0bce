/* SPDX-License-Identifier: MIT */
/* The allow-list of the names (classes and functions) that a pickle may contain. */
#ifndef VGG_CHECKPOINT_PICKLE_GLOBALS_H
#define VGG_CHECKPOINT_PICKLE_GLOBALS_H

#include "checkpoint/pickle/value.h"

/* The row of a name in the allow-list. NULL: the name is refused, being in a module that malicious pickles need.
 * Other names that are not on the list have the role OTHER. */
const struct vgg_global *vgg_global_find(struct vgg_span module, struct vgg_span name);

/* What a name that is refused stands for and what to do, as the end of a message; NULL: nothing is known of it. */
const char *vgg_global_explain(struct vgg_span module, struct vgg_span name);

#endif
