/* SPDX-License-Identifier: MIT */
/* Which class each image of a folder is of. */
#include "io/ground_truth.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/gather.h"
#include "io/message.h"
#include "io/plural.h"
#include "vgg/file.h"

/* Of a list: some millions of lines. */
enum { MAX_LIST_BYTES = 256 * 1024 * 1024 };

/* What is compared of a label's byte: the name of a folder cannot have all that a label has. */
static int fold(char byte)
{
    return byte == ' ' || byte == '-' || byte == '/' ? '_' : tolower((unsigned char)byte);
}

static bool is_label(const char *text, const char *label)
{
    while (*text != '\0' && fold(*text) == fold(*label)) {
        text++;
        label++;
    }
    return *text == '\0' && *label == '\0';
}

enum { NO_CLASS = -1, SEVERAL_CLASSES = -2 };

/* The class of that label, or one of the two above. */
static int find_label(const struct ground_truth_classes *classes, const char *text)
{
    int found = NO_CLASS;
    for (int i = 0; i < classes->count; i++) {
        if (classes->labels[i] != NULL && is_label(text, classes->labels[i])) {
            found = found == NO_CLASS ? i : SEVERAL_CLASSES;
        }
    }
    return found;
}

/* An image of that class; path is copied. */
static bool append(struct ground_truth *truth, const char *path, int class_index)
{
    if (truth->count == truth->capacity) {
        const size_t capacity = truth->capacity > 0 ? 2 * truth->capacity : 256;
        struct ground_truth_image *images =
            realloc(truth->images, capacity * sizeof *truth->images);
        if (images == NULL) {
            return false;
        }
        truth->images = images;
        truth->capacity = capacity;
    }
    char *copy = strdup(path);
    if (copy != NULL) {
        truth->images[truth->count++] =
            (struct ground_truth_image){.path = copy, .class_index = class_index};
    }
    return copy != NULL;
}

/* --- folders ---------------------------------------------------------------------------------- */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Decides what the folders stand for. */
static vgg_status choose_source(const char *folder, const struct gathered *folders,
                                const struct ground_truth_classes *classes,
                                struct ground_truth *out, struct vgg_error *err)
{
    size_t named = 0;
    const char *unknown = NULL;
    for (size_t i = 0; i < folders->count; i++) {
        const int found = find_label(classes, name_of(folders->paths[i]));
        if (found == SEVERAL_CLASSES) {
            return message_fail(err, VGG_ERR_MISMATCH,
                                "%s: several classes of the net have this label; name the classes "
                                "with --labels-file FILE",
                                folders->paths[i]);
        }
        named += found != NO_CLASS;
        unknown = found == NO_CLASS && unknown == NULL ? folders->paths[i] : unknown;
    }
    out->folders = folders->count;
    if (named == folders->count) {
        out->source = GROUND_TRUTH_FOLDER_NAMES;
        return VGG_OK;
    }
    if (named > 0) {
        return message_fail(
            err, VGG_ERR_MISMATCH,
            "%s: expected all folders to have the net's labels as names, got %zu of %zu; "
            "'%s' is not a label",
            folder, named, folders->count, name_of(unknown));
    }
    if (folders->count != (size_t)classes->count) {
        return message_fail(
            err, VGG_ERR_MISMATCH,
            "%s: expected %d folders, one per class in order, or folders named by the net's "
            "labels, "
            "got %zu folder%s, '%s' the first; name the classes with --labels-file FILE",
            folder, classes->count, folders->count, plural_s(folders->count), name_of(unknown));
    }
    out->source = GROUND_TRUTH_FOLDER_ORDER;
    return VGG_OK;
}

static vgg_status take_folder(const char *folder, int class_index, struct ground_truth *out,
                              struct vgg_error *err)
{
    struct gathered found;
    vgg_status status = gather_images(folder, &found, err);
    for (size_t i = 0; i < found.count && status == VGG_OK; i++) {
        if (!append(out, found.paths[i], class_index)) {
            status = message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", folder);
        }
    }
    out->others += found.others;
    gathered_free(&found);
    return status;
}

static vgg_status read_folders(const char *folder, const struct ground_truth_classes *classes,
                               struct ground_truth *out, struct vgg_error *err)
{
    struct gathered folders;
    vgg_status status = gather_folders(folder, &folders, err);
    if (status == VGG_OK && folders.count == 0) {
        status = message_fail(err, VGG_ERR_MISMATCH,
                              "%s: expected a folder for each class, found none; name the classes "
                              "of its images with --labels-file FILE",
                              folder);
    }
    if (status == VGG_OK) {
        status = choose_source(folder, &folders, classes, out, err);
    }
    for (size_t i = 0; i < folders.count && status == VGG_OK; i++) {
        const char *path = folders.paths[i];
        const int index =
            out->source == GROUND_TRUTH_FOLDER_NAMES ? find_label(classes, name_of(path)) : (int)i;
        status = take_folder(path, index, out, err);
    }
    gathered_free(&folders);
    return status;
}

/* --- a list ----------------------------------------------------------------------------------- */

/* A list that is being read. */
struct list {
    const char *path, *folder;
    const struct ground_truth_classes *classes;
    size_t line;
    bool classes_only;
    struct gathered found; /* the images in the folder, for classes only */
};

