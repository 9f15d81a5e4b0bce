/* SPDX-License-Identifier: MIT */
/* tools/cli: from arguments to options, messages about wrong ones, and the help. */
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/table.h"
#include "report/report.h"

/* Parses the arguments of one line, which are separated by single blanks. */
static vgg_status parse(const char *line, struct cli_options *options, struct vgg_error *err)
{
    static char copy[512];
    static char name[] = "vgg-infer";
    static char *argv[32];
    int argc = 1;
    argv[0] = name;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *argument = strtok(copy, " "); argument != NULL; argument = strtok(NULL, " ")) {
        argv[argc++] = argument;
    }
    *err = (struct vgg_error){0};
    return cli_parse(argc, argv, options, err);
}

static struct cli_options expect(const char *line)
{
    struct cli_options options;
    struct vgg_error err;
    ck_assert_msg(parse(line, &options, &err) == VGG_OK, "%s: %s", line, err.message);
    return options;
}

static void expect_message(const char *line, const char *message)
{
    struct cli_options options;
    struct vgg_error err;
    ck_assert_int_eq(parse(line, &options, &err), VGG_ERR_ARGUMENT);
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_null(options.operands);
}

START_TEST(has_defaults)
{
    struct cli_options options = expect("");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    ck_assert_int_eq(options.topk, 5);
    ck_assert_int_eq(options.threads, 0);
    ck_assert_int_eq(options.isa, VGG_ISA_AUTO);
    ck_assert_int_eq(options.format, FORMAT_TEXT);
    ck_assert_int_eq(options.operand_count, 0);
    cli_options_fini(&options);
}
END_TEST

START_TEST(keeps_the_order_of_operands)
{
    struct cli_options options = expect("net.pth -k 3 a.jpg -i b.png - --input=c.jpg --isa scalar");
    const char *const operands[] = {"net.pth", "a.jpg", "b.png", "-", "c.jpg"};
    ck_assert_int_eq(options.operand_count, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(options.operands[i], operands[i]);
    }
    ck_assert_int_eq(options.topk, 3);
    ck_assert_int_eq(options.isa, VGG_ISA_SCALAR);
    cli_options_fini(&options);
}
END_TEST

START_TEST(takes_values_in_every_way)
{
    const char *const lines[] = {"-k7", "-k 7", "-k=7", "--topk=7", "--topk 7", "-Vk7", "-hVk 7"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct cli_options options = expect(lines[i]);
        ck_assert_int_eq(options.topk, 7);
        cli_options_fini(&options);
    }
    struct cli_options options = expect("-fjson -t2 -t 1 --labels=a=b -m net.pth");
    ck_assert_int_eq(options.format, FORMAT_JSON);
    ck_assert_int_eq(options.threads, 1);
    ck_assert_str_eq(options.labels, "a=b");
    ck_assert_str_eq(options.model, "net.pth");
    cli_options_fini(&options);
}
END_TEST

START_TEST(takes_sizes_of_memory)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"1", 1},
                 {"1000", 1000},
                 {"3K", 3072},
                 {"512M", 536870912},
                 {"2G", 2147483648},
                 {"17179869183G", UINT64_MAX << 30},
                 {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[96];
        snprintf(line, sizeof line, "--max-memory %s --max-pixels %s", cases[i].text,
                 cases[i].text);
        struct cli_options options = expect(line);
        ck_assert_uint_eq(options.max_memory, cases[i].bytes);
        ck_assert_uint_eq(options.max_pixels, cases[i].bytes);
        cli_options_fini(&options);
    }
}
END_TEST

START_TEST(ends_options_at_two_dashes)
{
    struct cli_options options = expect("-- -k --help --");
    ck_assert_int_eq(options.operand_count, 3);
    ck_assert_str_eq(options.operands[0], "-k");
    ck_assert_str_eq(options.operands[2], "--");
    ck_assert(!options.help);
    cli_options_fini(&options);
}
END_TEST

START_TEST(knows_commands_by_the_first_argument_only)
{
    struct cli_options options = expect("compare net.pth dir --nodes --rtol 1e-4 --images");
    ck_assert_int_eq(options.command, CLI_COMPARE);
    ck_assert_int_eq(options.operand_count, 2);
    ck_assert(options.nodes && options.images);
    ck_assert_double_eq(options.rtol, 1e-4);
    cli_options_fini(&options);
    options = expect("net.pth compare");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    ck_assert_int_eq(options.operand_count, 2);
    cli_options_fini(&options);
    options = expect("./compare");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    cli_options_fini(&options);
}
END_TEST

