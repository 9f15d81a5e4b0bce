/* SPDX-License-Identifier: MIT */
/* The public functions of checkpoints: file -> container -> values and storages -> tensors. */
#include "vgg/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/explain.h"
#include "checkpoint/script/frozen.h"
#include "checkpoint/script/script.h"
#include "checkpoint/locate/tensor_names.h"

/* Makes a checkpoint with its context and path, and nothing else. */
static vgg_status create(const char *path, const struct vgg_context *context, vgg_checkpoint **out,
                         struct vgg_error *err)
{
    vgg_checkpoint *checkpoint =
        vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *checkpoint);
    if (checkpoint == NULL) {
        return vgg_fail_memory(err, path, sizeof *checkpoint, "the checkpoint");
    }
    if (context != NULL) {
        checkpoint->context = *context;
        checkpoint->context.limits = NULL; /* owned by the caller, and valid during the call only */
    }
    checkpoint->arena.context = &checkpoint->context;
    checkpoint->path = vgg_arena_copy_string(&checkpoint->arena, path, strlen(path));
    if (checkpoint->path == NULL) {
        vgg_checkpoint_close(checkpoint);
        return vgg_fail_memory(err, path, strlen(path), "the path");
    }
    *out = checkpoint;
    return VGG_OK;
}

enum { CLASS_BYTES_MAX = 100 };

/* The name of an object's class; NULL without memory. */
static const char *copy_class(const struct vgg_value *object, struct vgg_arena *arena)
{
    struct vgg_span name = object->object.callee->global.name;
    return vgg_arena_copy_string(arena, name.bytes,
                                 name.length > CLASS_BYTES_MAX ? CLASS_BYTES_MAX : name.length);
}

/* Notes the classes of the modules that hold the tensors. */
static vgg_status name_classes(vgg_checkpoint *checkpoint, struct vgg_error *err)
{
    const struct vgg_location *location = &checkpoint->dict.location;
    /* The module of a frozen one is no more than its code. */
    bool script =
        location->kind == VGG_SOURCE_SCRIPT || checkpoint->script.outcome == VGG_SCRIPT_FOLLOWED;
    if (script != (checkpoint->container == VGG_CONTAINER_TORCHSCRIPT)) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        script ? "%s: a TorchScript module outside a TorchScript archive"
                               : "%s: a TorchScript archive (constants.pkl) without a module",
                        checkpoint->path);
    }
    const struct vgg_named_list *modules = &location->modules;
    struct vgg_arena *arena = &checkpoint->arena;
    checkpoint->module_types =
        vgg_arena_alloc(arena, modules->count, sizeof *checkpoint->module_types);
    bool good = checkpoint->module_types != NULL;
    for (size_t i = 0; i < modules->count && good; i++) {
        checkpoint->module_types[i] = copy_class(modules->items[i].value, arena);
        good = checkpoint->module_types[i] != NULL;
    }
    if (good && location->source->kind == VGG_VALUE_OBJECT) {
        checkpoint->class_name = copy_class(location->source, arena);
        good = checkpoint->class_name != NULL;
    }
    if (!good) {
        return vgg_fail_memory(err, checkpoint->path, modules->count * CLASS_BYTES_MAX,
                               "the modules' classes");
    }
    return VGG_OK;
}

/* Notes what the file says about the program that wrote it. */
static vgg_status note_writer(vgg_checkpoint *checkpoint, const struct vgg_archive *archive,
                              struct vgg_error *err)
{
    const struct vgg_pickle_source *pickle = &archive->pickle;
    uint8_t begin[2] = {0};
    char text[sizeof archive->writer + 40];
    int length = snprintf(text, sizeof text, "%s", archive->writer);
    vgg_copy_changing(pickle->data, pickle->size < sizeof begin ? pickle->size : sizeof begin,
                      begin);
    if (length > 0 && begin[0] == 0x80) {
        length +=
            snprintf(text + length, sizeof text - (size_t)length, ", pickle protocol %d", begin[1]);
    }
    checkpoint->writer = vgg_arena_copy_string(&checkpoint->arena, text, (size_t)length);
    return checkpoint->writer != NULL
               ? VGG_OK
               : vgg_fail_memory(err, checkpoint->path, sizeof text, "the writer");
}

