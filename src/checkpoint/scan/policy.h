/* SPDX-License-Identifier: MIT */
/* What importing and calling a name means: by allow-list, what is on no list is suspicious. */
#ifndef VGG_CHECKPOINT_SCAN_POLICY_H
#define VGG_CHECKPOINT_SCAN_POLICY_H

#include "checkpoint/pickle/value.h"
#include "vgg/scan.h"

/* What the scan does with the result of a call. */
enum vgg_scan_use {
    VGG_SCAN_USE_NONE,
    VGG_SCAN_USE_TENSOR,     /* has no items to be set */
    VGG_SCAN_USE_ENCODE,     /* _codecs.encode */
    VGG_SCAN_USE_DTYPE,      /* numpy.dtype */
    VGG_SCAN_USE_ARRAY,      /* joblib's stand-in for an array, whose bytes follow in the stream */
    VGG_SCAN_USE_LOAD_BYTES, /* loads its argument as torch.load does; harmless if those bytes are */
    VGG_SCAN_USE_STORAGE_TYPE, /* a class of storages */
    VGG_SCAN_USE_TENSOR_TYPE,  /* a class of tensors */
};

struct vgg_scan_verdict {
    enum vgg_scan_severity severity;
    enum vgg_scan_use use;
    unsigned element_bytes; /* of a class of storages; else 0 */
    const char *reason;     /* the end of a message, or NULL */
};

/* allowed  as in struct vgg_scan_options, or NULL */
struct vgg_scan_verdict vgg_scan_judge(struct vgg_span module, struct vgg_span name,
                                       const char *allowed);

/* Whether a text can be a module's or an attribute's name: identifiers separated by dots. */
bool vgg_scan_is_identifier(struct vgg_span text);

#endif
