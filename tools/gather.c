/* The pictures in a folder. */
#include "gather.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "message.h"

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

/* One entry of a folder: a picture goes to out, a folder to those still to be read. */
static bool take_entry(const char *folder, const char *name, struct gathered *folders,
                       struct gathered *out)
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
    if (file_sniff(path) == FILE_PICTURE) {
        return append(out, path);
    }
    out->others++;
    free(path);
    return true;
}

static vgg_status read_folder(const char *folder, struct gathered *folders, struct gathered *out,
                              struct vgg_error *err)
{
    DIR *stream = opendir(folder);
    bool good = true;
    if (stream == NULL) {
        return message_fail_errno(err, "%s: cannot read the folder", folder);
    }
    for (struct dirent *entry; good && (entry = readdir(stream)) != NULL;) {
        good = take_entry(folder, entry->d_name, folders, out);
    }
    closedir(stream);
    return good ? VGG_OK : message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", folder);
}

static int compare_paths(const void *a, const void *b)
{
    char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

vgg_status gather_pictures(const char *folder, struct gathered *out, struct vgg_error *err)
{
    struct gathered folders = {0};
    *out = (struct gathered){0};
    vgg_status status = read_folder(folder, &folders, out, err);
    for (size_t i = 0; i < folders.count && status == VGG_OK; i++) {
        status = read_folder(folders.paths[i], &folders, out, err);
    }
    gathered_free(&folders);
    if (status == VGG_OK && out->count > 0) {
        qsort(out->paths, out->count, sizeof *out->paths, compare_paths);
    }
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
