/* SPDX-License-Identifier: MIT */
/* CSV as RFC 4180 has it, with plain newlines: one line per image and class. */
#include <math.h>
#include <string.h>

#include "report/report.h"

enum { FLOAT_DIGITS = 9 };

/* Text for programs stays as it is, but what would steer a terminal on which somebody looks at it. Bytes that are no UTF-8
 * are a file's name, which is to be found again. */
static size_t write_character(FILE *out, const char *text)
{
    char shown[VGG_SHOWN_BYTES];
    const size_t taken = vgg_text_show(text, shown);
    const bool layout = *text == '\t' || *text == '\r' || *text == '\n';
    if (layout || (taken == 1 && (unsigned char)*text >= 0x80)) {
        putc(*text, out);
    } else {
        fputs(*text == '"' ? "\"\"" : shown, out);
    }
    return taken;
}

void report_write_csv_text(FILE *out, const char *text)
{
    size_t length = strlen(text);
    bool plain = strpbrk(text, ",\"\r\n") == NULL &&
                 (length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
    if (!plain) {
        putc('"', out);
    }
    while (*text != '\0') {
        text += write_character(out, text);
    }
    if (!plain) {
        putc('"', out);
    }
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
