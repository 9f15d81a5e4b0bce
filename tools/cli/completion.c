/* SPDX-License-Identifier: MIT */
/* Completion scripts, made of the tables. In every shell: after an option its choices, or files if it takes a
 * file, or nothing if it takes a number; after a dash the options of the command; else commands and files. */
#include "cli/completion.h"

#include <string.h>

#include "cli/table.h"

enum value { VALUE_NONE, VALUE_CHOICE, VALUE_FILE, VALUE_OTHER };

static enum value value_of(const struct cli_option *option)
{
    if (option->kind == CLI_FLAG) {
        return VALUE_NONE;
    }
    if (option->choices != NULL) {
        return VALUE_CHOICE;
    }
    static const char *const files[] = {"FILE", "IMAGE", "FOLDER"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strncmp(option->argument, files[i], strlen(files[i])) == 0) {
            return VALUE_FILE;
        }
    }
    return VALUE_OTHER;
}

static void write_choices(const struct cli_option *option, const char *between, FILE *out)
{
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        fprintf(out, "%s%s", i > 0 ? between : "", option->choices[i]);
    }
}

/* Text inside '…', its quotes escaped. */
static void write_quoted(const char *text, const char *escaped, FILE *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            fputs("'\\''", out);
        } else {
            if (strchr(escaped, *p) != NULL) {
                putc('\\', out);
            }
            putc(*p, out);
        }
    }
}

static void write_commands(const char *between, FILE *out)
{
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fprintf(out, "%s%s", e == cli_command_table ? "" : between, e->name);
    }
}

/* ---- bash ---- */

static void write_bash_values(const struct cli_command_entry *entry, FILE *out)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        const enum value value = value_of(option);
        if ((option->commands & entry->command) == 0 || value == VALUE_NONE) {
            continue;
        }
        fprintf(out, "    %s:--%s", entry->name, option->name);
        if (option->short_name != 0) {
            fprintf(out, "|%s:-%c", entry->name, option->short_name);
        }
        fputs(") ", out);
        if (value == VALUE_CHOICE) {
            fputs("mapfile -t COMPREPLY < <(compgen -W '", out);
            write_choices(option, " ", out);
            fputs("' -- \"$word\"); ", out);
        }
        fputs(value == VALUE_FILE ? "return ;;\n" : "compopt +o default; return ;;\n", out);
    }
}

static void write_bash(FILE *out)
{
    fputs("# bash completion for vgg-infer, made from its table of options.\n"
          "_vgg_infer()\n"
          "{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
          "command=classify\n"
          "    COMPREPLY=()\n"
          "    if [[ $word == = ]]; then # bash cuts --name=value in three\n"
          "        word=\n"
          "    elif [[ $before == = ]]; then\n"
          "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    if ((COMP_CWORD > 1)); then\n"
          "        case ${COMP_WORDS[1]} in\n"
          "        ",
          out);
    write_commands(" | ", out);
    fputs(") command=${COMP_WORDS[1]} ;;\n"
          "        esac\n"
          "    fi\n"
          "    case $command:$before in\n",
          out);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        write_bash_values(e, out);
    }
    fputs("    esac\n"
          "    local words=\n"
          "    case $command:$word in\n",
          out);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fprintf(out, "    %s:-*) words='", e->name);
        for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
            if ((option->commands & e->command) != 0) {
                fprintf(out, " --%s", option->name);
            }
        }
        fputs("' ;;\n", out);
    }
    fputs("    *) ((COMP_CWORD > 1)) && [[ $command:$COMP_CWORD != help:2 ]] || words='", out);
    write_commands(" ", out);
    fputs("' ;;\n"
          "    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "    if [[ $word != -* ]]; then\n"
          "        local file\n"
          "        while IFS= read -r file; do\n"
          "            COMPREPLY+=(\"$file\")\n"
          "        done < <(compgen -f -- \"$word\")\n"
          "        compopt -o filenames\n"
          "    fi\n"
          "}\n"
          "complete -o default -F _vgg_infer vgg-infer\n",
          out);
}

/* ---- zsh ---- */

