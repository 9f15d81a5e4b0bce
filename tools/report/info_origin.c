/* SPDX-License-Identifier: MIT */
/* vgg-infer info: who wrote a checkpoint, and what the net in it was recognised by. */
#include <string.h>

#include "report/info_report.h"
#include "io/message.h"
#include "io/plural.h"

/* What identifies a net: its convolutions, and the input of its first linear layer. */
struct evidence {
    size_t features;                   /* nodes before the first linear layer */
    struct vgg_node_info linear;       /* name NULL: no linear layer */
    struct vgg_node_info features_out; /* its input; no channels if that has no height and width */
};

static bool is(const struct vgg_node_info *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static struct evidence find_evidence(const vgg_model *model)
{
    struct evidence evidence = {0};
    struct vgg_node_info node;
    for (size_t i = 0; i < vgg_model_get_node_count(model); i++) {
        vgg_model_get_node(model, i, &node);
        if (is(&node, "Linear")) {
            evidence.linear = node;
            break;
        }
        evidence.features++;
        if (is(&node, "AdaptiveAvgPool2d")) {
            evidence.features_out = node;
        }
    }
    return evidence;
}

static int count_features(const struct vgg_node_info *node)
{
    return node->channels * node->height * node->width;
}

void info_write_origin(const struct info *info, FILE *out)
{
    const char *writer = vgg_checkpoint_get_writer(info->checkpoint);
    const size_t skipped = vgg_checkpoint_get_skipped(info->checkpoint);
    const struct evidence evidence = find_evidence(info->model);
    const struct vgg_node_info *taken = &evidence.features_out;
    const char *before = "  recognised by convolutions to ";
    if (writer[0] != '\0') {
        fputs("  written by ", out);
        message_write_visible(out, writer);
        putc('\n', out);
    }
    for (size_t i = 0; i < evidence.features; i++) {
        struct vgg_node_info node;
        vgg_model_get_node(info->model, i, &node);
        if (is(&node, "Conv2d")) {
            fprintf(out, "%s%d", before, node.channels);
            before = ", ";
        }
    }
    fputs(" channels", out);
    if (evidence.linear.name != NULL && taken->channels > 0) {
        fprintf(out, "; %s takes %d = %d × %d × %d features", evidence.linear.name,
                count_features(taken), taken->channels, taken->height, taken->width);
    }
    if (skipped > 0) {
        fprintf(out, "; %zu other tensor%s skipped", skipped, plural_s(skipped));
    }
    putc('\n', out);
}

void info_write_origin_json(const struct info *info, struct json *json)
{
    const struct evidence evidence = find_evidence(info->model);
    const struct vgg_node_info *taken = &evidence.features_out;
    json_string(json, "writer", vgg_checkpoint_get_writer(info->checkpoint));
    json_integer(json, "skipped", (int64_t)vgg_checkpoint_get_skipped(info->checkpoint));
    json_open_object(json, "recognised_by", false);
    json_open_array(json, "conv_channels", true);
    for (size_t i = 0; i < evidence.features; i++) {
        struct vgg_node_info node;
        vgg_model_get_node(info->model, i, &node);
        if (is(&node, "Conv2d")) {
            json_integer(json, NULL, node.channels);
        }
    }
    json_close_array(json);
    if (evidence.linear.name != NULL && taken->channels > 0) {
        json_string(json, "linear", evidence.linear.name);
        json_integer(json, "linear_features", count_features(taken));
        json_open_array(json, "linear_input", true);
        json_integer(json, NULL, taken->channels);
        json_integer(json, NULL, taken->height);
        json_integer(json, NULL, taken->width);
        json_close_array(json);
    }
    json_close_object(json);
}
