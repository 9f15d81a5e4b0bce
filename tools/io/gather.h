/* SPDX-License-Identifier: MIT */
/* The files and the folders in a folder. */
#ifndef TOOLS_IO_GATHER_H
#define TOOLS_IO_GATHER_H

#include <stddef.h>

#include "vgg/status.h"

/* Paths of files, sorted, so that they are the same on every file system. */
struct gathered {
    char **paths; /* [count] */
    size_t count, capacity;
    size_t others; /* files that are not JPEG or PNG */
};

/* Finds all JPEG and PNG files, by content, in a folder and the folders in it; hidden files and folders and
 * links to folders are skipped. *out is to be freed, after an error too.
 * Errors: IO (the folder cannot be read), MEMORY. */
vgg_status gather_images(const char *folder, struct gathered *out, struct vgg_error *err);
/* The folders in a folder, not those in them; links to folders count, hidden ones do not. *out is to be freed,
 * after an error too. Errors: as above. */
vgg_status gather_folders(const char *folder, struct gathered *out, struct vgg_error *err);
/* Finds all regular files in a folder and the folders in it, hidden ones too; links to files are followed, those to
 * folders are not. *out is to be freed, after an error too. Errors: as above. */
vgg_status gather_files(const char *folder, struct gathered *out, struct vgg_error *err);
void gathered_free(struct gathered *gathered);

#endif
