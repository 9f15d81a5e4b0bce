/* SPDX-License-Identifier: MIT */
/* Text for people; programs should read one of the other formats. */
#include <string.h>

#include "io/message.h"
#include "report/report.h"

static void begin(struct report *report)
{
    const struct report_model *model = report->model;
    char line[512];
    report_describe(model, line, sizeof line);
    message_write_visible(report->out, line);
    putc('\n', report->out);
    report_write_description(model, false, report->out);
}

/* Columns that a label takes, counting a code point as one. */
static int get_width(const char *label)
{
    int width = 0;
    for (const char *p = label; *p != '\0'; p++) {
        width += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return width;
}

static int count_digits(int number)
{
    return snprintf(NULL, 0, "%d", number);
}

static void write_image(struct report *report, const struct report_image *image)
{
    FILE *out = report->out;
    putc('\n', out);
    message_write_visible(out, image->path);
    if (image->error != NULL) {
        /* The reason is on standard error. */
        fputs(": failed\n", out);
        return;
    }
    fprintf(out, " (%dx%d)\n", image->width, image->height);

    const bool has_scores = strcmp(report->model->scores, "none") != 0;
    int label_width = 0, index_width = 1;
    for (int i = 0; i < image->class_count; i++) {
        const struct report_class *row = &image->classes[i];
        int width = row->label != NULL ? get_width(row->label) : 0;
        label_width = width > label_width ? width : label_width;
        width = count_digits(row->ranked.index);
        index_width = width > index_width ? width : index_width;
    }
    for (int i = 0; i < image->class_count; i++) {
        const struct report_class *row = &image->classes[i];
        fprintf(out, "%*d  ", count_digits(image->class_count) + 1, i + 1);
        if (has_scores) {
            fprintf(out, "%8.4f %%  ", 100 * row->ranked.probability);
        }
        if (label_width > 0) {
            const char *label = row->label != NULL ? row->label : "";
            message_write_visible(out, label);
            fprintf(out, "%*s", label_width - get_width(label) + 2, "");
        }
        fprintf(out, "class %*d  logit %.9g\n", index_width, row->ranked.index,
                (double)row->ranked.logit);
    }
}

const struct report_format report_text = {.begin = begin, .image = write_image};
