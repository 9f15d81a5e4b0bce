/* SPDX-License-Identifier: MIT */
/* vgg-infer scan: what loading files with Python would import and call. */
#include <errno.h>
#include <sys/stat.h>

#include "commands/commands.h"
#include "io/gather.h"
#include "io/message.h"
#include "io/sigbus.h"
#include "report/scan_report.h"

static void on_finding(void *user, const struct vgg_scan_finding *finding)
{
    scan_report_finding(user, finding);
}

static void on_opcode(void *user, const struct vgg_scan_opcode *opcode)
{
    scan_report_opcode(user, opcode);
}

/* The scan of one file; an error of the file is reported, and returned if it is a lack of memory. */
static vgg_status scan_file(const struct cli_options *options, struct scan_report *report,
                            const char *path, bool in_folder, struct vgg_error *err)
{
    const struct vgg_context context = message_context(options->verbose);
    const struct vgg_scan_options what = {.found = on_finding,
                                          .traced = options->trace ? on_opcode : NULL,
                                          .user = report,
                                          .allowed = options->allow,
                                          .skip_others = in_folder};
    struct vgg_scan_result result = {0};
    sigbus_begin(path);
    scan_report_file(report, path);
    vgg_status status = vgg_scan_file(path, &what, &context, &result, err);
    scan_report_file_end(report, &result, status != VGG_OK ? err->message : NULL);
    sigbus_end();
    if (status != VGG_OK && !message_is_memory(err)) {
        message_file_error(path, err);
        *err = (struct vgg_error){0};
        status = VGG_OK;
    }
    return status;
}

static vgg_status scan_folder(const struct cli_options *options, struct scan_report *report,
                              const char *folder, struct vgg_error *err)
{
    struct gathered files;
    vgg_status status = gather_files(folder, &files, err);
    for (size_t i = 0; i < files.count && status == VGG_OK; i++) {
        status = scan_file(options, report, files.paths[i], true, err);
    }
    gathered_free(&files);
    return status;
}

static vgg_status scan_all(const struct cli_options *options, struct scan_report *report,
                           struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    scan_report_begin(report);
    for (int i = 0; i < options->operand_count && status == VGG_OK; i++) {
        struct stat info;
        const char *path = options->operands[i];
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
            status = scan_folder(options, report, path, err);
        } else {
            status = scan_file(options, report, path, false, err);
        }
    }
    scan_report_end(report);
    return status;
}

static vgg_status check_options(const struct cli_options *options, struct vgg_error *err)
{
    if (options->operand_count == 0) {
        return message_fail(err, VGG_ERR_ARGUMENT, "expected a FILE or FOLDER to scan, got none");
    }
    if (options->trace && options->format != SCAN_TEXT) {
        return message_fail(err, VGG_ERR_ARGUMENT, "--trace: expected the format text");
    }
    return VGG_OK;
}

static int exit_code_of(const struct scan_report *report)
{
    if (report->with_findings > 0) {
        return EXIT_FAILED;
    }
    return report->unjudged > 0 || report->files == report->skipped ? EXIT_MODEL : EXIT_GOOD;
}

int command_scan(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct scan_report report = {.out = outputs->results.file,
                                 .format = (enum scan_format)options->format,
                                 .verbose = options->verbose};
    vgg_status status = check_options(options, &err);
    int failure = EXIT_USAGE;
    if (status == VGG_OK) {
        status = scan_all(options, &report, &err);
        failure = EXIT_MODEL;
    }
    if (status == VGG_OK) {
        failure = EXIT_FAILED;
        errno = 0;
        if (fflush(report.out) != 0 || ferror(report.out) != 0) {
            status = message_fail_errno(&err, "cannot write the results");
        } else if (report.files == report.skipped) {
            message_print("no file among %llu that Python would unpickle",
                          (unsigned long long)report.files);
        }
    }
    status = outputs_finish(&outputs->all, status, &err);
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    if (message_is_memory(&err)) {
        return EXIT_MEMORY;
    }
    return status == VGG_OK ? exit_code_of(&report) : failure;
}
