/* SPDX-License-Identifier: MIT */
/* Put a command into the sandbox: it can read what its options name, and write what it has opened.
 *
 *     read      the model and the files beside it that the library looks for; the images, or all below their folders
 *     replaced  files in the folder of what the library writes at the end: pack, convert, --write-spec
 *
 * Links are followed here, before there is a sandbox: to the blobs of a cache of models, to the images of a data set. */
#include "commands/confine.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/files.h"
#include "io/message.h"
#include "io/sandbox.h"
#include "io/side_files.h"
#include "timing/timing.h"

/* --- reading ---------------------------------------------------------------------------------- */

static vgg_status allow_file(void *user, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        sandbox_allow(user, path, SANDBOX_READ);
    }
    return VGG_OK;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum { MAX_DEPTH = 32 };

/* Allows what the links in a folder lead to, also those in folders that a link leads to. */
static void allow_links(struct sandbox *sandbox, const char *folder, int depth)
{
    char path[PATH_MAX];
    DIR *stream = depth < MAX_DEPTH ? opendir(folder) : NULL;
    if (stream == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        const bool link = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        const bool hidden = entry->d_name[0] == '.';
        if (hidden || (!link && entry->d_type != DT_DIR) ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
            continue;
        }
        if (link) {
            sandbox_allow(sandbox, path, SANDBOX_READ);
        }
        if (is_folder(path)) {
            allow_links(sandbox, path, depth + 1);
        }
    }
    closedir(stream);
}

static void allow_input(struct sandbox *sandbox, const char *path)
{
    if (path != NULL) {
        sandbox_allow(sandbox, path, SANDBOX_READ);
        if (is_folder(path)) {
            allow_links(sandbox, path, 0);
        }
    }
}

static void allow_inputs(struct sandbox *sandbox, const struct cli_options *options)
{
    char bundled[PATH_MAX];
    const char *named[] = {options->model, options->spec, options->labels, options->labels_file,
                           options->calibrate};
    const char *model = options->model;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        allow_input(sandbox, named[i]);
    }
    for (int i = 0; i < options->operand_count; i++) {
        allow_input(sandbox, options->operands[i]);
    }
    if (model == NULL && options->operand_count > 0) {
        model = options->operands[0];
    }
    if (model != NULL) {
        (void)side_files_each(model, SIDE_SHARDS_ANY, allow_file, sandbox);
    }
    /* Without an IMAGE, golden.json names images wherever they are. */
    const int before_images = options->model == NULL ? 2 : 1;
    if (options->command == CLI_COMPARE && options->images &&
        options->operand_count <= before_images) {
        sandbox_allow(sandbox, "/", SANDBOX_READ);
    }
    if (options->model == NULL && file_find_bundled(bundled, sizeof bundled)) {
        allow_input(sandbox, bundled);
        (void)side_files_each(bundled, SIDE_SHARDS_USUAL, allow_file, sandbox);
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Allows a file in a folder to be replaced, and one beside it with another extension to be made. */
static void allow_output(struct sandbox *sandbox, const char *path)
{
    char copy[PATH_MAX], whole[PATH_MAX];
    struct stat info;
    const bool exists = path != NULL && stat(path, &info) == 0;
    if (path == NULL || strlen(path) >= sizeof copy) {
        return;
    }
    if (exists && !S_ISREG(info.st_mode)) {
        sandbox_allow(sandbox, path, SANDBOX_WRITE);
        return;
    }
    strcpy(copy, path);
    sandbox_allow(sandbox, dirname(copy), SANDBOX_REPLACE);
    if (realpath(path, whole) != NULL) { /* where a link leads to */
        sandbox_allow(sandbox, dirname(whole), SANDBOX_REPLACE);
    }
}

/* --- entering --------------------------------------------------------------------------------- */

/* What is missing of a sandbox; NULL: nothing. */
static const char *describe_missing(unsigned parts)
{
    if (!sandbox_is_built()) {
        return "a build with a sanitizer has none";
    }
    switch (parts) {
    case 0:
        return "this system lets system calls and paths be restricted by neither seccomp nor "
               "Landlock";
    case SANDBOX_CALLS:
        return "this system has no Landlock: any file can be read";
    case SANDBOX_PATHS:
        return "this system has no seccomp filters: any system call can be made";
    default:
        return NULL;
    }
}

vgg_status confine(const struct cli_options *options, struct vgg_error *err)
{
    struct sandbox sandbox;
    if (options->sandbox == CLI_SANDBOX_OFF) {
        return VGG_OK;
    }
    timing_keep_memory_reset();
    sandbox_begin(&sandbox);
    allow_inputs(&sandbox, options);
    allow_output(&sandbox, options->write_spec);
    if (options->command == CLI_PACK || options->command == CLI_CONVERT) {
        allow_output(&sandbox, options->output);
    }
    const unsigned parts = sandbox_enter(&sandbox);
    const char *missing = describe_missing(parts);
    message_set_restricted((parts & SANDBOX_PATHS) != 0);
    if (missing != NULL && options->sandbox == CLI_SANDBOX_REQUIRE) {
        return message_fail(err, VGG_ERR_ARGUMENT, "--sandbox require: %s", missing);
    }
    if (missing != NULL && (sandbox_is_built() || options->verbose)) {
        message_print("warning: no whole sandbox: %s", missing);
    }
    return VGG_OK;
}
