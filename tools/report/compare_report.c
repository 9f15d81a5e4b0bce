/* SPDX-License-Identifier: MIT */
/* A comparison's outcome as text and as JSON. */
#include "report/compare_report.h"

#include <math.h>
#include <string.h>

#include "io/json.h"
#include "io/message.h"
#include "io/plural.h"

bool compare_node_passes(const struct compare_outcome *outcome, const struct compare_node *node)
{
    if (node->problem != NULL) {
        return false;
    }
    return node == &outcome->input ? node->difference.unequal == 0
                                   : difference_get_relative(&node->difference) <= outcome->rtol;
}

const struct compare_node *compare_find_first(const struct compare_outcome *outcome)
{
    if (!compare_node_passes(outcome, &outcome->input)) {
        return &outcome->input;
    }
    for (size_t i = 0; i < outcome->node_count; i++) {
        if (!compare_node_passes(outcome, &outcome->nodes[i])) {
            return &outcome->nodes[i];
        }
    }
    return NULL;
}

static bool is_compared(const struct compare_node *node)
{
    return node->ndim > 0 || node->problem != NULL;
}

static size_t count_compared(const struct compare_outcome *outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < outcome->node_count; i++) {
        count += is_compared(&outcome->nodes[i]);
    }
    return count;
}

/* Position among all elements -> one index per dimension. */
static void unravel(const struct compare_node *node, int64_t position, int64_t *index)
{
    for (int i = node->ndim - 1; i >= 0; i--) {
        index[i] = position % node->shape[i];
        position /= node->shape[i];
    }
}

static void write_row(const struct compare_outcome *outcome, const struct compare_node *node,
                      FILE *out)
{
    const struct difference *difference = &node->difference;
    char where[128] = "-";
    if (node->problem != NULL) {
        fprintf(out, "%-14s ", node->name);
        message_write_visible(out, node->problem);
        fputs("  <-- past\n", out);
        return;
    }
    fprintf(out, "%-14s %12.4g %12.4g %12.4g", node->name, difference->max,
            difference_get_relative(difference), difference_get_mean(difference));
    if (difference->worst >= 0) {
        int64_t index[NPY_MAX_DIMS];
        size_t length = 0;
        unravel(node, difference->worst, index);
        for (int i = 0; i < node->ndim; i++) {
            length += (size_t)snprintf(where + length, sizeof where - length, "%s%lld",
                                       i == 0 ? "[" : ",", (long long)index[i]);
        }
        snprintf(where + length, sizeof where - length, "]");
        fprintf(out, "  %-16s %15.9g %15.9g", where, (double)difference->expected,
                (double)difference->got);
    }
    fputs(compare_node_passes(outcome, node) ? "\n" : "  <-- past\n", out);
}

static void write_verdict(const struct compare_outcome *outcome, FILE *out)
{
    const struct compare_node *first = compare_find_first(outcome);
    const size_t compared = count_compared(outcome);
    if (first == NULL) {
        fprintf(out, "agrees: %zu array%s within %g of the node's maximum\n", compared,
                plural_s((uint64_t)compared), outcome->rtol);
    } else if (first == &outcome->input) {
        fputs("differs: the input itself, so look at the preprocessing\n", out);
    } else {
        fprintf(out, "differs: %s is the first past the tolerance of %g\n", first->name,
                outcome->rtol);
    }
}

void compare_write_text(const struct compare_outcome *outcome, FILE *out)
{
    char line[512];
    const struct golden *golden = outcome->golden;
    report_describe(outcome->model, line, sizeof line);
    message_write_visible(out, line);
    fputs("\nexpected: ", out);
    message_write_visible(out, outcome->folder);
    if (golden->torch != NULL && golden->torchvision != NULL) {
        fputs(", torch ", out);
        message_write_visible(out, golden->torch);
        fputs(", torchvision ", out);
        message_write_visible(out, golden->torchvision);
    }
    fprintf(out, ", %lld image%s\n\n", (long long)outcome->images,
            plural_s((uint64_t)outcome->images));
    /* By hand: printf pads by bytes, and a delta has two. */
    fputs("node                max |Δ|     relative     mean |Δ|  worst element           expected"
          "             got\n",
          out);
    if (is_compared(&outcome->input)) {
        write_row(outcome, &outcome->input, out);
    }
    for (size_t i = 0; i < outcome->node_count; i++) {
        if (is_compared(&outcome->nodes[i])) {
            write_row(outcome, &outcome->nodes[i], out);
        }
    }
    putc('\n', out);
    if (outcome->input.ndim > 0) {
        fprintf(out, "input: %lld of %lld floats differ from input.npy\n",
                (long long)outcome->input.difference.unequal,
                (long long)outcome->input.difference.count);
    }
    const size_t missing = outcome->node_count - count_compared(outcome);
    if (outcome->inner && missing > 0) {
        fprintf(out, "skipped: %zu node%s without a file\n", missing, plural_s(missing));
    }
    for (size_t i = 0; i < outcome->unused_count; i++) {
        fputs("unused: no node belongs to ", out);
        message_write_visible(out, outcome->unused[i]);
        putc('\n', out);
    }
    write_verdict(outcome, out);
}

