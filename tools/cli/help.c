/* SPDX-License-Identifier: MIT */
/* The help text, made of the tables. */
#include <string.h>

#include "cli/table.h"

enum { HELP_COLUMN = 26, LINE_COLUMNS = 80 };

static const char *const headings[CLI_GROUPS] = {
    [CLI_GROUP_COMMON] = "Options",
    [CLI_GROUP_NET] = "Net",
    [CLI_GROUP_PREPROCESS] = "Preprocessing",
    [CLI_GROUP_RUN] = "Speed and memory",
    [CLI_GROUP_OTHER] = "Other",
};

static const struct cli_command_entry *find_command(enum cli_command command)
{
    const struct cli_command_entry *entry = cli_command_table;
    while (entry->command != command) {
        entry++;
    }
    return entry;
}

const char *cli_command_name(enum cli_command command)
{
    return find_command(command)->name;
}

/* "  -k, --topk N" */
static int write_option_name(const struct cli_option *option, FILE *out)
{
    int width = option->short_name != 0
                    ? fprintf(out, "  -%c, --%s", option->short_name, option->name)
                    : fprintf(out, "      --%s", option->name);
    return option->argument == NULL ? width : width + fprintf(out, " %s", option->argument);
}

static void write_option(const struct cli_option *option, FILE *out)
{
    const int width = write_option_name(option, out);
    fprintf(out, "%*s%s", width < HELP_COLUMN ? HELP_COLUMN - width : 2, "", option->help);
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        fprintf(out, "%s%s", i == 0 ? ": " : ", ", option->choices[i]);
    }
    putc('\n', out);
}

/* Names of options without a phrase, as many on a line as fit. */
static void write_short_option(const struct cli_option *option, int *column, FILE *out)
{
    const char *argument = option->argument != NULL ? option->argument : "";
    const int width = (int)(strlen(option->name) + strlen(argument)) + 2 + (argument[0] != '\0');
    if (*column + 2 + width > LINE_COLUMNS) {
        putc('\n', out);
        *column = 0;
    }
    fprintf(out, "  --%s%s%s", option->name, argument[0] != '\0' ? " " : "", argument);
    *column += 2 + width;
}

static void write_heading(enum cli_group group, const struct cli_topic *topic, FILE *out)
{
    if (headings[group] == NULL) {
        return;
    }
    fprintf(out, "\n%s", headings[group]);
    if (topic != NULL) {
        fprintf(out, " (vgg-infer help %s explains it)", topic->name);
    }
    fputs(":\n", out);
}

static void write_group(enum cli_command command, enum cli_group group, FILE *out)
{
    const struct cli_topic *topic = cli_topic_find(group);
    bool begun = false;
    int column = 0;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & command) == 0 || option->group != group) {
            continue;
        }
        if (!begun) {
            write_heading(group, topic, out);
        }
        begun = true;
        if (topic != NULL) {
            write_short_option(option, &column, out);
        } else {
            write_option(option, out);
        }
    }
    fputs(column > 0 ? "\n" : "", out);
}

void cli_write_topic_help(const struct cli_topic *topic, FILE *out)
{
    fprintf(out, "%s\n", topic->text);
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (option->group == topic->group) {
            write_option(option, out);
        }
    }
}

void cli_write_command_help(enum cli_command command, FILE *out)
{
    const struct cli_command_entry *entry = find_command(command);
    fprintf(out, "Usage: vgg-infer %s%s%s\n\n%s\n", entry == cli_command_table ? "" : entry->name,
            entry == cli_command_table ? "" : " ", entry->usage, entry->description);
    for (int group = 0; group < CLI_GROUP_PROGRAM; group++) {
        write_group(command, (enum cli_group)group, out);
    }
}

void cli_write_help(FILE *out)
{
    const struct cli_command_entry *first = cli_command_table;
    fprintf(out, "Usage: vgg-infer %s\n       vgg-infer COMMAND [OPTIONS] ...\n\n%s\n\nCommands:\n",
            first->usage, first->description);
    for (const struct cli_command_entry *entry = first; entry->name != NULL; entry++) {
        fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, entry->name, entry->brief);
    }
    write_group(first->command, CLI_GROUP_COMMON, out);
    write_group(first->command, CLI_GROUP_PROGRAM, out);
    fputs("\nExit codes:", out);
    for (const struct cli_exit_entry *code = cli_exit_table; code->meaning != NULL; code++) {
        fprintf(out, "\n  %d  %s", code->code, code->meaning);
    }
    fputs("\n\nEnvironment:\n", out);
    for (const struct cli_variable_entry *e = cli_variable_table; e->name != NULL; e++) {
        fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, e->name, e->meaning);
    }
}
