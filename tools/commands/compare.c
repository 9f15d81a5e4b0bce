/* SPDX-License-Identifier: MIT */
/* vgg-infer compare: run torchvision's own input, and compare node by node with what it computed. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "report/compare_report.h"
#include "io/message.h"
#include "io/plural.h"
#include "commands/net.h"
#include "io/read_image.h"
#include "vgg/vgg.h"

struct comparison {
    const struct cli_options *options;
    const char *model_path;
    const char **images; /* [image_count] */
    int image_count;

    struct golden golden;
    struct net net;
    struct npy_reader input, logits;
    vgg_session *session;
    float *row;      /* [3][h][w] input of one image */
    float *computed; /* [classes] */
    float *expected; /* [expected_count] a row of whatever is compared */
    size_t expected_count;
    struct compare_outcome outcome;
};

static vgg_status choose_operands(struct comparison *c, struct vgg_error *err)
{
    const struct cli_options *options = c->options;
    const int used = options->model == NULL ? 2 : 1;
    if (options->operand_count < used) {
        return message_fail(err, VGG_ERR_ARGUMENT, "compare: expected MODEL and FOLDER");
    }
    c->model_path = options->model == NULL ? options->operands[0] : options->model;
    c->outcome.folder = options->operands[used - 1];
    c->outcome.rtol = options->rtol;
    c->outcome.inner = options->nodes;
    c->images = options->operands + used;
    c->image_count = options->operand_count - used;
    return VGG_OK;
}

static vgg_status make_path(const char *folder, const char *name, char *path, struct vgg_error *err)
{
    int length = snprintf(path, PATH_MAX, "%s/%s.npy", folder, name);
    return length > 0 && length < PATH_MAX && strchr(name, '/') == NULL
               ? VGG_OK
               : message_fail(err, VGG_ERR_ARGUMENT, "%s: cannot be a file in %s", name, folder);
}

/* "[1,64,224,224]" */
static void format_shape(const int64_t *shape, int ndim, char *out, size_t bytes)
{
    size_t length = (size_t)snprintf(out, bytes, "[");
    for (int i = 0; i < ndim && length < bytes; i++) {
        length += (size_t)snprintf(out + length, bytes - length, "%s%lld", i == 0 ? "" : ",",
                                   (long long)shape[i]);
    }
    if (length < bytes) {
        snprintf(out + length, bytes - length, "]");
    }
}