START_TEST(suggests_what_was_meant)
{
    expect_message("--lables x", "unknown option --lables; did you mean --labels?");
    expect_message("--save-logit=x", "unknown option --save-logit; did you mean --save-logits?");
    expect_message("--vers", "unknown option --vers; did you mean --version?");
    expect_message("--treads=2", "unknown option --treads; did you mean --threads?");
    expect_message("--quite-something-else", "unknown option --quite-something-else");
    expect_message("--nodes", "--nodes is not an option of vgg-infer classify");
    expect_message("compare --topk 3", "--topk is not an option of vgg-infer compare");
    expect_message("-x", "unknown option -x in '-x'");
    expect_message("-Vz", "unknown option -z in '-Vz'");
}
END_TEST

START_TEST(refuses_wrong_values)
{
    expect_message("-k 0", "--topk: expected a number from 1 to 1000000, got '0'");
    expect_message("-k five", "--topk: expected a number from 1 to 1000000, got 'five'");
    expect_message("-t 2x", "--threads: expected a number from 1 to 1024, got '2x'");
    expect_message("-t 99999999999999999999",
                   "--threads: expected a number from 1 to 1024, got '99999999999999999999'");
    expect_message("-f yaml", "--format: expected text, json, jsonl or csv, got 'yaml'");
    expect_message("--isa sse",
                   "--isa: expected auto, scalar, avx2, avx512, amx or neon, got 'sse'");
    expect_message("compare --rtol nan", "--rtol: expected a number, 0 or larger, got 'nan'");
    expect_message("compare --rtol=-1", "--rtol: expected a number, 0 or larger, got '-1'");
    expect_message("--labels", "--labels needs a value");
    expect_message("-k", "--topk needs a value");
    expect_message("--labels=", "--labels: the value is empty");
    expect_message("bench -t 1,,2", "--threads: expected a number from 1 to 1024, got ''");
    expect_message("bench --batch 1,0", "--batch: expected a number from 1 to 4096, got '0'");
    expect_message("bench --isa avx2,sse",
                   "--isa: expected auto, scalar, avx2, avx512, amx or neon, got 'sse'");
    expect_message("bench -b 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
                   "--batch: expected at most 16 values");
    expect_message("--conv f8", "--conv: expected auto, exact, direct, f2, f4 or f6, got 'f8'");
    expect_message("--conv f2 --exact", "--exact and --conv exclude each other");
    expect_message("--time=3", "--time takes no value");
    static const char *const sizes[] = {"0", "-1", "1T", "2GB", "G", "x", "17179869184G"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char line[64], message[128];
        snprintf(line, sizeof line, "--max-memory %s", sizes[i]);
        snprintf(message, sizeof message,
                 "--max-memory: expected a number, 1 or larger, perhaps with K, M or G, got '%s'",
                 sizes[i]);
        expect_message(line, message);
    }
}
END_TEST

START_TEST(takes_lists)
{
    struct cli_options options = expect("bench net.pth -t 1,2 --batch=8 --isa scalar,auto");
    ck_assert_int_eq(options.command, CLI_BENCH);
    ck_assert_int_eq(options.threads_list.count, 2);
    ck_assert_int_eq(options.threads_list.values[1], 2);
    ck_assert_int_eq(options.batch_list.count, 1);
    ck_assert_int_eq(options.batch_list.values[0], 8);
    ck_assert_int_eq(options.isa_list.values[0], VGG_ISA_SCALAR);
    ck_assert_int_eq(options.isa_list.values[1], VGG_ISA_AUTO);
    ck_assert_int_eq(options.conv_list.count, 0);
    cli_options_fini(&options);
    options = expect("bench --exact");
    ck_assert_int_eq(options.conv_list.values[0], VGG_CONV_EXACT);
    cli_options_fini(&options);
    options = expect("info net.pth --plan --batch 8 --conv f4 --plan-for one-shot");
    ck_assert(options.plan);
    ck_assert_int_eq(options.batch, 8);
    ck_assert_int_eq(options.conv, VGG_CONV_F4);
    ck_assert_int_eq(options.plan_for, CLI_PLAN_ONE_SHOT);
    cli_options_fini(&options);
}
END_TEST

