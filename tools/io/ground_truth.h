/* SPDX-License-Identifier: MIT */
/* Which class each image of a folder is of: by the folder it lies in, or by a list. */
#ifndef TOOLS_IO_GROUND_TRUTH_H
#define TOOLS_IO_GROUND_TRUTH_H

#include <stddef.h>

#include "vgg/status.h"

/* The classes of a net. Borrowed. */
struct ground_truth_classes {
    const char *const *labels; /* [count]; an entry may be NULL: no name is known */
    int count;
};

struct ground_truth_image {
    char *path;
    int class_index;
};

enum ground_truth_source {
    GROUND_TRUTH_FOLDER_NAMES, /* folders are called as the net's classes */
    GROUND_TRUTH_FOLDER_ORDER, /* as torchvision's ImageFolder: the sorted names stand for classes 0, 1, … */
    GROUND_TRUTH_LIST,
};

struct ground_truth {
    struct ground_truth_image *images; /* [count], sorted or in the order of the list */
    size_t count, capacity;
    enum ground_truth_source source;
    size_t folders; /* of the first two sources */
    size_t others;  /* files that are no JPEG or PNG, where the folder was searched */
};

/* Reads a folder.
 *   list  NULL: the folder has one folder for each class, with images at any depth. Else a text file of a
 *         line for each image: its path from the folder, blanks, a comma or a tab, then its class; or the
 *         class alone, for the images in the folder sorted by their paths. A class is a number from 0 or
 *         a label
 *   out   to be freed, after an error too
 * Labels are compared without regard to case, and blanks, '_', '-' and '/' are all the same.
 * Errors: IO, FORMAT (a line that is none), MISMATCH (folders or classes that are not the net's), MEMORY. */
vgg_status ground_truth_read(const char *folder, const char *list,
                             const struct ground_truth_classes *classes, struct ground_truth *out,
                             struct vgg_error *err);
void ground_truth_free(struct ground_truth *truth);

#endif
