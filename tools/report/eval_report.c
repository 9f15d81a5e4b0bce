/* SPDX-License-Identifier: MIT */
/* Results of `vgg-infer eval`, as text and JSON. */
#include <math.h>
#include <stdlib.h>

#include "io/message.h"
#include "io/plural.h"
#include "report/table.h"
#include "report/eval_report.h"

enum {
    DIGITS = 9,
    SHOWN = 20, /* classes in the text: the worst of them if there are more */
};

/* --- counting --------------------------------------------------------------------------------- */

/* An image that was classified wrongly. */
struct mistake {
    int class_index, best;
};

static int compare_mistakes(const void *a, const void *b)
{
    const struct mistake *left = a, *right = b;
    return left->class_index != right->class_index
               ? (left->class_index > right->class_index) - (left->class_index < right->class_index)
               : (left->best > right->best) - (left->best < right->best);
}

/* The longest run of equal mistakes of each class.
 *   of  [class_count] where the class is in classes, if it is there */
static void find_confusions(const struct mistake *mistakes, size_t count, struct eval_class **of)
{
    for (size_t i = 0, end; i < count; i = end) {
        struct eval_class *class = of[mistakes[i].class_index];
        for (end = i + 1; end < count && compare_mistakes(&mistakes[i], &mistakes[end]) == 0;) {
            end++;
        }
        if (end - i > class->confused) {
            class->confused = end - i;
            class->confused_with = mistakes[i].best;
        }
    }
}

struct eval_class *eval_count_classes(const struct eval_outcome *outcome, size_t *count)
{
    const struct ground_truth *truth = outcome->truth;
    const size_t class_count = (size_t)outcome->classes->count;
    struct eval_class *classes = calloc(class_count, sizeof *classes);
    struct eval_class **of = calloc(class_count, sizeof *of);
    struct mistake *mistakes = calloc(truth->count, sizeof *mistakes);
    size_t mistake_count = 0;
    *count = 0;
    if (classes == NULL || of == NULL || mistakes == NULL) {
        free(classes);
        classes = NULL;
        goto done;
    }
    for (size_t i = 0; i < truth->count; i++) {
        const struct eval_answer *answer = &outcome->answers[i];
        const int index = truth->images[i].class_index;
        if (answer->best < 0) {
            continue;
        }
        classes[index].images++;
        classes[index].best += answer->rank == 0;
        classes[index].among += answer->rank < outcome->topk;
        if (answer->rank > 0) {
            mistakes[mistake_count++] =
                (struct mistake){.class_index = index, .best = answer->best};
        }
    }
    for (size_t i = 0; i < class_count; i++) { /* those without an image go */
        if (classes[i].images > 0) {
            struct eval_class *class = &classes[(*count)++];
            *class = classes[i];
            class->index = (int)i;
            class->confused_with = -1;
            of[i] = class;
        }
    }
    if (mistake_count > 0) {
        qsort(mistakes, mistake_count, sizeof *mistakes, compare_mistakes);
    }
    find_confusions(mistakes, mistake_count, of);
done:
    free(mistakes);
    free(of);
    return classes;
}

bool eval_is_chance(const struct eval_outcome *outcome)
{
    /* 1 % of many classes: published nets reach 40 times as much, wrongly numbered ones a tenth. */
    const double guess = 1.2 / outcome->classes->count;
    const double min_share = guess > 0.01 ? guess : 0.01;
    return outcome->images >= 20 && (double)outcome->best < min_share * (double)outcome->images;
}

/* --- text ------------------------------------------------------------------------------------- */

static double percent(size_t part, size_t whole)
{
    return 100.0 * (double)part / (double)whole; /* whole is at least 1 */
}

static int compare_classes(const void *a, const void *b)
{
    const struct eval_class *left = a, *right = b;
    const double l = percent(left->best, left->images), r = percent(right->best, right->images);
    return l != r ? (l > r) - (l < r) : (left->index > right->index) - (left->index < right->index);
}

/* "Shirt", or "class 6" where no name is known. */
static void add_name(struct table *table, const struct ground_truth_classes *classes, int index)
{
    if (classes->labels[index] != NULL) {
        table_add(table, "%s", classes->labels[index]);
    } else {
        table_add(table, "class %d", index);
    }
}

static void write_classes(const struct eval_outcome *outcome, const struct eval_class *classes,
                          size_t count, FILE *out)
{
    struct table table = {.columns = "<class>images>top 1<most often confused with>of them"};
    const size_t shown = count < SHOWN ? count : SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const struct eval_class *class = &classes[i];
        add_name(&table, outcome->classes, class->index);
        table_add(&table, "%zu", class->images);
        table_add(&table, "%.2f %%", percent(class->best, class->images));
        if (class->confused_with >= 0) {
            add_name(&table, outcome->classes, class->confused_with);
            table_add(&table, "%.2f %%", percent(class->confused, class->images));
        } else {
            table_add(&table, "%s", "");
            table_add(&table, "%s", "");
        }
    }
    fputc('\n', out);
    table_write(&table, out);
    table_free(&table);
    if (shown < count) {
        fprintf(out, "  (the %zu classes with the lowest accuracy of %zu; --format json has all)\n",
                shown, count);
    }
}

static void write_source(const struct eval_outcome *outcome, FILE *out)
{
    switch (outcome->truth->source) {
    case GROUND_TRUTH_FOLDER_NAMES:
        fprintf(out, "classes by the names of %zu folder%s", outcome->truth->folders,
                plural_s(outcome->truth->folders));
        break;
    case GROUND_TRUTH_FOLDER_ORDER:
        fprintf(out, "classes by the order of %zu folder%s", outcome->truth->folders,
                plural_s(outcome->truth->folders));
        break;
    case GROUND_TRUTH_LIST:
        fputs("classes as in ", out);
        message_write_visible(out, outcome->list);
        break;
    }
}

