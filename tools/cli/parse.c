/* SPDX-License-Identifier: MIT */
/* The parser: long options as "--name=value" or "--name value", short ones bundled as "-k3" or "-Vh". */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/table.h"
#include "io/message.h"

enum { NAME_BYTES = 40 };

/* Where the parser is in argv. */
struct parser {
    char **argv;
    int argc;
    int next;
    /* What messages call the value: "--threads", or the environment variable it comes from. */
    char value_name[NAME_BYTES];
    struct cli_options *options;
    struct vgg_error *err;
};

/* Edit distance (insert, delete, replace) of two short names; longer ones are never near. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    size_t row[LONGEST + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > LONGEST || b_length > LONGEST) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[b_length];
}

/* How far a name is from what was typed: 0 when that is its beginning. */
static size_t get_distance(const char *typed, const char *name)
{
    const size_t length = strlen(typed);
    return length >= 2 && strncmp(name, typed, length) == 0 ? 0 : edit_distance(typed, name);
}

/* Names at a larger distance are not suggested. */
static size_t get_max_distance(const char *typed)
{
    return strlen(typed) < 6 ? 2 : 3;
}

/* The option of this command that was probably meant, or NULL. */
static const char *suggest_option(const char *typed, enum cli_command command)
{
    const char *nearest = NULL;
    size_t min_distance = get_max_distance(typed) + 1;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        const size_t distance = get_distance(typed, option->name);
        if ((option->commands & command) != 0 && distance < min_distance) {
            min_distance = distance;
            nearest = option->name;
        }
    }
    return nearest;
}

static vgg_status fail_unknown(struct parser *parser, const char *typed)
{
    const enum cli_command command = parser->options->command;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (strcmp(option->name, typed) == 0) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT,
                                "--%s is not an option of vgg-infer %s", typed,
                                cli_command_name(command));
        }
    }
    const char *nearest = suggest_option(typed, command);
    return nearest == NULL
               ? message_fail(parser->err, VGG_ERR_ARGUMENT, "unknown option --%s", typed)
               : message_fail(parser->err, VGG_ERR_ARGUMENT,
                              "unknown option --%s; did you mean --%s?", typed, nearest);
}

/* Lists "a, b or c". */
static void list_choices(const char *const *choices, char *out, size_t bytes)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && length < bytes; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        length += (size_t)snprintf(out + length, bytes - length, "%s%s", between, choices[i]);
    }
}

static vgg_status set_choice(struct parser *parser, const struct cli_option *option,
                             const char *value, int *out)
{
    char list[128];
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *out = i;
            return VGG_OK;
        }
    }
    list_choices(option->choices, list, sizeof list);
    return message_fail(parser->err, VGG_ERR_ARGUMENT, "%s: expected %s, got '%s'",
                        parser->value_name, list, value);
}

static vgg_status set_count(struct parser *parser, const struct cli_option *option,
                            const char *value, int *out)
{
    char *end;
    errno = 0;
    long count = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || count < option->low || count > option->high) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected a number from %d to %d, got '%s'", parser->value_name,
                            option->low, option->high, value);
    }
    *out = (int)count;
    return VGG_OK;
}

/* "a,b,c": every part in turn as if it stood alone. */
static vgg_status set_list(struct parser *parser, const struct cli_option *option,
                           const char *value, struct cli_list *out)
{
    char part[VGG_ERROR_MESSAGE_BYTES];
    const char *next = value;
    out->count = 0;
    do {
        const size_t length = strcspn(next, ",");
        if (out->count == CLI_LIST_MAX) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "%s: expected at most %d values",
                                parser->value_name, CLI_LIST_MAX);
        }
        snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : sizeof part - 1),
                 next);
        int *number = &out->values[out->count++];
        vgg_status status = option->kind == CLI_COUNTS ? set_count(parser, option, part, number)
                                                       : set_choice(parser, option, part, number);
        if (status != VGG_OK) {
            return status;
        }
        next += length;
    } while (*next++ == ',');
    return VGG_OK;
}