static void write_zsh_option(const struct cli_option *option, FILE *out)
{
    const enum value value = value_of(option);
    const char *short_end = value == VALUE_NONE ? "" : "+",
               *name_end = value == VALUE_NONE ? "" : "=";
    fputs("        ", out);
    if (option->short_name != 0) {
        fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}", option->short_name, option->name,
                option->short_name, short_end, option->name, name_end);
    } else {
        fprintf(out, "'--%s%s'", option->name, name_end);
    }
    fputs("'[", out);
    write_quoted(option->help, "[]:\\", out);
    fputs("]", out);
    if (value == VALUE_CHOICE) {
        fprintf(out, ":%s:%s", option->name,
                option->kind == CLI_CHOICES ? "_values -s , value " : "(");
        write_choices(option, " ", out);
        fputs(option->kind == CLI_CHOICES ? "" : ")", out);
    } else if (value != VALUE_NONE) {
        fprintf(out, ":%s:%s", option->argument, value == VALUE_FILE ? "_files" : " ");
    }
    fputs("' \\\n", out);
}

static void write_zsh(FILE *out)
{
    fputs("#compdef vgg-infer\n"
          "# zsh completion for vgg-infer, made from its table of options.\n"
          "\n"
          "_vgg_infer_first() {\n"
          "    local -a commands=(\n",
          out);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fprintf(out, "        '%s:", e->name);
        write_quoted(e->brief, ":", out);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    _describe -t commands command commands\n"
          "    _files\n"
          "}\n"
          "\n"
          "_vgg_infer() {\n"
          "    local command=classify first=_vgg_infer_first\n"
          "    if ((CURRENT > 2)); then\n"
          "        case $words[2] in\n"
          "        ",
          out);
    write_commands("|", out);
    fputs(")\n"
          "            command=$words[2] first=_files\n"
          "            shift words\n"
          "            ((CURRENT--))\n"
          "            ;;\n"
          "        esac\n"
          "    fi\n"
          "    case $command in\n",
          out);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fprintf(out, "    '%s') _arguments -s -S \\\n", e->name);
        for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
            if ((option->commands & e->command) != 0) {
                write_zsh_option(option, out);
            }
        }
        fputs(e->command == CLI_HELP ? "        '1:command:_vgg_infer_first' ;;\n"
                                     : "        \"1:file:$first\" '*:file:_files' ;;\n",
              out);
    }
    fputs("    esac\n"
          "}\n"
          "\n"
          "if [[ $funcstack[1] == _vgg-infer ]]; then\n"
          "    _vgg_infer \"$@\"\n"
          "else\n"
          "    compdef _vgg_infer vgg-infer\n"
          "fi\n",
          out);
}

/* ---- fish ---- */

static void write_fish(FILE *out)
{
    fputs("# fish completion for vgg-infer, made from its table of options.\n"
          "function __vgg_infer_command\n"
          "    set -l words (commandline -opc)\n"
          "    set -l command classify\n"
          "    if set -q words[2]; and contains -- $words[2] ",
          out);
    write_commands(" ", out);
    fputs("\n"
          "        set command $words[2]\n"
          "    end\n"
          "    contains -- $command $argv\n"
          "end\n",
          out);
    for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
        fprintf(out, "complete -c vgg-infer -n '__fish_is_nth_token 1' -a %s -d '", e->name);
        write_quoted(e->brief, "", out);
        fputs("'\n", out);
    }
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        fputs("complete -c vgg-infer -n '__vgg_infer_command", out);
        for (const struct cli_command_entry *e = cli_command_table; e->name != NULL; e++) {
            if ((option->commands & e->command) != 0) {
                fprintf(out, " %s", e->name);
            }
        }
        fputs("'", out);
        if (option->short_name != 0) {
            fprintf(out, " -s %c", option->short_name);
        }
        fprintf(out, " -l %s -d '", option->name);
        write_quoted(option->help, "", out);
        fputs("'", out);
        switch (value_of(option)) {
        case VALUE_NONE:
            break;
        case VALUE_CHOICE:
            fputs(" -x -a '", out);
            write_choices(option, " ", out);
            fputs("'", out);
            break;
        case VALUE_FILE:
            fputs(" -r -F", out);
            break;
        case VALUE_OTHER:
            fputs(" -x", out);
            break;
        }
        putc('\n', out);
    }
}

void completion_write(enum cli_shell shell, FILE *out)
{
    switch (shell) {
    case CLI_SHELL_BASH:
        write_bash(out);
        break;
    case CLI_SHELL_ZSH:
        write_zsh(out);
        break;
    case CLI_SHELL_FISH:
        write_fish(out);
        break;
    }
}
