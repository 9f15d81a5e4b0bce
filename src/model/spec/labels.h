/* Class names: one a line in a text file, or built in. */
#ifndef VGG_MODEL_SPEC_LABELS_H
#define VGG_MODEL_SPEC_LABELS_H

#include "base/mem.h"
#include "base/status.h"

struct vgg_labels {
    const char **names; /* [count]; UTF-8 */
    size_t count;       /* 0: there are no names */
};

#define VGG_MAX_LABEL_BYTES 1024

/* Reads class names, one a line; a line ends with LF or CRLF, the last one may lack its end. Every
 * line is a class, an empty one too: the line number is the class index. A byte order mark at the
 * start is skipped.
 *   source  file name, for messages
 *   text    [size]; may be freed afterwards
 *   arena   owns the names
 * Errors: FORMAT (not UTF-8, a control character, nothing there), LIMIT, MEMORY. */
vgg_status vgg_labels_parse(const char *source, const void *text, size_t size,
                            struct vgg_arena *arena, struct vgg_labels *out, struct vgg_error *err);
vgg_status vgg_labels_open(const char *path, const struct vgg_limits *limits,
                           struct vgg_arena *arena, struct vgg_labels *out, struct vgg_error *err);

/* A built-in list by its name: "imagenet". Errors: ARGUMENT, MEMORY. */
vgg_status vgg_labels_find(const char *name, struct vgg_arena *arena, struct vgg_labels *out,
                           struct vgg_error *err);

/* NULL when text[size] can be shown as a label, else what is wrong with it. */
const char *vgg_label_check(const char *text, size_t size);

#endif