static int compare_prepacked(const void *a, const void *b)
{
    const struct vgg_prepacked *left = a, *right = b;
    const int order = strcmp(left->name, right->name);
    return order != 0 ? order
                      : (left->file_offset > right->file_offset) -
                            (left->file_offset < right->file_offset);
}

/* Takes what only a packed file, which is a single one, has beside its tensors. */
static void take_description(vgg_checkpoint *checkpoint, const struct vgg_archive *archive)
{
    checkpoint->description = archive->description;
    checkpoint->description_bytes = archive->description_bytes;
    checkpoint->prepacked = archive->prepacked;
    checkpoint->prepacked_count = archive->prepacked_count;
    if (archive->prepacked_count > 0) {
        qsort(archive->prepacked, archive->prepacked_count, sizeof *archive->prepacked,
              compare_prepacked);
    }
}

/* Points the tensors to their bytes. A place in one of several files is of no use to anyone. */
static vgg_status bind(vgg_checkpoint *checkpoint, struct vgg_parts_reader *reader, bool compute)
{
    struct vgg_storages storages;
    vgg_status status = vgg_parts_find_data(reader, &storages);
    status =
        status ? status : vgg_state_dict_bind(&reader->load, &checkpoint->dict, &storages, compute);
    if (status != VGG_OK) {
        return status;
    }
    for (size_t i = 0; i < checkpoint->dict.count && checkpoint->parts.count > 1; i++) {
        checkpoint->dict.tensors[i].file_offset = VGG_NO_OFFSET;
    }
    vgg_log(&checkpoint->context, VGG_LOG_INFO, "%s: %s checkpoint, %zu tensors in %zu storages",
            checkpoint->path, vgg_container_string(checkpoint->container), checkpoint->dict.count,
            storages.count);
    return VGG_OK;
}

/* Follows the code of a TorchScript archive. The archives of PyTorch's C++ library have none: the classes of their modules
 * say nothing, and the names of their tensors are all that there is. */
static vgg_status read_script(vgg_checkpoint *checkpoint, const struct vgg_archive *archive)
{
    struct vgg_location *location = &checkpoint->dict.location;
    if (checkpoint->script.outcome != VGG_SCRIPT_NONE || location->kind != VGG_SOURCE_SCRIPT) {
        return VGG_OK;
    }
    const vgg_status status = vgg_script_read(archive, location, &checkpoint->script);
    if (status == VGG_OK && checkpoint->script.outcome == VGG_SCRIPT_NONE) {
        location->modules.count = 0;
        checkpoint->class_name = NULL;
    }
    return status;
}

/* Reads a frozen TorchScript module, whose weights are constants of its code. */
static vgg_status read_frozen(vgg_checkpoint *checkpoint, struct vgg_parts_reader *reader,
                              struct vgg_pickle *pickle)
{
    if (checkpoint->container != VGG_CONTAINER_TORCHSCRIPT || reader->storages[0].count > 0) {
        return VGG_OK;
    }
    vgg_status status =
        vgg_frozen_read(&reader->archives[0], pickle, &reader->storages[0], &checkpoint->script);
    reader->pickles[0] = *pickle;
    return status;
}

/* Reads the tensors from the files that are mapped. */
static vgg_status read_tensors(vgg_checkpoint *checkpoint, struct vgg_parts_reader *reader,
                               const struct vgg_checkpoint_options *options)
{
    struct vgg_pickle pickle;
    struct vgg_error *err = reader->load.err;
    vgg_status status = vgg_parts_read(reader, &pickle);
    if (status != VGG_OK) {
        return status;
    }
    checkpoint->container = reader->parts->items[0].container;
    checkpoint->root = pickle.root;
    take_description(checkpoint, &reader->archives[0]);
    status = note_writer(checkpoint, &reader->archives[0], err);
    status = status ? status : read_frozen(checkpoint, reader, &pickle);
    status = status ? status
                    : vgg_state_dict_read(&reader->load, &pickle, options->key, &checkpoint->dict);
    status = status ? status : name_classes(checkpoint, err);
    status = status ? status : read_script(checkpoint, &reader->archives[0]);
    return status ? status : bind(checkpoint, reader, !options->names_only);
}

