/* SPDX-License-Identifier: MIT */
/* Reads class names from a text file with one name per line, or from a built-in list. */
#ifndef VGG_MODEL_SPEC_LABELS_H
#define VGG_MODEL_SPEC_LABELS_H

#include "base/load.h"

struct vgg_labels {
    /* [count], UTF-8 */
    const char **names;
    /* 0: the classes have no names. */
    size_t count;
};

#define VGG_MAX_LABEL_BYTES 1024

/* Reads class names, one per line; a line ends with LF or CRLF, the last one may lack its end. Every
 * line is a class, an empty one too: the line number is the class index. A byte order mark at the
 * start is skipped.
 *   text  [size]; may be freed afterwards
 * Errors: FORMAT (not UTF-8, a control character, an empty file), LIMIT, MEMORY. */
vgg_status vgg_labels_parse(const struct vgg_load *load, const void *text, size_t size,
                            struct vgg_labels *out);
/* The same for the file load->path. Also IO. */
vgg_status vgg_labels_open(const struct vgg_load *load, struct vgg_labels *out);

/* A built-in list by its name: imagenet, cifar10, cifar100, mnist, fashion-mnist.
 * Errors: ARGUMENT (another name), MEMORY. */
vgg_status vgg_labels_find(const char *name, struct vgg_arena *arena, struct vgg_labels *out,
                           struct vgg_error *err);
bool vgg_labels_is_builtin(const char *name);

/* Checks that there is a name for each output. A net with one output has two classes, 0 and 1, and so two names; a
 * single one is that of class 1, and class 0 is then called "not NAME".
 *   path  for messages about memory
 * Errors: MEMORY; MISMATCH without a message. */
vgg_status vgg_labels_fit(const char *path, int outputs, struct vgg_arena *arena,
                          struct vgg_labels *labels, struct vgg_error *err);

/* NULL when text[size] can be shown as a label, otherwise what is wrong with it. */
const char *vgg_label_check(const char *text, size_t size);

#endif
