/* SPDX-License-Identifier: MIT */
/* What the command line asks for: the command and its options. cli/parse.c fills it. */
#ifndef TOOLS_COMMANDS_OPTIONS_H
#define TOOLS_COMMANDS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Commands are bits, so that one option can belong to several. */
enum cli_command {
    CLI_CLASSIFY = 1, /* meant when no command is named */
    CLI_COMPARE = 2,
    CLI_BENCH = 4,
    CLI_INFO = 8,
    CLI_CONVERT = 16,
    CLI_PACK = 32,
    CLI_EVAL = 64,
    CLI_HELP = 128,
    CLI_SCAN = 256,
};

/* What a session is planned for. */
enum cli_plan_for {
    CLI_PLAN_AUTO, /* by the number of runs to come */
    CLI_PLAN_ONE_SHOT,
    CLI_PLAN_STEADY,
};

/* The numbers that weights are packed as. */
enum cli_weights { CLI_WEIGHTS_F32, CLI_WEIGHTS_BF16, CLI_WEIGHTS_F16, CLI_WEIGHTS_INT8 };

/* What is done where the system lacks a part of the sandbox. */
enum cli_sandbox {
    CLI_SANDBOX_AUTO,    /* go on without it, with a warning */
    CLI_SANDBOX_REQUIRE, /* fail */
    CLI_SANDBOX_OFF,     /* do not even try */
};

enum cli_shell { CLI_SHELL_BASH, CLI_SHELL_ZSH, CLI_SHELL_FISH };

/* The values of --channels, ended by NULL. */
extern const char *const cli_channels[];

/* Values of an option that takes several, separated by commas. */
enum { CLI_LIST_MAX = 16 };
struct cli_list {
    int values[CLI_LIST_MAX];
    int count; /* 0: not given */
};

/* Pixels; 0: not given. */
struct cli_size {
    int height, width;
};

/* "N": height is N, width 0; "HxW"; none: both 0. Height -1: not given. */
struct cli_extent {
    int height, width;
};

/* One number for R, G and B, or three. */
struct cli_rgb {
    float values[3];
    bool given;
};

/* Strings are borrowed from argv. */
struct cli_options {
    enum cli_command command;
    bool command_named;    /* false: the command is the default one */
    const char **operands; /* [operand_count] operands and values of --input; owned */
    int operand_count;

    const char *model; /* NULL: not given by option */
    const char *labels;
    const char *preset;
    const char *spec;
    const char *cfg;
    const char *padding, *eps, *activation, *pool;
    const char *write_spec; /* info: where the description goes */
    const char *key;
    const char *output; /* NULL: standard output */
    const char *save_logits;
    const char *save_input;
    const char *plot;
    const char *calibrate;   /* pack: a folder of images */
    const char *labels_file; /* eval: ground truth */
    const char *allow;       /* scan: names that are harmless, too */
    int format;              /* enum output_format */
    int isa;                 /* enum vgg_isa */
    int conv;                /* enum vgg_conv_algorithm */
    int plan_for;            /* enum cli_plan_for */
    int sort;                /* enum bench_order */
    int weights;             /* pack: enum cli_weights */
    int image_limit;         /* pack: max images to calibrate with; 0: not given */
    int sandbox;             /* enum cli_sandbox */
    int completion;          /* enum cli_shell; -1: not asked for */
    struct cli_size size;    /* of the input */
    struct cli_extent resize, crop;
    struct cli_rgb mean, std;
    int interpolation;         /* enum vgg_interpolation; -1: not given */
    int channels;              /* index in cli_channels; -1: not given */
    uint64_t max_pixels;       /* of an image; 0: not given */
    uint64_t max_memory;       /* bytes that an image may take; 0: not given */
    int scores;                /* classify: enum vgg_scores */
    int topk;                  /* classes shown per image */
    int threads;               /* 0: as many as there are CPUs */
    int batch;                 /* info, eval: images in one run; 0: not given */
    int runs;                  /* bench: number of runs; 0: until the median is stable */
    double min_time, max_time; /* bench: seconds of one configuration */
    /* bench: one configuration of each combination */
    struct cli_list threads_list, batch_list, isa_list, conv_list;
    struct cli_list for_list; /* pack: enum vgg_isa; 0: any */
    double rtol; /* compare: the largest difference allowed, relative to the node's maximum */
    bool no_normalize;
    bool dense;
    bool verify;
    bool time;
    bool nodes;
    bool images;
    bool exact;   /* the same as conv == VGG_CONV_EXACT */
    bool layers;  /* bench: report every layer */
    bool plan;    /* info: report every step */
    bool trace;   /* scan: print every opcode */
    bool tensors; /* info: list them */
    bool help;
    int help_topic; /* the index in cli_topic_table; -1: none */
    bool strict;
    bool verbose;
    bool low_memory;
    bool version;
    bool licenses;
};

#endif