static const struct vgg_checkpoint_options no_options;

static struct vgg_parts_reader make_reader(vgg_checkpoint *checkpoint,
                                           const struct vgg_limits *limits, struct vgg_error *err)
{
    return (struct vgg_parts_reader){.load = {checkpoint->path, limits, &checkpoint->arena, err},
                                     .parts = &checkpoint->parts};
}

vgg_status vgg_checkpoint_open(const char *path, const struct vgg_context *context,
                               vgg_checkpoint **out, struct vgg_error *err)
{
    return vgg_checkpoint_open_with(path, NULL, context, out, err);
}

vgg_status vgg_checkpoint_open_with(const char *path, const struct vgg_checkpoint_options *options,
                                    const struct vgg_context *context, vgg_checkpoint **out,
                                    struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_checkpoint *checkpoint = NULL;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_open: out is NULL");
    }
    *out = NULL;
    if (path == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_open: path is NULL");
    }
    vgg_limits_take(context, &limits);
    vgg_status status = create(path, context, &checkpoint, err);
    if (status == VGG_OK) {
        struct vgg_parts_reader reader = make_reader(checkpoint, &limits, err);
        status = vgg_parts_map(&reader);
        status = status
                     ? status
                     : read_tensors(checkpoint, &reader, options != NULL ? options : &no_options);
        vgg_parts_finish(&reader);
        status = status ? vgg_explain_failure(&reader.load, status) : status;
    }
    if (status != VGG_OK) {
        vgg_checkpoint_close(checkpoint);
        return status;
    }
    *out = checkpoint;
    return VGG_OK;
}

vgg_status vgg_checkpoint_open_memory(const void *bytes, size_t count, const char *name,
                                      const struct vgg_checkpoint_options *options,
                                      const struct vgg_context *context, vgg_checkpoint **out,
                                      struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_checkpoint *checkpoint = NULL;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_open_memory: out is NULL");
    }
    *out = NULL;
    if ((bytes == NULL && count > 0) || name == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_checkpoint_open_memory: %s is NULL",
                        name == NULL ? "name" : "bytes");
    }
    vgg_limits_take(context, &limits);
    if (count > limits.file_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: file has %zu bytes, limit is %llu", name, count,
                        (unsigned long long)limits.file_bytes);
    }
    vgg_status status = create(name, context, &checkpoint, err);
    if (status == VGG_OK) {
        struct vgg_parts_reader reader = make_reader(checkpoint, &limits, err);
        status = vgg_parts_borrow(&reader, bytes, count);
        status = status
                     ? status
                     : read_tensors(checkpoint, &reader, options != NULL ? options : &no_options);
        vgg_parts_finish(&reader);
    }
    if (status != VGG_OK) {
        vgg_checkpoint_close(checkpoint);
        return status;
    }
    *out = checkpoint;
    return VGG_OK;
}

void vgg_checkpoint_close(vgg_checkpoint *checkpoint)
{
    if (checkpoint != NULL) {
        vgg_parts_close(&checkpoint->parts);
        vgg_arena_destroy(&checkpoint->arena);
        const struct vgg_allocator allocator = checkpoint->context.allocator;
        vgg_mem_free(&allocator, checkpoint);
    }
}

bool vgg_tensor_is_constant(const struct vgg_tensor *tensor)
{
    enum { DIMS_MAX = 4 };
    const int64_t count = vgg_tensor_get_count(tensor);
    bool has_one_side = tensor->ndim <= DIMS_MAX;
    for (int d = 0; d < tensor->ndim; d++) {
        has_one_side = has_one_side && (tensor->shape[d] == 1 || tensor->shape[d] == count);
    }
    return has_one_side && (count == 1 || count == 3) && vgg_name_is_constant(tensor->name);
}

const struct vgg_context *vgg_checkpoint_get_context(const struct vgg_checkpoint *checkpoint)
{
    return &checkpoint->context;
}

const char *vgg_checkpoint_get_path(const vgg_checkpoint *checkpoint)
{
    return checkpoint->path;
}