START_TEST(takes_sizes)
{
    struct cli_options options = expect("--size 32 a b");
    ck_assert(options.size.height == 32 && options.size.width == 32);
    ck_assert_int_eq(options.resize.height, -1);
    cli_options_fini(&options);
    options = expect("--size=240x320 --resize 0 a b");
    ck_assert(options.size.height == 240 && options.size.width == 320);
    ck_assert_int_eq(options.resize.height, 0);
    cli_options_fini(&options);
    static const char *const wrong[] = {"0", "32x", "x32", "32x0", "32x32x32", "65536", "a", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[64], message[128];
        snprintf(line, sizeof line, "--size=%s", wrong[i]);
        snprintf(message, sizeof message,
                 "--size: expected N or HxW (height x width) with sides from 1 to 65535, got '%s'",
                 wrong[i]);
        expect_message(line, message);
    }
    expect_message("--cfg 64,M --spec x.json", "--cfg and --spec exclude each other");
}
END_TEST

/* One number keeps the aspect, two do not; none and 0 are the same. */
START_TEST(takes_preprocessing)
{
    struct cli_options options = expect("a b");
    ck_assert(options.resize.height == -1 && options.crop.height == -1 && !options.mean.given);
    ck_assert(options.interpolation == -1 && options.channels == -1 && !options.no_normalize);
    cli_options_fini(&options);
    options = expect("--resize 64 --crop 48x80 --interpolation lanczos --channels gray a b");
    ck_assert(options.resize.height == 64 && options.resize.width == 0);
    ck_assert(options.crop.height == 48 && options.crop.width == 80);
    ck_assert_int_eq(options.interpolation, VGG_INTERPOLATION_LANCZOS);
    ck_assert_str_eq(cli_channels[options.channels], "gray");
    cli_options_fini(&options);
    options = expect("pack --resize=64x64 --crop none --mean -0.5 --std 1,2e-1,3 a");
    ck_assert(options.resize.height == 64 && options.resize.width == 64);
    ck_assert(options.crop.height == 0 && options.crop.width == 0);
    ck_assert(options.mean.given && options.mean.values[2] == -0.5F);
    ck_assert(options.std.values[0] == 1 && options.std.values[1] == 0.2F);
    cli_options_fini(&options);
    options = expect("--no-normalize --resize none --scores sigmoid a b");
    ck_assert(options.no_normalize && options.resize.height == 0);
    ck_assert_int_eq(options.scores, VGG_SCORES_SIGMOID);
    cli_options_fini(&options);
    expect_message("--crop 0x3", "--crop: expected none, N or HxW (height x width) with sides from "
                                 "1 to 65535, got '0x3'");
    expect_message("--resize -1", "--resize: expected none, N or HxW (height x width) with sides "
                                  "from 1 to 65535, got '-1'");
    static const char *const wrong[] = {"a", "1,2", "1,2,3,4", "1,2,", ",1", "nan", "1,inf,1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[64], message[128];
        snprintf(line, sizeof line, "--mean=%s", wrong[i]);
        snprintf(message, sizeof message,
                 "--mean: expected a number or three, as in 0.5,0.5,0.5, got '%s'", wrong[i]);
        expect_message(line, message);
    }
    expect_message("--interpolation box",
                   "--interpolation: expected bilinear, bicubic, nearest or lanczos, got 'box'");
    expect_message("--channels 2", "--channels: expected rgb, bgr, gray, 1 or 3, got '2'");
    expect_message("--scores logits", "--scores: expected auto, softmax, sigmoid or none, got "
                                      "'logits'");
    expect_message("--no-normalize --std 1", "--no-normalize excludes --mean and --std");
    expect_message("--size 3 --crop none", "--size and --crop exclude each other");
}
END_TEST

START_TEST(understands_eval_and_val)
{
    struct cli_options options = expect("eval folder --labels-file list -k3");
    ck_assert_int_eq(options.command, CLI_EVAL);
    ck_assert_str_eq(options.labels_file, "list");
    cli_options_fini(&options);
    options = expect("val folder");
    ck_assert_int_eq(options.command, CLI_EVAL);
    cli_options_fini(&options);
    options = expect("classify net.pth a.jpg");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    ck_assert_int_eq(options.operand_count, 2);
    cli_options_fini(&options);
}
END_TEST