/* Opens input.npy and logits.npy, the two that must be there, and checks them against the net. */
static vgg_status open_arrays(struct comparison *c, struct vgg_error *err)
{
    char path[PATH_MAX];
    vgg_status status = make_path(c->outcome.folder, "input", path, err);
    if (status == VGG_OK) {
        status = npy_reader_open(path, &c->input, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    const int64_t *shape = c->input.shape;
    const int channels = c->net.about.info.channels;
    if (c->input.ndim != 4 || shape[0] < 1 || shape[1] != channels || shape[2] < 1 ||
        shape[3] < 1 || shape[2] > INT_MAX || shape[3] > INT_MAX) {
        return message_fail(err, VGG_ERR_MISMATCH, "%s: expected shape [images, %d, height, width]",
                            c->input.path, channels);
    }
    status = make_path(c->outcome.folder, "logits", path, err);
    if (status == VGG_OK) {
        status = npy_reader_open(path, &c->logits, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (c->logits.ndim != 2 || c->logits.shape[0] != shape[0] ||
        c->logits.shape[1] != c->net.about.info.class_count) {
        char got[128];
        format_shape(c->logits.shape, c->logits.ndim, got, sizeof got);
        return message_fail(err, VGG_ERR_MISMATCH, "%s: expected shape [%lld,%d], got %s",
                            c->logits.path, (long long)shape[0], c->net.about.info.class_count,
                            got);
    }
    c->outcome.images = shape[0];
    return VGG_OK;
}

/* Makes c->expected large enough for count floats. */
static bool reserve(struct comparison *c, size_t count)
{
    if (count <= c->expected_count) {
        return true;
    }
    float *larger = realloc(c->expected, count * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    c->expected = larger;
    c->expected_count = count;
    return true;
}

/* The node's record, created when it is first asked for; NULL when out of memory. */
static struct compare_node *find_node(struct compare_outcome *outcome, const char *name)
{
    for (size_t i = 0; i < outcome->node_count; i++) {
        if (strcmp(outcome->nodes[i].name, name) == 0) {
            return &outcome->nodes[i];
        }
    }
    struct compare_node *nodes =
        realloc(outcome->nodes, (outcome->node_count + 1) * sizeof *outcome->nodes);
    if (nodes == NULL) {
        return NULL;
    }
    outcome->nodes = nodes;
    struct compare_node *node = &nodes[outcome->node_count++];
    *node = (struct compare_node){0};
    snprintf(node->name, sizeof node->name, "%s", name);
    return node;
}

/* One image's part of an array. */
struct row {
    int64_t image;
    const int64_t *shape; /* [ndim] of the whole array: the number of images first */
    int ndim;
    const float *computed;
};

/* Compares a row with that of the file. */
static vgg_status compare_row(struct comparison *c, struct compare_node *node,
                              struct npy_reader *reader, const struct row *row,
                              struct vgg_error *err)
{
    const size_t shape_bytes = (size_t)row->ndim * sizeof *row->shape;
    if (reader->ndim != row->ndim || memcmp(reader->shape, row->shape, shape_bytes) != 0) {
        char ours[128], theirs[128];
        format_shape(row->shape, row->ndim, ours, sizeof ours);
        format_shape(reader->shape, reader->ndim, theirs, sizeof theirs);
        return message_fail(err, VGG_ERR_MISMATCH, "%s: expected shape %s, got %s", reader->path,
                            ours, theirs);
    }
    if (!reserve(c, reader->row_count)) {
        return message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", reader->path);
    }
    vgg_status status = npy_reader_read_row(reader, row->image, c->expected, err);
    if (status == VGG_OK) {
        node->ndim = row->ndim;
        memcpy(node->shape, row->shape, shape_bytes);
        difference_add(&node->difference, c->expected, row->computed, reader->row_count);
    }
    return status;
}

/* The session's callback: one node's output for the image that runs. */
struct node_run {
    struct comparison *comparison;
    int64_t image;
    struct vgg_error err; /* code is not OK once something failed */
};

static void compare_inner_node(void *user, const char *name, const int64_t *shape, int ndim,
                               const float *data)
{
    struct node_run *run = user;
    struct comparison *c = run->comparison;
    struct vgg_error err = {0};
    char path[PATH_MAX];
    struct npy_reader reader = {0};
    int64_t whole[NPY_MAX_DIMS];
    struct compare_node *node = find_node(&c->outcome, name);
    if (node == NULL || ndim < 1 || ndim > NPY_MAX_DIMS) {
        message_fail(&run->err, VGG_ERR_MEMORY, "%s: out of memory", name);
        return;
    }
    if (node->problem != NULL) {
        return;
    }
    memcpy(whole, shape, (size_t)ndim * sizeof *shape);
    whole[0] = c->outcome.images;
    vgg_status status = make_path(c->outcome.folder, name, path, &err);
    if (status == VGG_OK) {
        status = npy_reader_open(path, &reader, &err);
        if (status == VGG_ERR_IO && err.sys_errno == ENOENT) {
            return;
        }
    }
    if (status == VGG_OK) {
        const struct row row = {
            .image = run->image, .shape = whole, .ndim = ndim, .computed = data};
        status = compare_row(c, node, &reader, &row, &err);
    }
    npy_reader_close(&reader);
    if (status == VGG_ERR_MEMORY) {
        run->err = err;
    } else if (status != VGG_OK) {
        node->problem = strdup(err.message);
        if (node->problem == NULL) {
            message_fail(&run->err, VGG_ERR_MEMORY, "%s: out of memory", name);
        }
    }
}

static vgg_status create_session(struct comparison *c, struct node_run *run, struct vgg_error *err)
{
    const struct vgg_session_options options = {
        .threads = c->options->threads,
        .isa = (enum vgg_isa)c->options->isa,
        .conv = (enum vgg_conv_algorithm)c->options->conv,
        .height = (int)c->input.shape[2],
        .width = (int)c->input.shape[3],
        .on_node = c->options->nodes ? compare_inner_node : NULL,
        .on_node_user = run,
    };
    c->row = malloc(c->input.row_count * sizeof *c->row);
    c->computed = malloc((size_t)c->net.about.info.class_count * sizeof *c->computed);
    if (c->row == NULL || c->computed == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", c->input.path);
    }
    return vgg_session_create(c->net.model, &options, &c->session, err);
}

/* Runs every image of input.npy; inner nodes are compared on the way, the logits at the end. */
static vgg_status run_net(struct comparison *c, struct node_run *run, struct vgg_error *err)
{
    struct compare_node logits = {.name = "logits"};
    for (run->image = 0; run->image < c->outcome.images; run->image++) {
        vgg_status status = npy_reader_read_row(&c->input, run->image, c->row, err);
        if (status == VGG_OK) {
            status = vgg_session_run(c->session, c->row, 1, c->computed, err);
        }
        if (status == VGG_OK && run->err.code != VGG_OK) {
            *err = run->err;
            status = err->code;
        }
        if (status == VGG_OK) {
            const struct row row = {
                .image = run->image,
                .shape = c->logits.shape,
                .ndim = c->logits.ndim,
                .computed = c->computed,
            };
            status = compare_row(c, &logits, &c->logits, &row, err);
        }
        if (status != VGG_OK) {
            return status;
        }
    }
    struct compare_node *last = find_node(&c->outcome, logits.name);
    if (last == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory");
    }
    *last = logits;
    return VGG_OK;
}

/* One image through our own decoder and preprocessing, compared with its row of input.npy. */
static vgg_status compare_image(struct comparison *c, int64_t image, struct vgg_error *err)
{
    struct image_input input;
    const struct image_reader reader = net_get_reader(&c->net);
    vgg_status status = image_read(c->images[image], &reader, &input, err);
    if (status == VGG_OK) {
        const int64_t shape[] = {c->outcome.images, reader.channels, input.height, input.width};
        const struct row row = {
            .image = image, .shape = shape, .ndim = 4, .computed = input.tensor};
        status = compare_row(c, &c->outcome.input, &c->input, &row, err);
    }
    free(input.tensor);
    return status;
}

/* Warns that the golden run may be of another net. */
static void warn_other_net(const struct comparison *c)
{
    const char *net = c->golden.net;
    if (net != NULL && strcmp(net, c->net.about.info.name) != 0) {
        message_print("%s/golden.json: expected net %s, got %s of %s", c->outcome.folder, net,
                      c->model_path, c->net.about.info.name);
    }
}

/* Warns that images are preprocessed in another way. */
static void warn_other_preset(const struct comparison *c)
{
    const char *preset = c->golden.preset;
    if (preset != NULL && strcmp(preset, c->net.about.preprocess->name) != 0) {
        message_print("%s/golden.json: expected preset %s, got %s", c->outcome.folder, preset,
                      c->net.about.preprocess->name);
    }
}

static vgg_status compare_images(struct comparison *c, struct vgg_error *err)
{
    if (c->image_count == 0 && c->options->images) {
        c->images = c->golden.images;
        c->image_count = c->golden.image_count;
    }
    if (c->image_count == 0) {
        return !c->options->images
                   ? VGG_OK
                   : message_fail(err, VGG_ERR_ARGUMENT,
                                  "--images: none given, and %s/golden.json names none",
                                  c->outcome.folder);
    }
    if (c->image_count != c->outcome.images) {
        return message_fail(err, VGG_ERR_MISMATCH, "%s: expected %lld image%s, got %d",
                            c->input.path, (long long)c->outcome.images,
                            plural_s((uint64_t)c->outcome.images), c->image_count);
    }
    warn_other_preset(c);
    for (int i = 0; i < c->image_count; i++) {
        vgg_status status = compare_image(c, i, err);
        if (status == VGG_ERR_MISMATCH) {
            c->outcome.input.problem = strdup(err->message);
            return c->outcome.input.problem != NULL
                       ? VGG_OK
                       : message_fail(err, VGG_ERR_MEMORY, "out of memory");
        }
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

/* Lists .npy files that belong to no node: the golden run had another net. */
static vgg_status find_unused(struct comparison *c, struct vgg_error *err)
{
    struct compare_outcome *outcome = &c->outcome;
    struct dirent **entries;
    int count = scandir(outcome->folder, &entries, NULL, alphasort);
    if (count < 0) {
        return message_fail_errno(err, "%s: cannot list", outcome->folder);
    }
    outcome->unused = calloc((size_t)count + 1, sizeof *outcome->unused);
    bool good = outcome->unused != NULL;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const size_t length = strlen(name);
        bool used =
            length < 5 || strcmp(name + length - 4, ".npy") != 0 || strcmp(name, "input.npy") == 0;
        for (size_t j = 0; !used && j < outcome->node_count; j++) {
            used = strlen(outcome->nodes[j].name) == length - 4 &&
                   strncmp(outcome->nodes[j].name, name, length - 4) == 0;
        }
        if (!used && good) {
            char *copy = strdup(name);
            outcome->unused[outcome->unused_count] = copy;
            outcome->unused_count += copy != NULL;
            good = copy != NULL;
        }
        free(entries[i]);
    }
    free(entries);
    return good ? VGG_OK : message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", outcome->folder);
}

static vgg_status write_outcome(const struct comparison *c, FILE *out, struct vgg_error *err)
{
    if (c->options->format == FORMAT_JSON) {
        compare_write_json(&c->outcome, out);
    } else {
        compare_write_text(&c->outcome, out);
    }
    return fflush(out) == 0 && ferror(out) == 0
               ? VGG_OK
               : message_fail_errno(err, "cannot write the results");
}

static void free_comparison(struct comparison *c)
{
    for (size_t i = 0; i < c->outcome.node_count; i++) {
        free(c->outcome.nodes[i].problem);
    }
    for (size_t i = 0; i < c->outcome.unused_count; i++) {
        free(c->outcome.unused[i]);
    }
    free(c->outcome.nodes);
    free(c->outcome.unused);
    free(c->outcome.input.problem);
    free(c->row);
    free(c->computed);
    free(c->expected);
    npy_reader_close(&c->input);
    npy_reader_close(&c->logits);
    vgg_session_destroy(c->session);
    net_close(&c->net);
    golden_close(&c->golden);
}

int command_compare(const struct cli_options *options, struct command_outputs *outputs)
{
    struct vgg_error err = {0};
    struct comparison c = {.options = options, .outcome.input.name = "input"};
    struct node_run run = {.comparison = &c};
    int exit_code = EXIT_USAGE;
    vgg_status status = choose_operands(&c, &err);
    if (status == VGG_OK) {
        status = net_check_options(options, &err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    exit_code = EXIT_MODEL;
    status = net_open(c.model_path, options, &c.net, &err);
    if (status != VGG_OK) {
        exit_code = net_exit_code(&err);
        goto done;
    }
    c.net.about.folded = c.net.about.info.batch_norm && !options->nodes;
    c.outcome.model = &c.net.about;
    c.outcome.golden = &c.golden;
    exit_code = EXIT_FAILED;
    status = golden_open(c.outcome.folder, &c.golden, &err);
    if (status == VGG_OK) {
        warn_other_net(&c);
        status = open_arrays(&c, &err);
    }
    if (status == VGG_OK) {
        status = create_session(&c, &run, &err);
    }
    if (status == VGG_OK) {
        status = compare_images(&c, &err);
    }
    if (status == VGG_OK) {
        status = run_net(&c, &run, &err);
    }
    if (status == VGG_OK && options->nodes) {
        status = find_unused(&c, &err);
    }
    if (status == VGG_OK) {
        status = write_outcome(&c, outputs->results.file, &err);
    }
done:
    status = outputs_finish(&outputs->all, status, &err);
    if (status == VGG_OK && compare_find_first(&c.outcome) == NULL) {
        exit_code = EXIT_GOOD;
    }
    if (status != VGG_OK && err.sys_errno != EPIPE) {
        message_error(&err);
    }
    free_comparison(&c);
    return message_is_memory(&err) ? EXIT_MEMORY : exit_code;
}