/* "N" or "HxW". */
static vgg_status set_size(struct parser *parser, const struct cli_option *option,
                           const char *value, struct cli_size *out)
{
    char *end;
    errno = 0;
    const long height = strtol(value, &end, 10);
    long width = height;
    bool complete = end != value;
    if (complete && (*end == 'x' || *end == 'X')) {
        const char *second = end + 1;
        width = strtol(second, &end, 10);
        complete = end != second;
    }
    if (!complete || *end != '\0' || errno != 0 || height < option->low || height > option->high ||
        width < option->low || width > option->high) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected N or HxW (height x width) with sides from %d to %d, "
                            "got '%s'",
                            parser->value_name, option->low, option->high, value);
    }
    *out = (struct cli_size){.height = (int)height, .width = (int)width};
    return VGG_OK;
}

/* "N", "HxW", or "none". */
static vgg_status set_extent(struct parser *parser, const struct cli_option *option,
                             const char *value, struct cli_extent *out)
{
    struct cli_size size;
    if (strcmp(value, "none") == 0 || strcmp(value, "0") == 0) {
        *out = (struct cli_extent){0, 0};
        return VGG_OK;
    }
    if (set_size(parser, option, value, &size) != VGG_OK) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected none, N or HxW (height x width) with sides from %d to "
                            "%d, got '%s'",
                            parser->value_name, option->low, option->high, value);
    }
    const bool has_width = strpbrk(value, "xX") != NULL;
    *out = (struct cli_extent){size.height, has_width ? size.width : 0};
    return VGG_OK;
}

/* "X" or "X,Y,Z". */
static vgg_status set_rgb(struct parser *parser, const char *value, struct cli_rgb *out)
{
    const char *next = value;
    char *end = NULL;
    int count = 0;
    do {
        out->values[count] = (float)strtod(next, &end);
        if (end == next || !isfinite(out->values[count])) {
            break;
        }
        count++;
        next = end + 1;
    } while (*end == ',' && count < 3);
    if (*end != '\0' || (count != 1 && count != 3) || end == next) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected a number or three, as in 0.5,0.5,0.5, got '%s'",
                            parser->value_name, value);
    }
    if (count == 1) {
        out->values[1] = out->values[2] = out->values[0];
    }
    out->given = true;
    return VGG_OK;
}

static vgg_status set_number(struct parser *parser, const char *value, double *out)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number) || number < 0) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected a number, 0 or larger, got '%s'", parser->value_name,
                            value);
    }
    *out = number;
    return VGG_OK;
}

/* "N", or with a suffix that multiplies by a power of 1024. */
static vgg_status set_bytes(struct parser *parser, const char *value, uint64_t *out)
{
    static const char suffixes[] = "KMG";
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(value, &end, 10);
    const char *suffix = *end != '\0' ? strchr(suffixes, *end) : NULL;
    const unsigned shift = suffix != NULL ? 10u * (unsigned)(suffix - suffixes + 1) : 0;
    if (!isdigit((unsigned char)value[0]) || end[suffix != NULL] != '\0' || errno != 0 ||
        number == 0 || number > UINT64_MAX >> shift) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "%s: expected a number, 1 or larger, perhaps with K, M or G, got '%s'",
                            parser->value_name, value);
    }
    *out = (uint64_t)number << shift;
    return VGG_OK;
}

/* Stores one option; value is NULL for flags. Messages call the value parser->value_name. */
static vgg_status set_value(struct parser *parser, const struct cli_option *option,
                            const char *value)
{
    void *target = (char *)parser->options + option->offset;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)target = true;
        return VGG_OK;
    case CLI_TEXT:
        if (value[0] == '\0') {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "%s: the value is empty",
                                parser->value_name);
        }
        *(const char **)target = value;
        return VGG_OK;
    case CLI_COUNT:
        return set_count(parser, option, value, target);
    case CLI_SIZE:
        return set_size(parser, option, value, target);
    case CLI_EXTENT:
        return set_extent(parser, option, value, target);
    case CLI_RGB:
        return set_rgb(parser, value, target);
    case CLI_BYTES:
        return set_bytes(parser, value, target);
    case CLI_NUMBER:
        return set_number(parser, value, target);
    case CLI_CHOICE:
        return set_choice(parser, option, value, target);
    case CLI_COUNTS:
    case CLI_CHOICES:
        return set_list(parser, option, value, target);
    case CLI_OPERAND:
        parser->options->operands[parser->options->operand_count++] = value;
        return VGG_OK;
    }
    return VGG_OK;
}

static vgg_status set(struct parser *parser, const struct cli_option *option, const char *value)
{
    snprintf(parser->value_name, sizeof parser->value_name, "--%s", option->name);
    return set_value(parser, option, value);
}