static void write_node_json(const struct compare_outcome *outcome, const struct compare_node *node,
                            const char *key, struct json *json)
{
    const struct difference *difference = &node->difference;
    json_open_object(json, key, false);
    json_string(json, "name", node->name);
    json_bool(json, "passes", compare_node_passes(outcome, node));
    if (node->problem != NULL) {
        json_string(json, "problem", node->problem);
        json_close_object(json);
        return;
    }
    json_open_array(json, "shape", true);
    for (int i = 0; i < node->ndim; i++) {
        json_integer(json, NULL, node->shape[i]);
    }
    json_close_array(json);
    json_number(json, "max_abs", difference->max, 9);
    json_number(json, "max_relative", difference_get_relative(difference), 9);
    json_number(json, "mean_abs", difference_get_mean(difference), 9);
    json_number(json, "max_expected", difference->max_expected, 9);
    json_integer(json, "unequal", difference->unequal);
    json_integer(json, "count", difference->count);
    if (difference->worst >= 0) {
        int64_t index[NPY_MAX_DIMS];
        unravel(node, difference->worst, index);
        json_open_object(json, "worst", true);
        json_open_array(json, "index", true);
        for (int i = 0; i < node->ndim; i++) {
            json_integer(json, NULL, index[i]);
        }
        json_close_array(json);
        json_number(json, "expected", (double)difference->expected, 9);
        json_number(json, "got", (double)difference->got, 9);
        json_close_object(json);
    }
    json_close_object(json);
}

void compare_write_json(const struct compare_outcome *outcome, FILE *out)
{
    struct json json = json_make(out, true);
    const struct compare_node *first = compare_find_first(outcome);
    json_open_object(&json, NULL, false);
    json_integer(&json, "schema", REPORT_SCHEMA);
    json_string(&json, "version", vgg_version());
    report_write_model_json(&json, outcome->model);
    json_open_object(&json, "expected", false);
    json_string(&json, "path", outcome->folder);
    json_string(&json, "torch", outcome->golden->torch);
    json_string(&json, "torchvision", outcome->golden->torchvision);
    json_string(&json, "net", outcome->golden->net);
    json_string(&json, "preset", outcome->golden->preset);
    json_close_object(&json);
    json_integer(&json, "images", outcome->images);
    json_number(&json, "rtol", outcome->rtol, 9);
    if (is_compared(&outcome->input)) {
        write_node_json(outcome, &outcome->input, "input", &json);
    }
    json_open_array(&json, "nodes", false);
    for (size_t i = 0; i < outcome->node_count; i++) {
        if (is_compared(&outcome->nodes[i])) {
            write_node_json(outcome, &outcome->nodes[i], NULL, &json);
        }
    }
    json_close_array(&json);
    json_open_array(&json, "skipped", true);
    for (size_t i = 0; i < outcome->node_count; i++) {
        if (!is_compared(&outcome->nodes[i])) {
            json_string(&json, NULL, outcome->nodes[i].name);
        }
    }
    json_close_array(&json);
    json_open_array(&json, "unused", true);
    for (size_t i = 0; i < outcome->unused_count; i++) {
        json_string(&json, NULL, outcome->unused[i]);
    }
    json_close_array(&json);
    json_string(&json, "first_past_tolerance", first == NULL ? NULL : first->name);
    json_bool(&json, "agrees", first == NULL);
    json_close_object(&json);
}