/* A number or a label to its class. */
static vgg_status find_class(const struct list *list, const char *text, int *out,
                             struct vgg_error *err)
{
    char *end;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end != text && *end == '\0') {
        if (errno == 0 && number >= 0 && number < list->classes->count) {
            *out = (int)number;
            return VGG_OK;
        }
        return message_fail(err, VGG_ERR_MISMATCH,
                            "%s: line %zu: expected a class from 0 to %d, found %s%s", list->path,
                            list->line, list->classes->count - 1, text,
                            number == list->classes->count ? "; are they numbered from 1?" : "");
    }
    *out = find_label(list->classes, text);
    if (*out >= 0) {
        return VGG_OK;
    }
    return message_fail(err, VGG_ERR_MISMATCH, "%s: line %zu: '%s' is %s", list->path, list->line,
                        text,
                        *out == NO_CLASS ? "neither a number nor a label of the net"
                                         : "the label of several classes: write their numbers");
}

/* Where the path ends: a tab if there is one, since paths may have blanks and commas; NULL if nowhere. */
static char *find_separator(char *line)
{
    char *tab = strchr(line, '\t');
    if (tab != NULL) {
        return tab;
    }
    const size_t length = strcspn(line, " ,");
    return line[length] != '\0' ? line + length : NULL;
}

/* "cat.jpg 281" to an image. The text is changed. */
static vgg_status take_line(const struct list *list, char *line, struct ground_truth *out,
                            struct vgg_error *err)
{
    char path[PATH_MAX];
    char *separator = find_separator(line);
    int class_index;
    if (separator == NULL) {
        return message_fail(err, VGG_ERR_FORMAT,
                            "%s: line %zu: expected an image and its class, found '%s'", list->path,
                            list->line, line);
    }
    *separator = '\0';
    const char *class_text = separator + 1 + strspn(separator + 1, " \t,");
    vgg_status status = find_class(list, class_text, &class_index, err);
    if (status != VGG_OK) {
        return status;
    }
    const int length = snprintf(path, sizeof path, "%s/%s", list->folder, line);
    if (length < 0 || length >= PATH_MAX) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: line %zu: the path is too long", list->path,
                            list->line);
    }
    return append(out, path, class_index)
               ? VGG_OK
               : message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", list->path);
}

/* The class of the next image of the folder. */
static vgg_status take_class(const struct list *list, const char *line, struct ground_truth *out,
                             struct vgg_error *err)
{
    int class_index;
    vgg_status status = find_class(list, line, &class_index, err);
    if (status != VGG_OK) {
        return status;
    }
    if (out->count == list->found.count) {
        return message_fail(err, VGG_ERR_MISMATCH,
                            "%s: line %zu: expected %zu classes, one per image in %s, got more",
                            list->path, list->line, list->found.count, list->folder);
    }
    return append(out, list->found.paths[out->count], class_index)
               ? VGG_OK
               : message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", list->path);
}

static void trim(char *line)
{
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1])) {
        length--;
    }
    line[length] = '\0';
}

/* Decides by the first line which kind of list it is; of classes alone the images are found in the folder. */
static vgg_status choose_kind(struct list *list, char *line, struct vgg_error *err)
{
    struct vgg_error none;
    int ignored;
    list->classes_only =
        find_separator(line) == NULL || find_class(list, line, &ignored, &none) == VGG_OK;
    return list->classes_only ? gather_images(list->folder, &list->found, err) : VGG_OK;
}

/* Reads a text of that many bytes, which is changed. */
static vgg_status read_lines(struct list *list, char *text, size_t bytes, struct ground_truth *out,
                             struct vgg_error *err)
{
    bool first = true;
    vgg_status status = VGG_OK;
    for (char *line = text, *next; line < text + bytes && status == VGG_OK; line = next) {
        char *end = memchr(line, '\n', (size_t)(text + bytes - line));
        next = end != NULL ? end + 1 : text + bytes;
        *(end != NULL ? end : next) = '\0'; /* there is one more byte than the text has */
        trim(line);
        list->line++;
        if (line[0] == '\0') {
            continue;
        }
        if (first) {
            status = choose_kind(list, line, err);
            first = false;
        }
        if (status == VGG_OK) {
            status = list->classes_only ? take_class(list, line, out, err)
                                        : take_line(list, line, out, err);
        }
    }
    return status;
}

static vgg_status read_list(const char *folder, const char *path,
                            const struct ground_truth_classes *classes, struct ground_truth *out,
                            struct vgg_error *err)
{
    struct list list = {.path = path, .folder = folder, .classes = classes};
    char *text;
    size_t bytes;
    out->source = GROUND_TRUTH_LIST;
    vgg_status status = vgg_small_file_read(path, MAX_LIST_BYTES, &text, &bytes, err);
    if (status != VGG_OK) {
        return status;
    }
    status = read_lines(&list, text, bytes, out, err);
    if (status == VGG_OK && list.classes_only && out->count < list.found.count) {
        status = message_fail(err, VGG_ERR_MISMATCH,
                              "%s: expected %zu classes, one per image in %s, got %zu", path,
                              list.found.count, folder, out->count);
    }
    out->others = list.found.others;
    free(text);
    gathered_free(&list.found);
    return status;
}

vgg_status ground_truth_read(const char *folder, const char *list,
                             const struct ground_truth_classes *classes, struct ground_truth *out,
                             struct vgg_error *err)
{
    *out = (struct ground_truth){0};
    vgg_status status = list != NULL ? read_list(folder, list, classes, out, err)
                                     : read_folders(folder, classes, out, err);
    if (status == VGG_OK && out->count == 0) {
        status = message_fail(err, VGG_ERR_MISMATCH,
                              "%s: expected JPEG or PNG images, found none among %zu file%s",
                              folder, out->others, plural_s(out->others));
    }
    return status;
}

void ground_truth_free(struct ground_truth *truth)
{
    for (size_t i = 0; i < truth->count; i++) {
        free(truth->images[i].path);
    }
    free(truth->images);
    *truth = (struct ground_truth){0};
}