/* The value of an option that stands in the next argument. */
static vgg_status take_value(struct parser *parser, const struct cli_option *option,
                             const char **value)
{
    if (parser->next == parser->argc) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s needs a value", option->name);
    }
    *value = parser->argv[parser->next++];
    return VGG_OK;
}

/* "--name", "--name=value", "--name value"; text is what follows the dashes. */
static vgg_status parse_long(struct parser *parser, const char *text)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & parser->options->command) == 0 || strlen(option->name) != length ||
            strncmp(option->name, text, length) != 0) {
            continue;
        }
        if (option->kind == CLI_FLAG && value != NULL) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s takes no value", option->name);
        }
        if (option->kind != CLI_FLAG && value == NULL) {
            vgg_status status = take_value(parser, option, &value);
            if (status != VGG_OK) {
                return status;
            }
        }
        return set(parser, option, value);
    }
    /* As long as a message, which is cut at a whole character. */
    char name[VGG_ERROR_MESSAGE_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1),
             text);
    return fail_unknown(parser, name);
}

static const struct cli_option *find_short_option(char name, enum cli_command command)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (option->short_name == name && (option->commands & command) != 0) {
            return option;
        }
    }
    return NULL;
}

/* "-h", "-k3", "-k 3", "-Vk3"; text is what follows the dash. */
static vgg_status parse_short(struct parser *parser, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        const struct cli_option *option = find_short_option(*p, parser->options->command);
        vgg_status status = VGG_OK;
        if (option == NULL) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "unknown option -%c in '-%s'", *p,
                                text);
        }
        if (option->kind == CLI_FLAG) {
            status = set(parser, option, NULL);
            if (status != VGG_OK) {
                return status;
            }
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (p[1] == '\0') {
            status = take_value(parser, option, &value);
        }
        return status == VGG_OK ? set(parser, option, value) : status;
    }
    return VGG_OK;
}

/* A wrong option that is the name of a file was most likely meant as one. */
static void suggest_operand(struct parser *parser, const char *argument)
{
    struct vgg_error *err = parser->err;
    const size_t used = strlen(err->message);
    if (access(argument, F_OK) == 0) {
        snprintf(err->message + used, sizeof err->message - used,
                 "; for the file of that name write ./%s, or -- before it", argument);
    }
}

static vgg_status parse_arguments(struct parser *parser)
{
    bool options_end = false;
    while (parser->next < parser->argc) {
        const char *argument = parser->argv[parser->next++];
        vgg_status status = VGG_OK;
        if (options_end || argument[0] != '-' || argument[1] == '\0') {
            parser->options->operands[parser->options->operand_count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            options_end = true;
        } else {
            status = argument[1] == '-' ? parse_long(parser, argument + 2)
                                        : parse_short(parser, argument + 1);
        }
        if (status != VGG_OK) {
            suggest_operand(parser, argument);
            return status;
        }
    }
    return VGG_OK;
}

static const struct cli_command_entry *find_command(const char *name)
{
    for (const struct cli_command_entry *entry = cli_command_table; entry->name != NULL; entry++) {
        if (strcmp(name, entry->name) == 0 ||
            (entry->alias != NULL && strcmp(name, entry->alias) == 0)) {
            return entry;
        }
    }
    return NULL;
}

static vgg_status fail_unknown_command(struct parser *parser, const char *typed)
{
    const char *nearest = NULL;
    size_t min_distance = get_max_distance(typed) + 1;
    for (const struct cli_command_entry *entry = cli_command_table; entry->name != NULL; entry++) {
        const size_t distance = get_distance(typed, entry->name);
        if (distance < min_distance) {
            min_distance = distance;
            nearest = entry->name;
        }
    }
    return nearest == NULL
               ? message_fail(parser->err, VGG_ERR_ARGUMENT, "help: unknown command '%s'", typed)
               : message_fail(parser->err, VGG_ERR_ARGUMENT,
                              "help: unknown command '%s'; did you mean %s?", typed, nearest);
}

/* "help", "help COMMAND": the same as --help. */
static vgg_status parse_help(struct parser *parser)
{
    struct cli_options *options = parser->options;
    options->help = true;
    options->command = CLI_CLASSIFY;
    options->command_named = options->operand_count > 0;
    if (options->operand_count == 0) {
        return VGG_OK;
    }
    if (options->operand_count > 1) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "help: expected one COMMAND, got '%s' after it", options->operands[1]);
    }
    for (int topic = 0; cli_topic_table[topic].name != NULL; topic++) {
        if (strcmp(options->operands[0], cli_topic_table[topic].name) == 0) {
            options->help_topic = topic;
            return VGG_OK;
        }
    }
    const struct cli_command_entry *entry = find_command(options->operands[0]);
    if (entry == NULL) {
        return fail_unknown_command(parser, options->operands[0]);
    }
    options->command = entry->command;
    return VGG_OK;
}