START_TEST(takes_help_as_a_command)
{
    struct cli_options options = expect("help");
    ck_assert(options.help && !options.command_named);
    cli_options_fini(&options);
    options = expect("help bench");
    ck_assert(options.help && options.command_named);
    ck_assert_int_eq(options.command, CLI_BENCH);
    cli_options_fini(&options);
    options = expect("help val");
    ck_assert_int_eq(options.command, CLI_EVAL);
    cli_options_fini(&options);
    options = expect("help preprocessing");
    ck_assert(options.help);
    ck_assert_str_eq(cli_topic_table[options.help_topic].name, "preprocessing");
    cli_options_fini(&options);
    expect_message("help benhc", "help: unknown command 'benhc'; did you mean bench?");
    expect_message("help sing", "help: unknown command 'sing'");
    expect_message("help bench info", "help: expected one COMMAND, got 'info' after it");
}
END_TEST

START_TEST(takes_threads_from_the_environment)
{
    ck_assert_int_eq(setenv("VGG_THREADS", "3", 1), 0);
    struct cli_options options = expect("a.jpg");
    ck_assert_int_eq(options.threads, 3);
    cli_options_fini(&options);
    options = expect("a.jpg -t 1");
    ck_assert_int_eq(options.threads, 1);
    cli_options_fini(&options);
    options = expect("bench");
    ck_assert_int_eq(options.threads_list.count, 1);
    ck_assert_int_eq(options.threads_list.values[0], 3);
    cli_options_fini(&options);
    setenv("VGG_THREADS", "", 1);
    options = expect("a.jpg");
    ck_assert_int_eq(options.threads, 0);
    cli_options_fini(&options);
    setenv("VGG_THREADS", "many", 1);
    expect_message("a.jpg", "VGG_THREADS: expected a number from 1 to 1024, got 'many'");
    expect_message("bench", "VGG_THREADS: expected a number from 1 to 1024, got 'many'");
    options = expect("convert a.pth -o b.pth"); /* has no threads */
    cli_options_fini(&options);
    options = expect("--help");
    cli_options_fini(&options);
    unsetenv("VGG_THREADS");
}
END_TEST

START_TEST(refuses_a_wrong_isa_of_the_environment)
{
    static const char message[] =
        "VGG_ISA: expected scalar, avx2, avx512, amx or neon, got 'pentium'";
    setenv("VGG_ISA", "pentium", 1);
    expect_message("a.jpg", message);
    expect_message("bench --isa scalar", message);
    expect_message("info a.pth", message);
    struct cli_options options = expect("convert a.pth -o b.pth"); /* runs no net */
    cli_options_fini(&options);
    options = expect("--help");
    cli_options_fini(&options);
    setenv("VGG_ISA", "scalar", 1);
    options = expect("a.jpg");
    cli_options_fini(&options);
    unsetenv("VGG_ISA");
}
END_TEST

START_TEST(suggests_how_to_name_a_file_that_begins_with_a_dash)
{
    char folder[UNIT_FOLDER_BYTES];
    ck_assert_ptr_nonnull(mkdtemp(unit_temporary(folder, "vgg-cli")));
    ck_assert_int_eq(chdir(folder), 0);
    fclose(fopen("-dash.jpg", "w"));
    fclose(fopen("--dash.jpg", "w"));
    expect_message("-dash.jpg", "unknown option -d in '-dash.jpg'; for the file of that name write "
                                "./-dash.jpg, or -- before it");
    expect_message("--dash.jpg", "unknown option --dash.jpg; for the file of that name write "
                                 "./--dash.jpg, or -- before it");
    expect_message("-dish.jpg", "unknown option -d in '-dish.jpg'");
    unlink("-dash.jpg");
    unlink("--dash.jpg");
    rmdir(folder);
}
END_TEST

/* One letter is one option, whatever the command, and an option has its letter in every command. */
START_TEST(gives_every_letter_one_meaning)
{
    for (const struct cli_option *a = cli_option_table; a->name != NULL; a++) {
        for (const struct cli_option *b = a + 1; b->name != NULL; b++) {
            const bool same_name = strcmp(a->name, b->name) == 0;
            ck_assert_msg(!same_name || a->short_name == b->short_name, "--%s: -%c and -%c",
                          a->name, a->short_name, b->short_name);
            ck_assert_msg(same_name || a->short_name == 0 || a->short_name != b->short_name,
                          "-%c: --%s and --%s", a->short_name, a->name, b->name);
            ck_assert_msg(!same_name || (a->commands & b->commands) == 0, "--%s twice", a->name);
        }
    }
}
END_TEST

