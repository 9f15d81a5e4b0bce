/* The command line: words in, struct cli_options out. */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "vgg/session.h"
#include "vgg/status.h"

/* Commands are bits, so that one option can belong to several. */
enum cli_command {
    CLI_CLASSIFY = 1, /* no word of its own */
    CLI_COMPARE = 2,
};

enum cli_format { CLI_FORMAT_TEXT, CLI_FORMAT_JSON, CLI_FORMAT_JSONL, CLI_FORMAT_CSV };

/* Strings are borrowed from argv. */
struct cli_options {
    enum cli_command command;
    const char **words; /* [word_count] what is not an option, and each --input; owned */
    int word_count;

    const char *model; /* NULL: not given by option */
    const char *labels;
    const char *preset;
    const char *spec;
    const char *output; /* NULL: standard output */
    const char *save_logits;
    const char *save_input;
    int format;  /* enum cli_format */
    int cpu;     /* enum vgg_cpu */
    int topk;    /* classes shown per picture */
    int threads; /* 0: as many as there are CPUs */
    double rtol; /* compare: the largest difference allowed, relative to the node's maximum */
    bool verify;
    bool time;
    bool nodes;
    bool images;
    bool help;
    bool version;
};

/* Parses argv[1…]. A first word that is a command's name is that command; all else classifies. Options
 * may stand anywhere before "--"; the last of two equal ones counts.
 *   out  filled on success, to be freed with cli_options_fini; cleared after an error
 * Errors: ARGUMENT with what is wrong and what was probably meant; MEMORY. */
vgg_status cli_parse(int argc, char **argv, struct cli_options *out, struct vgg_error *err);
void cli_options_fini(struct cli_options *options);

/* Writes the help text of one command, made of the option table. */
void cli_write_help(enum cli_command command, FILE *out);

#endif
