/* SPDX-License-Identifier: MIT */
/* Where in a checkpoint the net's tensors are, and what they are called. */
#ifndef VGG_CHECKPOINT_LOCATE_LOCATE_H
#define VGG_CHECKPOINT_LOCATE_LOCATE_H

#include "checkpoint/locate/walk.h"

struct vgg_location {
    struct vgg_named_list tensors; /* their names without prefix */
    struct vgg_named_list modules; /* of a whole module or a TorchScript module; their names too */
    const struct vgg_value *source;
    enum vgg_source_kind kind;
    const char *key;    /* the dotted path to the source: "state_dict"; "" for the root */
    const char *prefix; /* what was taken off the names: "module."; "" */
    size_t skipped;     /* tensors without that prefix */
};

/* Looks for tensors in all dicts and lists of a checkpoint and in the modules in them.
 *
 * Names decide. What holds features.N.weight and classifier.N.weight is a VGG, whatever stands before
 * these names, if the same stands before all of them. The only VGG is taken; several are an error that
 * lists them, unless they are the same tensors. VGGs without a classifier are looked at only when there
 * is none with one. Where nothing is a VGG, what training scripts call the state dict is taken, then
 * the root, then what holds most tensors, and prefixes that all names share are taken off.
 *
 *   key   what to take: the path of a dict, list item or module ("state_dict", "ema.module"), ended by
 *         the beginning of the tensors' names where one dict holds several nets ("state_dict.student");
 *         "." is the root; NULL: as above
 * Errors: FORMAT (no tensors, bad names), UNSUPPORTED (another thing), MISMATCH (several VGGs, or none
 * of this key: the message lists what there is), LIMIT, MEMORY. */
vgg_status vgg_locate(const struct vgg_load *load, const struct vgg_pickle *pickle, const char *key,
                      struct vgg_location *out);

#endif
