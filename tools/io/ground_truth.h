/* Which class each picture of a folder is of: by the folder it lies in, or by a list. */
#ifndef TOOLS_IO_GROUND_TRUTH_H
#define TOOLS_IO_GROUND_TRUTH_H

#include <stddef.h>

#include "vgg/status.h"

/* The classes of a net. Borrowed. */
struct truth_classes {
    const char *const *labels; /* [count]; an entry may be NULL: no name is known */
    int count;
};

struct truth_picture {
    char *path;
    int class_index;
};

enum truth_source {
    TRUTH_FOLDER_NAMES, /* folders are called as the net's classes */
    TRUTH_FOLDER_ORDER, /* as torchvision's ImageFolder: the sorted names stand for classes 0, 1, … */
    TRUTH_LIST,
};

struct truth {
    struct truth_picture *pictures; /* [count], sorted or in the order of the list */
    size_t count, capacity;
    enum truth_source source;
    size_t folders; /* of the first two sources */
    size_t others;  /* files that are no JPEG or PNG, where the folder was searched */
};

/* Reads a folder.
 *   list  NULL: the folder has one folder for each class, with pictures at any depth. Else a text file of a
 *         line for each picture: its path from the folder, blanks, a comma or a tab, then its class; or the
 *         class alone, for the pictures in the folder sorted by their paths. A class is a number from 0 or
 *         a label
 *   out   to be freed, after an error too
 * Labels are compared without regard to case, and blanks, '_', '-' and '/' are all the same.
 * Errors: IO, FORMAT (a line that is none), MISMATCH (folders or classes that are not the net's), MEMORY. */
vgg_status truth_read(const char *folder, const char *list, const struct truth_classes *classes,
                      struct truth *out, struct vgg_error *err);
void truth_free(struct truth *truth);

#endif