enum vgg_container vgg_checkpoint_get_container(const vgg_checkpoint *checkpoint)
{
    return checkpoint->container;
}

bool vgg_checkpoint_owns(const vgg_checkpoint *checkpoint, const void *address)
{
    for (size_t i = 0; i < checkpoint->parts.count; i++) {
        const struct vgg_file *file = &checkpoint->parts.items[i].file;
        const uintptr_t begin = (uintptr_t)file->data;
        if ((uintptr_t)address >= begin && (uintptr_t)address - begin < file->size) {
            return true;
        }
    }
    return false;
}

uint64_t vgg_checkpoint_get_file_bytes(const vgg_checkpoint *checkpoint)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < checkpoint->parts.count; i++) {
        bytes += checkpoint->parts.items[i].file.size;
    }
    return bytes;
}

const char *vgg_checkpoint_get_key(const vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.location.key;
}

const char *vgg_checkpoint_get_prefix(const vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.location.prefix;
}

const char *vgg_checkpoint_get_writer(const vgg_checkpoint *checkpoint)
{
    return checkpoint->writer;
}

const char *vgg_checkpoint_get_class(const vgg_checkpoint *checkpoint)
{
    return checkpoint->class_name;
}

size_t vgg_checkpoint_get_skipped(const vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.location.skipped;
}

size_t vgg_checkpoint_get_tensor_count(const vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.count;
}

const struct vgg_tensor *vgg_checkpoint_get_tensor(const vgg_checkpoint *checkpoint, size_t index)
{
    return index < checkpoint->dict.count ? &checkpoint->dict.tensors[index] : NULL;
}

static int compare_name(const void *name, const void *item)
{
    const struct vgg_tensor *const *tensor = item;
    return strcmp(name, (*tensor)->name);
}

const struct vgg_tensor *vgg_checkpoint_find_tensor(const vgg_checkpoint *checkpoint,
                                                    const char *name)
{
    const struct vgg_state_dict *dict = &checkpoint->dict;
    const struct vgg_tensor **found =
        bsearch(name, dict->by_name, dict->count, sizeof(const struct vgg_tensor *), compare_name);
    return found != NULL ? *found : NULL;
}

const struct vgg_prepacked *vgg_checkpoint_find_prepacked(const struct vgg_checkpoint *checkpoint,
                                                          const char *name, size_t *count)
{
    size_t low = 0, high = checkpoint->prepacked_count;
    while (low < high) { /* the first that is not before the name */
        const size_t middle = low + (high - low) / 2;
        if (strcmp(checkpoint->prepacked[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *count = 0;
    while (low + *count < checkpoint->prepacked_count &&
           strcmp(checkpoint->prepacked[low + *count].name, name) == 0) {
        ++*count;
    }
    return *count > 0 ? &checkpoint->prepacked[low] : NULL;
}

size_t vgg_checkpoint_get_ready_count(const vgg_checkpoint *checkpoint)
{
    return checkpoint->prepacked_count;
}

void vgg_checkpoint_get_ready(const vgg_checkpoint *checkpoint, size_t index,
                              struct vgg_ready_info *info)
{
    const struct vgg_prepacked *prepacked = &checkpoint->prepacked[index];
    *info = (struct vgg_ready_info){
        .name = prepacked->name,
        .order = vgg_order_string(prepacked->info.order),
        .m = prepacked->info.m,
        .group = prepacked->info.group,
        .channels = prepacked->info.channels,
        .bytes = prepacked->bytes,
        .file_offset = prepacked->file_offset,
    };
}

const char *vgg_container_string(enum vgg_container container)
{
    switch (container) {
    case VGG_CONTAINER_ZIP:
        return "zip";
    case VGG_CONTAINER_TORCHSCRIPT:
        return "torchscript";
    case VGG_CONTAINER_LEGACY:
        return "legacy";
    case VGG_CONTAINER_TAR:
        return "tar";
    case VGG_CONTAINER_SAFETENSORS:
        return "safetensors";
    case VGG_CONTAINER_PACKED:
        return "packed";
    }
    return "unknown";
}