bool eval_write_text(const struct eval_outcome *outcome, FILE *out)
{
    char line[512];
    size_t count;
    struct eval_class *classes = eval_count_classes(outcome, &count);
    if (classes == NULL) {
        return false;
    }
    report_describe(outcome->model, line, sizeof line);
    message_write_visible(out, line);
    fputc('\n', out);
    report_write_description(outcome->model, true, out);
    fputc('\n', out);
    message_write_visible(out, outcome->folder);
    fprintf(out, ": %zu image%s, ", outcome->images, plural_s(outcome->images));
    write_source(outcome, out);
    fputc('\n', out);
    const double share = (double)outcome->best / (double)outcome->images;
    fprintf(out, "  top 1  %7.3f %%  %zu right (standard error %.3f %%)\n",
            percent(outcome->best, outcome->images), outcome->best,
            100 * sqrt(share * (1 - share) / (double)outcome->images));
    if (outcome->topk > 1) {
        fprintf(out, "  top %-2d %7.3f %%  %zu\n", outcome->topk,
                percent(outcome->among, outcome->images), outcome->among);
    }
    if (outcome->loss_name != NULL) {
        fprintf(out, "  loss   %.6g  (mean %s)\n", outcome->loss, outcome->loss_name);
    }
    fprintf(out, "  time   %.1f s, %.1f images/s\n", outcome->seconds,
            (double)outcome->images / outcome->seconds);
    if (outcome->failed > 0) {
        fprintf(out, "  %zu unreadable image%s not counted\n", outcome->failed,
                plural_s(outcome->failed));
    }
    if (outcome->truth->others > 0) {
        fprintf(out, "  %zu file%s skipped: not JPEG or PNG\n", outcome->truth->others,
                plural_s(outcome->truth->others));
    }
    qsort(classes, count, sizeof *classes, compare_classes);
    write_classes(outcome, classes, count, out);
    free(classes);
    return true;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static const char *source_string(enum ground_truth_source source)
{
    switch (source) {
    case GROUND_TRUTH_FOLDER_NAMES:
        return "folder-names";
    case GROUND_TRUTH_FOLDER_ORDER:
        return "folder-order";
    case GROUND_TRUTH_LIST:
        break;
    }
    return "list";
}

static void write_json_classes(struct json *json, const struct eval_outcome *outcome,
                               const struct eval_class *classes, size_t count)
{
    json_open_array(json, "classes", false);
    for (size_t i = 0; i < count; i++) {
        const struct eval_class *class = &classes[i];
        json_open_object(json, NULL, true);
        json_integer(json, "index", class->index);
        json_string(json, "label", outcome->classes->labels[class->index]);
        json_integer(json, "images", (int64_t) class->images);
        json_integer(json, "top1", (int64_t) class->best);
        json_integer(json, "topk", (int64_t) class->among);
        if (class->confused_with >= 0) {
            json_integer(json, "confused_with", class->confused_with);
        } else {
            json_null(json, "confused_with");
        }
        json_integer(json, "confused", (int64_t) class->confused);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_json_wrong(struct json *json, const struct eval_outcome *outcome)
{
    json_open_array(json, "wrong", false);
    for (size_t i = 0; i < outcome->truth->count; i++) {
        const struct eval_answer *answer = &outcome->answers[i];
        if (answer->best >= 0 && answer->rank > 0) {
            json_open_object(json, NULL, true);
            json_string(json, "image", outcome->truth->images[i].path);
            json_integer(json, "class", outcome->truth->images[i].class_index);
            json_integer(json, "best", answer->best);
            json_integer(json, "rank", answer->rank);
            json_close_object(json);
        }
    }
    json_close_array(json);
}

bool eval_write_json(const struct eval_outcome *outcome, FILE *out)
{
    struct json json = json_make(out, true);
    size_t count;
    struct eval_class *classes = eval_count_classes(outcome, &count);
    if (classes == NULL) {
        return false;
    }
    json_open_object(&json, NULL, false);
    json_integer(&json, "schema", REPORT_SCHEMA);
    json_string(&json, "version", vgg_version());
    report_write_model_json(&json, outcome->model);
    json_string(&json, "folder", outcome->folder);
    json_string(&json, "classes_from", source_string(outcome->truth->source));
    json_string(&json, "list", outcome->list);
    json_integer(&json, "images", (int64_t)outcome->images);
    json_integer(&json, "failed", (int64_t)outcome->failed);
    json_integer(&json, "skipped", (int64_t)outcome->truth->others);
    json_integer(&json, "k", outcome->topk);
    json_integer(&json, "top1", (int64_t)outcome->best);
    json_integer(&json, "topk", (int64_t)outcome->among);
    json_number(&json, "top1_accuracy", (double)outcome->best / (double)outcome->images, DIGITS);
    json_number(&json, "topk_accuracy", (double)outcome->among / (double)outcome->images, DIGITS);
    json_string(&json, "scores", outcome->model->scores);
    json_number(&json, "loss", outcome->loss, DIGITS);
    json_string(&json, "loss_name", outcome->loss_name);
    json_number(&json, "seconds", outcome->seconds, DIGITS);
    write_json_classes(&json, outcome, classes, count);
    write_json_wrong(&json, outcome);
    json_close_object(&json);
    free(classes);
    return true;
}