enum { TEXT_BYTES = 16384 };

/* Checks that a help has at most 40 lines of 80 columns. */
static void check_help(const char *text, const char *name)
{
    int lines = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        ck_assert_msg(strcspn(line, "\n") <= 80, "%s", line);
        lines++;
    }
    ck_assert_msg(lines <= 40, "%s: %d lines", name, lines);
}

/* The text of a help. NULL: that of the program. */
static const char *get_help(const struct cli_command_entry *entry)
{
    static char text[TEXT_BYTES];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    if (entry != NULL) {
        cli_write_command_help(entry->command, file);
    } else {
        cli_write_help(file);
    }
    fclose(file);
    check_help(text, entry != NULL ? entry->name : "help");
    return text;
}

static const char *get_topic_help(const struct cli_topic *topic)
{
    static char text[TEXT_BYTES];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    cli_write_topic_help(topic, file);
    fclose(file);
    check_help(text, topic->name);
    return text;
}

/* Whether a help has an option, in a line of its own or in a list of names. */
static bool has_option(const char *help, const char *name)
{
    char before_argument[64], at_end[64];
    snprintf(before_argument, sizeof before_argument, " --%s ", name);
    snprintf(at_end, sizeof at_end, " --%s\n", name);
    return strstr(help, before_argument) != NULL || strstr(help, at_end) != NULL;
}

/* Whether a command's help is to show an option: one of that name may be in the table for each command. */
static bool belongs(const char *name, enum cli_command command)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0 && (option->commands & command) != 0) {
            return option->group != CLI_GROUP_PROGRAM;
        }
    }
    return false;
}

START_TEST(writes_help_on_one_screen)
{
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        const char *help = get_help(e);
        for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
            const bool expected = belongs(option->name, e->command);
            ck_assert_msg(has_option(help, option->name) == expected, "%s: --%s", e->name,
                          option->name);
        }
    }
    /* The help of a topic has every option that a command's help only names. */
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        const struct cli_topic *topic = cli_topic_find(option->group);
        ck_assert_msg(topic == NULL || has_option(get_topic_help(topic), option->name), "--%s",
                      option->name);
    }
    const char *help = get_help(NULL);
    const char *const parts[] = {"Usage: vgg-infer [OPTIONS] [MODEL] IMAGE...\n",
                                 "-k, --topk N",
                                 "text, json, jsonl, csv",
                                 "VGG_THREADS",
                                 "NO_COLOR",
                                 "--licenses"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_assert_msg(strstr(help, parts[i]) != NULL, "no %s in the help", parts[i]);
    }
}
END_TEST

/* The phrase of each command comes out whole, with a full stop in it or without. */
START_TEST(lists_commands_with_their_whole_phrase)
{
    static char text[65536];
    for (int shell = CLI_SHELL_ZSH; shell <= CLI_SHELL_FISH; shell++) {
        memset(text, 0, sizeof text);
        FILE *file = fmemopen(text, sizeof text, "w");
        completion_write((enum cli_shell)shell, file);
        fclose(file);
        for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
            char line[256];
            snprintf(line, sizeof line, shell == CLI_SHELL_ZSH ? "'%s:%s'\n" : "-a %s -d '%s'\n",
                     e->name, e->brief);
            ck_assert_msg(strstr(text, line) != NULL, "no %s", line);
        }
    }
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        char line[256];
        snprintf(line, sizeof line, " %s\n", e->brief);
        ck_assert_msg(strstr(get_help(NULL), line) != NULL, "no %s", line);
    }
}
END_TEST

UNIT_MAIN("cli", has_defaults, keeps_the_order_of_operands, takes_values_in_every_way,
          takes_sizes_of_memory, ends_options_at_two_dashes,
          knows_commands_by_the_first_argument_only, suggests_what_was_meant, refuses_wrong_values,
          takes_lists, takes_sizes, takes_preprocessing, understands_eval_and_val,
          takes_help_as_a_command, takes_threads_from_the_environment,
          refuses_a_wrong_isa_of_the_environment,
          suggests_how_to_name_a_file_that_begins_with_a_dash, gives_every_letter_one_meaning,
          writes_help_on_one_screen, lists_commands_with_their_whole_phrase)
