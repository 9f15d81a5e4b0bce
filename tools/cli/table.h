/* SPDX-License-Identifier: MIT */
/* The one table of commands and options. The parser, the help, the completions and the man page read it. */
#ifndef TOOLS_CLI_TABLE_H
#define TOOLS_CLI_TABLE_H

#include <stddef.h>

#include "cli/cli.h"

enum cli_kind {
    CLI_FLAG,    /* bool; takes no value */
    CLI_TEXT,    /* const char * */
    CLI_COUNT,   /* int from low to high */
    CLI_SIZE,    /* struct cli_size: "N" or "HxW", sides from low to high */
    CLI_EXTENT,  /* struct cli_extent: "N", "HxW", "0" or "none", sides from low to high */
    CLI_RGB,     /* struct cli_rgb: "X" or "X,Y,Z" */
    CLI_BYTES,   /* uint64_t from 1: "N", "NK", "NM", "NG", powers of 1024 */
    CLI_NUMBER,  /* double, finite, not negative */
    CLI_CHOICE,  /* int: the index in choices */
    CLI_COUNTS,  /* struct cli_list of numbers from low to high */
    CLI_CHOICES, /* struct cli_list of indices in choices */
    CLI_OPERAND, /* appended to the operands, as if it stood there without the option */
};

/* The headings of a command's help, in their order. */
enum cli_group {
    CLI_GROUP_COMMON,
    /* These two are explained by a help of their own: a command's help has the names alone. */
    CLI_GROUP_NET,
    CLI_GROUP_PREPROCESS,
    CLI_GROUP_RUN,
    CLI_GROUP_OTHER,
    CLI_GROUP_PROGRAM, /* shown in the help of the program, not in that of a command */
    CLI_GROUPS,
};

struct cli_option {
    const char *name; /* without "--" */
    char short_name;  /* or 0 */
    enum cli_group group;
    unsigned commands; /* a set of enum cli_command */
    enum cli_kind kind;
    size_t offset;              /* of the value in struct cli_options */
    const char *argument;       /* what the help calls the value; NULL for flags */
    const char *help;           /* a phrase; the choices follow it */
    const char *const *choices; /* NULL-terminated */
    int low, high;
};

/* Ended by a NULL name. */
extern const struct cli_option cli_option_table[];

struct cli_command_entry {
    enum cli_command command;
    const char *name;
    const char *alias; /* another name that is understood, or NULL */
    const char *usage; /* what follows the name */
    const char *brief; /* one phrase, for lists of commands */
    const char *description;
};
/* Ended by a NULL name. The first one is meant when no command is named. */
extern const struct cli_command_entry cli_command_table[];

/* A group of options with a help of its own: "help preprocessing". */
struct cli_topic {
    const char *name;
    enum cli_group group;
    const char *text; /* before the options */
};
/* Ended by a NULL name. */
extern const struct cli_topic cli_topic_table[];
/* The topic of a group; NULL: it has none. */
const struct cli_topic *cli_topic_find(enum cli_group group);

/* Exit codes, ended by a NULL meaning. */
struct cli_exit_entry {
    int code;
    const char *meaning;
};
extern const struct cli_exit_entry cli_exit_table[];

/* Environment variables, ended by a NULL name. The man page adds the details. */
struct cli_variable_entry {
    const char *name, *meaning;
    const char *details; /* NULL: none */
};
extern const struct cli_variable_entry cli_variable_table[];

#endif
