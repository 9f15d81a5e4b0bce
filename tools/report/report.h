/* SPDX-License-Identifier: MIT */
/* The results of a run, as text for people or as JSON, JSON Lines or CSV for programs.
 * tools/README.md describes the formats. */
#ifndef TOOLS_REPORT_REPORT_H
#define TOOLS_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "io/json.h"
#include "report/table.h"
#include "timing/timing.h"
#include "vgg/model.h"
#include "vgg/session.h"

/* Of all JSON output. Raised when a field changes its meaning or goes; new fields do not raise it. */
enum { REPORT_SCHEMA = 2 };

/* The values of --format, in the order of the option table. */
enum output_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV };

/* What is known before the first image. Borrowed until report_end. */
struct report_model {
    const char *path;
    const char *container; /* as vgg_container_string has it */
    /* Where in the file the net was found; each may be NULL or empty. */
    const char *key;        /* "state_dict" */
    const char *prefix;     /* what was taken off the names: "module." */
    const char *class_name; /* of a whole module */
    uint64_t file_bytes;
    struct vgg_model_info info;
    const vgg_model *model; /* for its evidence */
    const struct vgg_preprocess *preprocess;
    const char *scores; /* classify: what the scores are, see vgg_scores_string; else NULL */
    bool folded;        /* BatchNorm is folded into the convolutions */
    struct vgg_verified verified; /* cleared when nobody asked */
};

struct report_class {
    struct vgg_ranked ranked;
    const char *label; /* NULL: no names are known */
};

/* One image. */
struct report_image {
    const char *path;
    int width, height;                  /* of the image as decoded, or of an array, in pixels */
    const struct report_class *classes; /* [class_count], best first */
    int class_count;
    const struct vgg_error *error; /* NULL: all good; else the fields above but path are not set */
    double decode_ms, infer_ms;
};

struct report_totals {
    int images, failed;
    int threads;      /* 0: nothing was run */
    const char *isa;  /* the instruction set that was used */
    const char *plan; /* what the net was planned for: "one-shot", "steady" */
};

struct report {
    const struct report_format *format;
    FILE *out;
    struct json json;
    const struct report_model *model;
    bool time; /* whether times are asked for */
};

/* One format. An entry may be NULL: nothing to write then. */
struct report_format {
    void (*begin)(struct report *report);
    void (*image)(struct report *report, const struct report_image *image);
    void (*end)(struct report *report, const struct report_totals *totals,
                const struct timing *timing);
    bool own_time; /* end writes the times, which otherwise go to standard error */
};

extern const struct report_format report_text, report_json, report_jsonl, report_csv;

/* Each returns false when the output could not be written, with the reason in errno. What is written is
 * flushed, so that a reader at the other end of a pipe sees every image at once. */

/* Starts a report of one format to out. */
bool report_begin(struct report *report, enum output_format format, FILE *out, bool time,
                  const struct report_model *model);
bool report_write_image(struct report *report, const struct report_image *image);
/* Ends the report; with times, if they were asked for. */
bool report_end(struct report *report, const struct report_totals *totals,
                const struct timing *timing);

/* The line that describes what was detected: "vgg16_bn (13 conv + 3 linear, BatchNorm folded), 1000
 * classes, zip checkpoint, 528 MB". */
void report_describe(const struct report_model *model, char *out, size_t bytes);

/* What follows that line: where in the file the net is, who described the net, the preprocessing, and what was assumed.
 *   input  with the input's size */
void report_write_description(const struct report_model *model, bool input, FILE *out);

/* A size for people: "528 MB", "1.4 MB", "12 kB", "40 B", in powers of 1024. */
void report_format_bytes(uint64_t count, char *out, size_t bytes);
/* The next cell of a table: a size, or nothing for 0. */
void report_add_bytes(struct table *table, uint64_t count);

/* A field of CSV, quoted where a reader would otherwise see more or less than the text. */
void report_write_csv_text(FILE *out, const char *text);
/* A comma and a number with that many significant digits; only the comma for a non-finite number. */
void report_write_csv_number(FILE *out, double value, int digits);

/* The members "model" and "preprocess" of a JSON report. */
void report_write_model_json(struct json *json, const struct report_model *model);

#endif
