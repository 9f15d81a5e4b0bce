/* SPDX-License-Identifier: MIT */
/* CSV as RFC 4180 has it, with plain newlines: one line per image and class. */
#include <math.h>
#include <string.h>

#include "report/report.h"

enum { FLOAT_DIGITS = 9 };

void report_write_csv_text(FILE *out, const char *text)
{
    size_t length = strlen(text);
    bool plain = strpbrk(text, ",\"\r\n") == NULL &&
                 (length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
    if (plain) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"') {
            putc('"', out);
        }
        putc(*p, out);
    }
    putc('"', out);
}

void report_write_csv_number(FILE *out, double value, int digits)
{
    putc(',', out);
    if (isfinite(value)) {
        fprintf(out, "%.*g", digits, value);
    }
}

static void begin(struct report *report)
{
    fputs("image,rank,index,label,probability,logit,error,scores\n", report->out);
}

static void write_image(struct report *report, const struct report_image *image)
{
    FILE *out = report->out;
    if (image->error != NULL) {
        report_write_csv_text(out, image->path);
        fputs(",,,,,,", out);
        report_write_csv_text(out, image->error->message);
        fputs(",\n", out);
        return;
    }
    for (int i = 0; i < image->class_count; i++) {
        const struct report_class *row = &image->classes[i];
        report_write_csv_text(out, image->path);
        fprintf(out, ",%d,%d,", i + 1, row->ranked.index);
        report_write_csv_text(out, row->label != NULL ? row->label : "");
        report_write_csv_number(out, row->ranked.probability, FLOAT_DIGITS);
        report_write_csv_number(out, (double)row->ranked.logit, FLOAT_DIGITS);
        fprintf(out, ",,%s\n", report->model->scores);
    }
}

const struct report_format report_csv = {.begin = begin, .image = write_image};
