/* The help text, made of the tables. */
#include <string.h>

#include "cli/table.h"

enum { HELP_COLUMN = 30 };

/* "-k, --topk N", "    --isa {auto,scalar,…}" */
static int write_option_name(const struct cli_option *option, FILE *out)
{
    int width = option->letter != 0 ? fprintf(out, "  -%c, --%s", option->letter, option->name)
                                    : fprintf(out, "      --%s", option->name);
    if (option->argument != NULL) {
        width += fprintf(out, " %s", option->argument);
    }
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        width += fprintf(out, "%s%s", i == 0 ? " {" : ",", option->choices[i]);
    }
    return width + (option->choices == NULL       ? 0
                    : option->kind == CLI_CHOICES ? fprintf(out, "},...")
                                                  : fprintf(out, "}"));
}

static void write_options(enum cli_command command, FILE *out)
{
    fputs("\nOptions:\n", out);
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & command) == 0) {
            continue;
        }
        int width = write_option_name(option, out);
        if (width >= HELP_COLUMN - 1) {
            putc('\n', out);
            width = 0;
        }
        fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", option->help);
    }
}

static void write_commands(FILE *out)
{
    fputs("\nCommands (a first word; anything else classifies):\n", out);
    for (const struct cli_command_entry *entry = cli_command_table; entry->name != NULL; entry++) {
        if (entry->name[0] != '\0') {
            int sentence = (int)strcspn(entry->summary, ":.");
            fprintf(out, "  %-10s %.*s; see vgg-infer %s --help\n", entry->name, sentence,
                    entry->summary, entry->name);
        }
    }
}

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

void cli_write_help(enum cli_command command, FILE *out)
{
    const struct cli_command_entry *entry = find_command(command);
    fprintf(out, "Usage: vgg-infer %s%s%s\n\n%s\n", entry->name, entry->name[0] != '\0' ? " " : "",
            entry->usage, entry->summary);
    if (command == CLI_CLASSIFY) {
        write_commands(out);
    }
    write_options(command, out);
    fputs("\nResults go to standard output, all else to standard error. Exit codes:\n", out);
    for (const struct cli_exit_entry *code = cli_exit_table; code->meaning != NULL; code++) {
        fprintf(out, "  %d  %s\n", code->code, code->meaning);
    }
}
