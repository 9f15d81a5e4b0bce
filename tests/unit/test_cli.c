/* tools/cli: what words become which options, and what is said about wrong ones. */
#include "unit.h"

#include <string.h>

#include "cli/cli.h"

/* Parses the words of one line, which are separated by single blanks. */
static vgg_status parse(const char *line, struct cli_options *options, struct vgg_error *err)
{
    static char copy[512];
    static char name[] = "vgg-infer";
    static char *argv[32];
    int argc = 1;
    argv[0] = name;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
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
    ck_assert_ptr_null(options.words);
}

START_TEST(has_defaults)
{
    struct cli_options options = expect("");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    ck_assert_int_eq(options.topk, 5);
    ck_assert_int_eq(options.threads, 0);
    ck_assert_int_eq(options.isa, VGG_ISA_AUTO);
    ck_assert_int_eq(options.format, CLI_FORMAT_TEXT);
    ck_assert_int_eq(options.word_count, 0);
    cli_options_fini(&options);
}
END_TEST

START_TEST(keeps_the_order_of_words)
{
    struct cli_options options = expect("net.pth -k 3 a.jpg -i b.png - --input=c.jpg --isa scalar");
    const char *const words[] = {"net.pth", "a.jpg", "b.png", "-", "c.jpg"};
    ck_assert_int_eq(options.word_count, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(options.words[i], words[i]);
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
    struct cli_options options = expect("-ojson -t2 -t 1 --labels=a=b -m net.pth");
    ck_assert_int_eq(options.format, CLI_FORMAT_JSON);
    ck_assert_int_eq(options.threads, 1);
    ck_assert_str_eq(options.labels, "a=b");
    ck_assert_str_eq(options.model, "net.pth");
    cli_options_fini(&options);
}
END_TEST

START_TEST(ends_options_at_two_dashes)
{
    struct cli_options options = expect("-- -k --help --");
    ck_assert_int_eq(options.word_count, 3);
    ck_assert_str_eq(options.words[0], "-k");
    ck_assert_str_eq(options.words[2], "--");
    ck_assert(!options.help);
    cli_options_fini(&options);
}
END_TEST

START_TEST(knows_commands_by_the_first_word_only)
{
    struct cli_options options = expect("compare net.pth dir --nodes --rtol 1e-4 --images");
    ck_assert_int_eq(options.command, CLI_COMPARE);
    ck_assert_int_eq(options.word_count, 2);
    ck_assert(options.nodes && options.images);
    ck_assert_double_eq(options.rtol, 1e-4);
    cli_options_fini(&options);
    options = expect("net.pth compare");
    ck_assert_int_eq(options.command, CLI_CLASSIFY);
    ck_assert_int_eq(options.word_count, 2);
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
    expect_message("--nodes", "--nodes is no option of this command");
    expect_message("compare --topk 3", "--topk is no option of this command");
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
    expect_message("-o yaml", "--format: expected text, json, jsonl or csv, got 'yaml'");
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

/* Every line fits a terminal, and every option of the command is there. */
START_TEST(takes_sizes)
{
    struct cli_options options = expect("--size 32 a b");
    ck_assert(options.size.height == 32 && options.size.width == 32);
    ck_assert_int_eq(options.resize, -1);
    cli_options_fini(&options);
    options = expect("--size=240x320 --resize 0 a b");
    ck_assert(options.size.height == 240 && options.size.width == 320);
    ck_assert_int_eq(options.resize, 0);
    cli_options_fini(&options);
    static const char *const wrong[] = {"0", "32x", "x32", "32x0", "32x32x32", "65536", "a", "-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char words[64], message[128];
        snprintf(words, sizeof words, "--size=%s", wrong[i]);
        snprintf(message, sizeof message,
                 "--size: expected N or HxW (height x width) with sides from 1 to 65535, got '%s'",
                 wrong[i]);
        expect_message(words, message);
    }
    expect_message("--cfg 64,M --spec x.json", "--cfg and --spec exclude each other");
}
END_TEST

START_TEST(writes_help)
{
    const enum cli_command commands[] = {CLI_COMPARE, CLI_BENCH, CLI_INFO, CLI_CLASSIFY};
    char text[16384];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        memset(text, 0, sizeof text);
        FILE *file = fmemopen(text, sizeof text, "w");
        cli_write_help(commands[i], file);
        fclose(file);
        for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
            ck_assert_msg(strcspn(line, "\n") <= 100, "%s", line);
        }
    }
    const char *const parts[] = {"Usage: vgg-infer [options] [MODEL] IMAGE...\n", "-k, --topk N",
                                 "--isa {auto,scalar,avx2,avx512,amx,neon}", "compare",
                                 "--save-input"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no %s in the help", parts[i]);
    }
    ck_assert_ptr_null(strstr(text, "--rtol"));
}
END_TEST

UNIT_MAIN("cli", has_defaults, keeps_the_order_of_words, takes_values_in_every_way,
          ends_options_at_two_dashes, knows_commands_by_the_first_word_only,
          suggests_what_was_meant, refuses_wrong_values, takes_lists, takes_sizes, writes_help)
