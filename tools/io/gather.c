/* SPDX-License-Identifier: MIT */
/* The files and the folders in a folder. */
#include "io/gather.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "io/files.h"
#include "io/message.h"

/* Appends a path, which the list owns from now on; NULL fails. */
static bool append(struct gathered *list, char *path)
{
    if (path != NULL && list->count == list->capacity) {
        const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        char **paths = realloc(list->paths, capacity * sizeof *paths);
        if (paths == NULL) {
            free(path);
            return false;
        }
        list->paths = paths;
        list->capacity = capacity;
    }
    if (path != NULL) {
        list->paths[list->count++] = path;
    }
    return path != NULL;
}

static char *join(const char *folder, const char *name)
{
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    char *path = NULL;
    return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

/* Takes one entry of a folder: a folder is appended to folders, an image to images. Either may be NULL.
 * False when out of memory. */
typedef bool take_fn(const char *folder, const char *name, struct gathered *folders,
                     struct gathered *images);

/* An image that cannot be read is not left out without a word: reading it later tells why. */
static bool is_image(const char *path)
{
    const enum file_kind kind = file_sniff(path);
    const char *dot = strrchr(path, '.');
    return kind == FILE_IMAGE || (kind == FILE_ABSENT && dot != NULL &&
                                  (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                                   strcasecmp(dot, ".png") == 0));
}

static bool take_any(const char *folder, const char *name, struct gathered *folders,
                     struct gathered *images)
{
    struct stat info;
    if (name[0] == '.') {
        return true;
    }
    char *path = join(folder, name);
    if (path == NULL) {
        return false;
    }
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return append(folders, path);
    }
    if (is_image(path)) {
        return append(images, path);
    }
    images->others++;
    free(path);
    return true;
}

static bool take_folder(const char *folder, const char *name, struct gathered *folders,
                        struct gathered *images)
{
    struct stat info;
    (void)images;
    if (name[0] == '.') {
        return true;
    }
    char *path = join(folder, name);
    if (path == NULL) {
        return false;
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return append(folders, path);
    }
    free(path);
    return true;
}

static bool take_file(const char *folder, const char *name, struct gathered *folders,
                      struct gathered *files)
{
    struct stat info;
    char *path = join(folder, name);
    if (path == NULL) {
        return false;
    }
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return append(folders, path);
    }
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        return append(files, path);
    }
    files->others++;
    free(path);
    return true;
}

static vgg_status read_folder(const char *folder, take_fn *take, struct gathered *folders,
                              struct gathered *images, struct vgg_error *err)
{
    DIR *stream = opendir(folder);
    bool good = true;
    if (stream == NULL) {
        return message_fail_errno(err, "%s: cannot read the folder", folder);
    }
    for (struct dirent *entry; good && (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        good = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
               take(folder, name, folders, images);
    }
    closedir(stream);
    return good ? VGG_OK : message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", folder);
}

static int compare_paths(const void *a, const void *b)
{
    char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static void sort(struct gathered *list)
{
    if (list->count > 0) {
        qsort(list->paths, list->count, sizeof *list->paths, compare_paths);
    }
}

/* Reads a folder and all folders in it. */
static vgg_status read_tree(const char *folder, take_fn *take, struct gathered *out,
                            struct vgg_error *err)
{
    struct gathered folders = {0};
    *out = (struct gathered){0};
    vgg_status status = read_folder(folder, take, &folders, out, err);
    for (size_t i = 0; i < folders.count && status == VGG_OK; i++) {
        status = read_folder(folders.paths[i], take, &folders, out, err);
    }
    gathered_free(&folders);
    sort(out);
    return status;
}

vgg_status gather_images(const char *folder, struct gathered *out, struct vgg_error *err)
{
    return read_tree(folder, take_any, out, err);
}

vgg_status gather_files(const char *folder, struct gathered *out, struct vgg_error *err)
{
    return read_tree(folder, take_file, out, err);
}

vgg_status gather_folders(const char *folder, struct gathered *out, struct vgg_error *err)
{
    *out = (struct gathered){0};
    vgg_status status = read_folder(folder, take_folder, out, NULL, err);
    sort(out);
    return status;
}

void gathered_free(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->count; i++) {
        free(gathered->paths[i]);
    }
    free(gathered->paths);
    *gathered = (struct gathered){0};
}
