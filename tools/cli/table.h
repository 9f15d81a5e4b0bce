/* The one table of options. The parser, the help text and every later list of options read it. */
#ifndef TOOLS_CLI_TABLE_H
#define TOOLS_CLI_TABLE_H

#include <stddef.h>

#include "cli/cli.h"

enum cli_kind {
    CLI_FLAG,    /* bool; takes no value */
    CLI_TEXT,    /* const char * */
    CLI_COUNT,   /* int from low to high */
    CLI_SIZE,    /* struct cli_size: "N" or "HxW", sides from low to high */
    CLI_NUMBER,  /* double, finite, not negative */
    CLI_CHOICE,  /* int: the index in choices */
    CLI_COUNTS,  /* struct cli_list of numbers from low to high */
    CLI_CHOICES, /* struct cli_list of indices in choices */
    CLI_WORD,    /* appended to the words, as if it stood there without the option */
};

struct cli_option {
    const char *name; /* without "--" */
    char letter;      /* or 0 */
    unsigned commands;
    enum cli_kind kind;
    size_t offset;        /* of the value in struct cli_options */
    const char *argument; /* what the help calls the value; NULL for flags and choices */
    const char *help;
    const char *const *choices; /* NULL-terminated */
    int low, high;
};

/* Both tables end with a NULL name. */
extern const struct cli_option cli_option_table[];

struct cli_command_entry {
    enum cli_command command;
    const char *name; /* "" for the command without a word */
    const char *usage;
    const char *summary;
};
extern const struct cli_command_entry cli_command_table[];

/* Exit codes, ended by a NULL meaning. */
struct cli_exit_entry {
    int code;
    const char *meaning;
};
extern const struct cli_exit_entry cli_exit_table[];

/* Environment variables, ended by a NULL name. */
struct cli_variable_entry {
    const char *name, *meaning;
};
extern const struct cli_variable_entry cli_variable_table[];

#endif
