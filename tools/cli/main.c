/* SPDX-License-Identifier: MIT */
/* vgg-infer: the program. Parses its options and runs the command that they name. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/table.h"
#include "cli/completion.h"
#include "cli/notice.h"
#include "commands/commands.h"
#include "io/message.h"
#include "commands/confine.h"
#include "vgg/vgg.h"

/* A caller may have closed the standard files; the next file that is opened would then take their
 * place, and results be written into it. */
static void fill_standard_files(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

static int call_command(const struct cli_options *options, struct command_outputs *outputs)
{
    switch (options->command) {
    case CLI_COMPARE:
        return command_compare(options, outputs);
    case CLI_BENCH:
        return command_bench(options, outputs);
    case CLI_CONVERT:
        return command_convert(options);
    case CLI_PACK:
        return command_pack(options);
    case CLI_EVAL:
        return command_eval(options, outputs);
    case CLI_SCAN:
        return command_scan(options, outputs);
    case CLI_INFO:
        return command_info(options, outputs);
    case CLI_CLASSIFY:
    case CLI_HELP:
        break;
    }
    return command_classify(options, outputs);
}

/* Opens the outputs and gives up the right to open others before a byte of the inputs is read. */
static int run_command(const struct cli_options *options)
{
    struct command_outputs outputs;
    struct vgg_error err = {0};
    vgg_status status = command_outputs_open(options, &outputs, &err);
    if (status == VGG_OK) {
        status = outputs_start_helper(&outputs.all, &err);
    }
    if (status == VGG_OK) {
        status = confine(options, &err);
    }
    if (status == VGG_OK) {
        return call_command(options, &outputs);
    }
    (void)outputs_finish(&outputs.all, status, &err);
    message_error(&err);
    return status == VGG_ERR_ARGUMENT ? EXIT_USAGE
           : message_is_memory(&err)  ? EXIT_MEMORY
                                      : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct cli_options options;
    struct vgg_error err = {0};
    fill_standard_files();
    vgg_status status = cli_parse(argc, argv, &options, &err);
    if (status != VGG_OK) {
        message_error(&err);
        message_print("see vgg-infer help");
        return status == VGG_ERR_MEMORY ? EXIT_MEMORY : EXIT_USAGE;
    }
    int exit_code = EXIT_GOOD;
    if (options.help_topic >= 0) {
        cli_write_topic_help(&cli_topic_table[options.help_topic], stdout);
    } else if (options.help && options.command_named) {
        cli_write_command_help(options.command, stdout);
    } else if (options.help) {
        cli_write_help(stdout);
    } else if (options.completion >= 0) {
        completion_write((enum cli_shell)options.completion, stdout);
    } else if (options.licenses) {
        if (!notice_write(stdout)) {
            message_print("no memory for the licenses");
            exit_code = EXIT_MEMORY;
        }
    } else if (options.version) {
        printf("vgg-infer %s\n", vgg_version());
    } else {
        exit_code = run_command(&options);
    }
    if (exit_code == EXIT_USAGE) {
        message_print("see vgg-infer help%s%s", options.command_named ? " " : "",
                      options.command_named ? cli_command_name(options.command) : "");
    }
    cli_options_fini(&options);
    if (fflush(stdout) != 0) {
        exit_code = exit_code == EXIT_GOOD ? EXIT_FAILED : exit_code;
    }
    return exit_code;
}
