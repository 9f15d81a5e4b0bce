/* SPDX-License-Identifier: MIT */
/* The files that a command writes. */
#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "io/message.h"

vgg_status outputs_add(struct outputs *outputs, const char *path, enum vgg_output_use use,
                       struct output *out, struct vgg_error *err)
{
    *out = (struct output){.path = path, .file = stdout};
    if (outputs->count == 0) {
        outputs->to_helper = outputs->from_helper = -1;
    }
    if (path == NULL) {
        return VGG_OK;
    }
    vgg_status status = vgg_output_open(path, use, &out->target, err);
    if (status != VGG_OK) {
        *out = (struct output){0};
        return status;
    }
    /* The stream has a descriptor of its own to close. */
    const int fd = fcntl(vgg_output_get_descriptor(out->target), F_DUPFD_CLOEXEC, 0);
    out->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    outputs->items[outputs->count++] = out;
    return out->file != NULL ? VGG_OK : message_fail_errno(err, "%s: cannot create", path);
}

/* Gives all files their names; on an error the rest is removed. */
static vgg_status commit(struct outputs *outputs, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (int i = 0; i < outputs->count; i++) {
        struct output *output = outputs->items[i];
        if (status == VGG_OK) {
            status = vgg_output_commit(output->target, err);
        } else {
            vgg_output_abort(output->target);
        }
        output->target = NULL;
    }
    return status;
}

static void abort_all(struct outputs *outputs)
{
    for (int i = 0; i < outputs->count; i++) {
        vgg_output_abort(outputs->items[i]->target);
        outputs->items[i]->target = NULL;
    }
}

/* --- the other process ------------------------------------------------------------------------ */

/* Reads bytes until all are there; false at the end or after an error. */
static bool read_all(int fd, void *out, size_t bytes)
{
    for (size_t have = 0; have < bytes;) {
        const ssize_t got = read(fd, (char *)out + have, bytes - have);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* What it does until the end. A signal to all of the terminal's processes must not end it before the files are removed:
 * it ends when the first process has. */
static void help(struct outputs *outputs, int from, int to)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    struct vgg_error err = {0};
    char byte;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], SIG_IGN);
    }
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    if (read_all(from, &byte, 1)) {
        (void)commit(outputs, &err);
        (void)!write(to, &err, sizeof err);
    } else {
        abort_all(outputs);
    }
}

vgg_status outputs_start_helper(struct outputs *outputs, struct vgg_error *err)
{
    int there[2], back[2];
    bool needed = false;
    for (int i = 0; i < outputs->count; i++) {
        needed = needed || vgg_output_is_replaced(outputs->items[i]->target);
    }
    if (!needed) {
        return VGG_OK;
    }
    if (pipe2(there, O_CLOEXEC) != 0) {
        return message_fail_errno(err, "cannot make a pipe");
    }
    if (pipe2(back, O_CLOEXEC) != 0) {
        close(there[0]);
        close(there[1]);
        return message_fail_errno(err, "cannot make a pipe");
    }
    const pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        help(outputs, there[0], back[1]);
        _exit(0);
    }
    const int failure = errno;
    close(there[0]);
    close(back[1]);
    outputs->to_helper = there[1];
    outputs->from_helper = back[0];
    errno = failure;
    return child > 0 ? VGG_OK
                     : message_fail_errno(err, "cannot start the process that gives %s its name",
                                          outputs->items[0]->path);
}

/* Has the other process give the names. */
static vgg_status ask_helper(struct outputs *outputs, struct vgg_error *err)
{
    struct vgg_error answer;
    signal(SIGPIPE, SIG_IGN); /* it may have been killed */
    if (write(outputs->to_helper, "c", 1) != 1 ||
        !read_all(outputs->from_helper, &answer, sizeof answer)) {
        errno = EPIPE;
        (void)message_fail_errno(err, "%s: cannot write: its process was killed",
                                 outputs->items[0]->path);
        err->sys_errno = 0; /* not an output whose reader went away */
        return err->code;
    }
    if (answer.code != VGG_OK) {
        *err = answer;
    }
    return answer.code;
}

/* --- the end ---------------------------------------------------------------------------------- */

static vgg_status close_stream(struct output *output, vgg_status status, struct vgg_error *err)
{
    errno = 0;
    if (output->file == NULL) {
        return status;
    }
    const bool failed = ferror(output->file) != 0;
    const bool closed = fclose(output->file) == 0;
    output->file = NULL;
    return status == VGG_OK && (failed || !closed)
               ? message_fail_errno(err, "%s: cannot write", output->path)
               : status;
}

vgg_status outputs_finish(struct outputs *outputs, vgg_status status, struct vgg_error *err)
{
    for (int i = 0; i < outputs->count; i++) {
        status = close_stream(outputs->items[i], status, err);
    }
    if (outputs->count == 0) {
        return status;
    }
    if (status == VGG_OK) {
        status = outputs->to_helper >= 0 ? ask_helper(outputs, err) : commit(outputs, err);
    }
    abort_all(outputs); /* frees them where the other process has done it */
    if (outputs->to_helper >= 0) {
        close(outputs->to_helper);
        close(outputs->from_helper);
    }
    outputs->count = 0;
    return status;
}
