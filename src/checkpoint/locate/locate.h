/* SPDX-License-Identifier: MIT */
/* Finds the net's tensors in a checkpoint. */
#ifndef VGG_CHECKPOINT_LOCATE_LOCATE_H
#define VGG_CHECKPOINT_LOCATE_LOCATE_H

#include "checkpoint/locate/walk.h"

struct vgg_location {
    struct vgg_named_list tensors; /* their names without prefix */
    struct vgg_named_list modules; /* of a whole or TorchScript module; without prefix, too */
    const struct vgg_value *source;
    enum vgg_source_kind kind;
    const char *key;    /* the dotted path to the source: "state_dict"; "" for the root */
    const char *prefix; /* the part removed from the names: "module."; "" */
    size_t skipped;     /* tensors without that prefix */
};

/* Looks for tensors in all dicts and lists of a checkpoint and in the modules in them.
 *
 * A VGG is recognised by names: features.N.weight and classifier.N.weight, all with the same prefix, whatever that
 * is. A single VGG is chosen; several are an error that lists them, unless they are the same tensors. VGGs without a
 * classifier count only when there is none with one. If there is no VGG, the choice is a dict with a usual name of a
 * state dict, then the root, then the dict with most tensors; prefixes of wrappers that all names share are removed.
 *
 *   key   what to choose: the path of a dict, list item or module ("state_dict", "ema.module"), followed by
 *         the prefix of names where one dict holds several nets ("state_dict.student");
 *         "." is the root; NULL: as above
 * Errors: FORMAT (no tensors, bad names), UNSUPPORTED (something else), MISMATCH (several VGGs, or none with this key:
 * the message lists them), LIMIT, MEMORY. */
vgg_status vgg_locate(const struct vgg_load *load, const struct vgg_pickle *pickle, const char *key,
                      struct vgg_location *out);

#endif
