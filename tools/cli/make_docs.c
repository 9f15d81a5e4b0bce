/* SPDX-License-Identifier: MIT */
/* Run while building: writes the man page vgg-infer(1) or a shell's completions, made of the tables.
 *
 *     make_docs man VERSION | bash | zsh | fish */
#include <string.h>

#include "cli/table.h"
#include "cli/completion.h"

/* Text for troff: a dash is a minus sign, and no line begins with a control character. */
static void put_text(const char *text)
{
    const char *p = text;
    if (*p == '.' || *p == '\'') {
        fputs("\\&", stdout);
    }
    for (; *p != '\0'; p++) {
        switch (*p) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        default:
            putchar(*p);
        }
    }
}

static void put_line(const char *text)
{
    put_text(text);
    putchar('\n');
}

/* Lines of text, whose breaks are kept by troff's no-fill mode. */
static void put_lines(const char *text)
{
    char line[128];
    for (const char *p = text; *p != '\0';) {
        const int length = (int)strcspn(p, "\n");
        snprintf(line, sizeof line, "%.*s", length, p);
        put_line(line);
        p += length + (p[length] == '\n');
    }
}

static void put_option(const struct cli_option *option)
{
    fputs(".TP\n", stdout);
    if (option->short_name != 0) {
        printf("\\fB\\-%c\\fR, ", option->short_name);
    }
    fputs("\\fB\\-\\-", stdout);
    put_text(option->name);
    fputs("\\fR", stdout);
    if (option->argument != NULL) {
        fputs(" \\fI", stdout);
        put_text(option->argument);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_text(option->help);
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        fputs(i == 0 ? ": \\fB" : "\\fR, \\fB", stdout);
        put_text(option->choices[i]);
    }
    fputs(option->choices != NULL ? "\\fR\n" : "\n", stdout);
}

static void put_command(const struct cli_command_entry *entry)
{
    fputs(".SH VGG-INFER ", stdout);
    for (const char *p = entry->name; *p != '\0'; p++) {
        putchar(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    }
    putchar('\n');
    put_line(entry->description);
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & entry->command) != 0) {
            put_option(option);
        }
    }
}

static void put_man(const char *version)
{
    printf(".TH VGG-INFER 1 \"\" \"vgg-infer %s\" \"User Commands\"\n"
           ".SH NAME\n"
           "vgg-infer \\- classify images with pretrained VGG checkpoints\n"
           ".SH SYNOPSIS\n",
           version);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fputs(e == cli_command_table ? ".B vgg\\-infer" : ".br\n.B vgg\\-infer ", stdout);
        put_line(e == cli_command_table ? "" : e->name);
        put_line(e->usage);
    }
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        put_command(e);
    }
    for (const struct cli_topic *topic = cli_topic_table; topic->name != NULL; topic++) {
        printf(".SH OPTIONS OF %s\n.nf\n",
               topic->group == CLI_GROUP_NET ? "THE NET" : "PREPROCESSING");
        put_lines(topic->text);
        fputs(".fi\n", stdout);
    }
    fputs(".SH EXIT STATUS\n", stdout);
    for (const struct cli_exit_entry *e = cli_exit_table; e->meaning != NULL; e++) {
        printf(".TP\n.B %d\n", e->code);
        put_line(e->meaning);
    }
    fputs(".SH ENVIRONMENT\n", stdout);
    for (const struct cli_variable_entry *e = cli_variable_table; e->name != NULL; e++) {
        printf(".TP\n.B %s\n", e->name);
        put_line(e->meaning);
        if (e->details != NULL) {
            fputs(".br\n", stdout);
            put_line(e->details);
        }
    }
    fputs(".SH SEE ALSO\n.BR libvgg (3)\n", stdout);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (argc == 3 && strcmp(what, "man") == 0) {
        put_man(argv[2]);
    } else if (argc == 2 && strcmp(what, "bash") == 0) {
        completion_write(CLI_SHELL_BASH, stdout);
    } else if (argc == 2 && strcmp(what, "zsh") == 0) {
        completion_write(CLI_SHELL_ZSH, stdout);
    } else if (argc == 2 && strcmp(what, "fish") == 0) {
        completion_write(CLI_SHELL_FISH, stdout);
    } else {
        fputs("usage: make_docs man VERSION | bash | zsh | fish\n", stderr);
        return 2;
    }
    return fflush(stdout) != 0;
}
