/* SPDX-License-Identifier: MIT */
/* The files that the options of a command name for writing. */
#include "commands/outputs.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/files.h"
#include "io/message.h"
#include "io/side_files.h"

/* --- an output that is read, too -------------------------------------------------------------- */

/* A file that is to be written. */
struct written {
    const char *path;
    char whole[PATH_MAX]; /* with its links followed; "" where its folder is missing */
    bool exists;
    struct stat info;
};

/* The file's own path, or that of its folder and its name. */
static void find_whole_path(const char *path, char whole[PATH_MAX])
{
    char copy[PATH_MAX], folder[PATH_MAX];
    whole[0] = '\0';
    if (strlen(path) >= sizeof copy || realpath(path, whole) != NULL) {
        return;
    }
    whole[0] = '\0';
    strcpy(copy, path);
    if (realpath(dirname(copy), folder) != NULL) {
        strcpy(copy, path);
        const int length = snprintf(whole, PATH_MAX, "%s/%s", folder, basename(copy));
        whole[length < PATH_MAX ? length : 0] = '\0';
    }
}

static struct written look_at(const char *path)
{
    struct written written = {.path = path};
    written.exists = stat(path, &written.info) == 0;
    find_whole_path(path, written.whole);
    return written;
}

/* A terminal and /dev/null are read and written without harm. */
static bool is_device(const struct written *written)
{
    return written->exists && S_ISCHR(written->info.st_mode);
}

/* Whether a file in a folder is one that the command would read there. */
static bool is_read_in(const struct written *written, const char *folder)
{
    char whole[PATH_MAX];
    const size_t length = realpath(folder, whole) != NULL ? strlen(whole) : 0;
    if (length == 0 || strncmp(written->whole, whole, length) != 0 ||
        (written->whole[length] != '/' && length > 1)) {
        return false;
    }
    const enum file_kind kind = file_sniff(written->path);
    const char *name = strrchr(written->whole, '/');
    return kind == FILE_IMAGE || kind == FILE_ARRAY || kind == FILE_CHECKPOINT ||
           strcmp(name, "/golden.json") == 0;
}

struct check {
    const struct written *written;
    struct vgg_error *err;
};

static vgg_status check_input(void *user, const char *path)
{
    const struct check *check = user;
    const struct written *written = check->written;
    struct stat info;
    if (path == NULL || !written->exists || is_device(written) || stat(path, &info) != 0) {
        return VGG_OK;
    }
    const bool same = info.st_dev == written->info.st_dev && info.st_ino == written->info.st_ino;
    if (same || (S_ISDIR(info.st_mode) && is_read_in(written, path))) {
        return message_fail(check->err, VGG_ERR_ARGUMENT,
                            "%s: expected a file that is not read, too, found the input %s%s",
                            written->path, same ? "" : "in ", path);
    }
    return VGG_OK;
}

/* Compares an output with every file that the options name for reading, and those beside the model. */
static vgg_status check_inputs(const struct cli_options *options, const struct written *written,
                               struct vgg_error *err)
{
    struct check check = {written, err};
    const char *named[] = {options->model, options->spec, options->labels, options->labels_file,
                           options->calibrate};
    const char *model = options->model;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < sizeof named / sizeof named[0] && status == VGG_OK; i++) {
        status = check_input(&check, named[i]);
    }
    for (int i = 0; i < options->operand_count && status == VGG_OK; i++) {
        status = check_input(&check, options->operands[i]);
    }
    if (model == NULL && options->operand_count > 0) {
        model = options->operands[0];
    }
    return status == VGG_OK && model != NULL
               ? side_files_each(model, SIDE_SHARDS_USUAL, check_input, &check)
               : status;
}

static vgg_status check_outputs(const struct cli_options *options, struct vgg_error *err)
{
    const char *paths[] = {options->output, options->save_logits, options->save_input,
                           options->plot, options->write_spec};
    struct written written[sizeof paths / sizeof paths[0]];
    size_t count = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (paths[i] == NULL) {
            continue;
        }
        written[count] = look_at(paths[i]);
        vgg_status status = check_inputs(options, &written[count], err);
        if (status != VGG_OK) {
            return status;
        }
        for (size_t k = 0; k < count; k++) {
            if (!is_device(&written[k]) && written[k].whole[0] != '\0' &&
                strcmp(written[k].whole, written[count].whole) == 0) {
                return message_fail(err, VGG_ERR_ARGUMENT,
                                    "%s: expected another file than %s, got the same twice",
                                    written[count].path, written[k].path);
            }
        }
        count++;
    }
    return VGG_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

vgg_status command_outputs_open(const struct cli_options *options, struct command_outputs *out,
                                struct vgg_error *err)
{
    struct outputs *all = &out->all;
    const bool by_library = options->command == CLI_PACK || options->command == CLI_CONVERT;
    *out = (struct command_outputs){.results = {.file = stdout}};
    vgg_status status = check_outputs(options, err);
    if (status == VGG_OK && !by_library) {
        status = outputs_add(all, options->output, VGG_OUTPUT_APPENDED, &out->results, err);
    }
    if (status == VGG_OK && options->save_logits != NULL) {
        status = outputs_add(all, options->save_logits, VGG_OUTPUT_SEEKABLE, &out->logits, err);
    }
    if (status == VGG_OK && options->save_input != NULL) {
        status = outputs_add(all, options->save_input, VGG_OUTPUT_SEEKABLE, &out->input, err);
    }
    if (status == VGG_OK && options->plot != NULL) {
        status = outputs_add(all, options->plot, VGG_OUTPUT_APPENDED, &out->plot, err);
    }
    return status;
}