/* The command's option of that name, or NULL. */
static const struct cli_option *find_own_option(const struct cli_options *options, const char *name)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0 && (option->commands & options->command) != 0) {
            return option;
        }
    }
    return NULL;
}

/* VGG_THREADS stands for --threads where the command has that option and it is not given. */
static vgg_status apply_threads(struct parser *parser)
{
    const char *value = getenv("VGG_THREADS");
    const struct cli_options *options = parser->options;
    const struct cli_option *option = find_own_option(options, "threads");
    if (option == NULL || value == NULL || value[0] == '\0' || options->threads > 0 ||
        options->threads_list.count > 0) {
        return VGG_OK;
    }
    snprintf(parser->value_name, sizeof parser->value_name, "VGG_THREADS");
    return set_value(parser, option, value);
}

/* VGG_ISA, which the library reads, must be right for commands that choose an instruction set. */
static vgg_status apply_environment(struct parser *parser)
{
    const vgg_status status = apply_threads(parser);
    return status == VGG_OK && find_own_option(parser->options, "isa") != NULL
               ? vgg_isa_check(parser->err)
               : status;
}

/* What one option alone cannot know. */
static vgg_status finish(struct parser *parser)
{
    struct cli_options *options = parser->options;
    if (options->exact && (options->conv != VGG_CONV_AUTO || options->conv_list.count > 0)) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "--exact and --conv exclude each other");
    }
    if (options->exact) {
        options->conv = VGG_CONV_EXACT;
        options->conv_list = (struct cli_list){.values = {VGG_CONV_EXACT}, .count = 1};
    }
    if (options->no_normalize && (options->mean.given || options->std.given)) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "--no-normalize excludes --mean and --std");
    }
    if (options->size.height > 0 && options->crop.height >= 0) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "--size and --crop exclude each other");
    }
    if (options->cfg != NULL && options->spec != NULL) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "--cfg and --spec exclude each other");
    }
    return VGG_OK;
}

/* Whether the program only prints something about itself. */
static bool is_about_program(const struct cli_options *options)
{
    return options->help || options->version || options->licenses || options->completion >= 0;
}

static vgg_status parse_all(struct parser *parser)
{
    struct cli_options *options = parser->options;
    const struct cli_command_entry *entry = parser->argc > 1 ? find_command(parser->argv[1]) : NULL;
    if (entry != NULL) {
        options->command = entry->command;
        options->command_named = true;
        parser->next = 2;
    }
    vgg_status status = parse_arguments(parser);
    if (status == VGG_OK && options->command == CLI_HELP) {
        return parse_help(parser);
    }
    if (status == VGG_OK && !is_about_program(options)) {
        status = apply_environment(parser);
    }
    return status == VGG_OK ? finish(parser) : status;
}

vgg_status cli_parse(int argc, char **argv, struct cli_options *out, struct vgg_error *err)
{
    *out = (struct cli_options){
        .command = CLI_CLASSIFY,
        .completion = -1,
        .help_topic = -1,
        .topk = 5,
        .resize = {.height = -1},
        .crop = {.height = -1},
        .interpolation = -1,
        .channels = -1,
        .rtol = 1e-5,
        .min_time = 0.5,
        .max_time = 10,
    };
    out->operands = calloc((size_t)(argc > 0 ? argc : 1), sizeof *out->operands);
    if (out->operands == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory");
    }
    struct parser parser = {.argv = argv, .argc = argc, .next = 1, .options = out, .err = err};
    vgg_status status = parse_all(&parser);
    if (status != VGG_OK) {
        cli_options_fini(out);
    }
    return status;
}

void cli_options_fini(struct cli_options *options)
{
    free(options->operands);
    *options = (struct cli_options){0};
}
