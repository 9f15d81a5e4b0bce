/* SPDX-License-Identifier: MIT */
/* Imports, calls, and changes of what was imported. */
#include "checkpoint/scan/walk_calls.h"

#include <stdio.h>

#include "checkpoint/scan/text_bytes.h"
#include "checkpoint/scan/walk_stack.h"

#define LIGHT(...) ((struct vgg_light){__VA_ARGS__})

static void act(struct vgg_pickle_walk *walk, enum vgg_scan_rule rule,
                enum vgg_scan_severity severity, const char *what)
{
    if (!walk->stop) { /* else the bytes are no pickle */
        vgg_scan_names_act(walk->job, &walk->names,
                           (struct vgg_scan_record){.what = what,
                                                    .rule = rule,
                                                    .verdict = {.severity = severity},
                                                    .offset = walk->opcode_offset});
    }
}

/* The record of a NAME or MADE; NULL when the list was full. */
static struct vgg_scan_record *record_of(struct vgg_pickle_walk *walk, struct vgg_light value)
{
    return value.name > 0 ? &walk->names.records[value.name - 1] : NULL;
}

static enum vgg_scan_use use_of(struct vgg_pickle_walk *walk, struct vgg_light value)
{
    const struct vgg_scan_record *record = record_of(walk, value);
    return record != NULL ? record->verdict.use : VGG_SCAN_USE_NONE;
}

static uint16_t import(struct vgg_pickle_walk *walk, struct vgg_span module, struct vgg_span name)
{
    if ((!walk->expected || walk->in_doubt) &&
        (!vgg_scan_is_identifier(module) || !vgg_scan_is_identifier(name))) {
        vgg_walk_misuse(walk);
        return 0;
    }
    return vgg_scan_names_add(walk->job, &walk->names,
                              (struct vgg_scan_record){.module = module,
                                                       .name = name,
                                                       .rule = VGG_SCAN_RULE_NAME,
                                                       .offset = walk->opcode_offset});
}

void vgg_walk_import(struct vgg_pickle_walk *walk, struct vgg_span module, struct vgg_span name)
{
    vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_NAME, .name = import(walk, module, name)));
}

/* Whether a value is surely neither a text nor to be called. */
static bool is_inert(struct vgg_light value)
{
    return value.kind == VGG_LIGHT_PLAIN || value.kind == VGG_LIGHT_TUPLE ||
           value.kind == VGG_LIGHT_CONTAINER || value.kind == VGG_LIGHT_STORAGE ||
           vgg_light_is_bytes(value.kind);
}

void vgg_walk_import_from_stack(struct vgg_pickle_walk *walk)
{
    const struct vgg_light name = vgg_walk_peek(walk, 0), module = vgg_walk_peek(walk, 1);
    vgg_walk_drop(walk, 2);
    if (vgg_light_is_text(module) && vgg_light_is_text(name) && !module.escaped && !name.escaped) {
        vgg_walk_import(walk, module.text, name.text);
        return;
    }
    if (is_inert(module) || is_inert(name)) {
        vgg_walk_misuse(walk);
    } else {
        act(walk, VGG_SCAN_RULE_COMPUTED, VGG_SCAN_DANGEROUS,
            "imports a name that is put together at run time");
    }
    vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_UNKNOWN));
}

void vgg_walk_look_into(struct vgg_pickle_walk *walk, enum vgg_light_kind kind,
                        struct vgg_span bytes, enum vgg_walk_bytes_use use)
{
    const uint8_t *data = (const uint8_t *)bytes.bytes;
    size_t size = bytes.length;
    struct vgg_scan_item item = {.file_offset = VGG_NO_OFFSET,
                                 .role = use == VGG_WALK_LOADED ? VGG_SCAN_PICKLE : VGG_SCAN_ANY};
    char name[48];
    const bool magic =
        size > 3 && (vgg_scan_begins_pickle(data, size) || memcmp(data, "PK\3\4", 4) == 0);
    if (!vgg_light_is_bytes(kind) || size < 2 || walk->in.offset < walk->report_from ||
        (use == VGG_WALK_LITERAL && !magic)) {
        return;
    }
    snprintf(name, sizeof name, "bytes at %zu", walk->in.offset - size);
    if (kind == VGG_LIGHT_BYTES) {
        const size_t inside = (size_t)(data - walk->item->data);
        if (walk->item->file_offset != VGG_NO_OFFSET) {
            item.file_offset = walk->item->file_offset + inside;
        }
    } else {
        uint8_t *decoded = vgg_scan_keep(walk->job, walk->item, size);
        if (decoded == NULL) {
            return;
        }
        size = vgg_text_to_bytes(bytes, kind == VGG_LIGHT_CODED_LINE, decoded);
        data = decoded;
    }
    item.data = data;
    item.size = size;
    vgg_scan_push(walk->job, walk->item, item, (struct vgg_span){name, (uint32_t)strlen(name)});
}

/* What a call of torch.storage._load_from_bytes loads. */
static void load_bytes(struct vgg_pickle_walk *walk, struct vgg_light callee,
                       const struct vgg_light *args)
{
    if (args->kind == VGG_LIGHT_TUPLE && args->items == 1 && vgg_light_is_bytes(args->first)) {
        vgg_walk_look_into(walk, args->first, args->text, VGG_WALK_LOADED);
        return;
    }
    struct vgg_scan_record *record = record_of(walk, callee);
    record->verdict.severity = VGG_SCAN_DANGEROUS;
    record->verdict.reason = "with bytes that are put together at run time";
    walk->names.acts++;
}

/* The size of an element by the name of a dtype: "f8", "<i4", "U10", "O8". */
static struct vgg_light make_dtype(struct vgg_light callee, const struct vgg_light *args)
{
    const struct vgg_span text = args->text;
    uint64_t bytes = 0;
    uint32_t i = text.length > 0 && memchr("<>|=", text.bytes[0], 4) != NULL;
    const char letter = i < text.length ? text.bytes[i] : '?';
    for (uint32_t k = i + 1;
         k < text.length && text.bytes[k] >= '0' && text.bytes[k] <= '9' && bytes < UINT32_MAX;
         k++) {
        bytes = 10 * bytes + (uint64_t)(text.bytes[k] - '0');
    }
    bytes = letter == 'U' ? 4 * bytes : bytes;
    return LIGHT(.kind = VGG_LIGHT_MADE, .name = callee.name, .number = bytes,
                 .escaped = letter == 'O');
}

static struct vgg_light call(struct vgg_pickle_walk *walk, struct vgg_light callee,
                             const struct vgg_light *args)
{
    struct vgg_scan_record *record = record_of(walk, callee);
    if (is_inert(callee) || vgg_light_is_text(callee)) {
        vgg_walk_misuse(walk);
        return LIGHT(.kind = VGG_LIGHT_UNKNOWN);
    }
    if (callee.kind != VGG_LIGHT_NAME || record == NULL) {
        act(walk, VGG_SCAN_RULE_COMPUTED, VGG_SCAN_DANGEROUS,
            "calls something that is found at run time");
        vgg_walk_look_into(walk, args->first, args->text, VGG_WALK_ARGUMENT);
        return LIGHT(.kind = VGG_LIGHT_UNKNOWN);
    }
    vgg_scan_names_call(&walk->names, callee.name, walk->opcode_offset,
                        vgg_light_is_bytes(args->first) ? (struct vgg_span){"", 0} : args->text);
    switch (record->verdict.use) {
    case VGG_SCAN_USE_ENCODE:
        if (args->latin1) {
            return LIGHT(.kind =
                             args->first == VGG_LIGHT_LINE ? VGG_LIGHT_CODED_LINE : VGG_LIGHT_CODED,
                         .text = args->text);
        }
        break;
    case VGG_SCAN_USE_LOAD_BYTES:
        load_bytes(walk, callee, args);
        break;
    case VGG_SCAN_USE_DTYPE:
        return make_dtype(callee, args);
    default:
        if (record->verdict.severity > VGG_SCAN_INERT) {
            vgg_walk_look_into(walk, args->first, args->text, VGG_WALK_ARGUMENT);
        }
        break;
    }
    return LIGHT(.kind = VGG_LIGHT_MADE, .name = callee.name);
}

/* Whatever else has the loader of bytes could call it with bytes that are not looked into. */
static void take_callee(struct vgg_pickle_walk *walk, struct vgg_light callee)
{
    walk->loaders -=
        callee.kind == VGG_LIGHT_NAME && use_of(walk, callee) == VGG_SCAN_USE_LOAD_BYTES;
}

void vgg_walk_check_loaders(struct vgg_pickle_walk *walk)
{
    if (walk->loaders > 0) {
        vgg_scan_names_act(walk->job, &walk->names,
                           (struct vgg_scan_record){
                               .what = "hands torch.storage._load_from_bytes to something else",
                               .rule = VGG_SCAN_RULE_COMPUTED,
                               .verdict = {.severity = VGG_SCAN_DANGEROUS},
                               .offset = walk->opcode_offset});
    }
}

void vgg_walk_reduce(struct vgg_pickle_walk *walk, size_t arguments)
{
    const struct vgg_light callee = vgg_walk_peek(walk, arguments),
                           args = vgg_walk_peek(walk, arguments - 1);
    vgg_walk_drop(walk, arguments + 1);
    take_callee(walk, callee);
    vgg_walk_push(walk, walk->stop ? LIGHT(.kind = VGG_LIGHT_UNKNOWN) : call(walk, callee, &args));
}

void vgg_walk_inst(struct vgg_pickle_walk *walk, struct vgg_span module, struct vgg_span name)
{
    const struct vgg_light callee = {.kind = VGG_LIGHT_NAME, .name = import(walk, module, name)};
    const size_t count = vgg_walk_above_mark(walk);
    const struct vgg_light args =
        vgg_light_tuple(count > 0 ? walk->stack.items + walk->stack.count - count : NULL, count);
    vgg_walk_pop_mark(walk);
    if (!walk->stop) {
        vgg_walk_push(walk, call(walk, callee, &args));
    }
}

void vgg_walk_obj(struct vgg_pickle_walk *walk)
{
    const size_t count = vgg_walk_above_mark(walk);
    if (count == 0) {
        vgg_walk_misuse(walk);
    } else {
        const struct vgg_light *items = walk->stack.items + walk->stack.count - count;
        const struct vgg_light callee = items[0], args = vgg_light_tuple(items + 1, count - 1);
        vgg_walk_pop_mark(walk);
        take_callee(walk, callee);
        if (!walk->stop) {
            vgg_walk_push(walk, call(walk, callee, &args));
        }
    }
}

void vgg_walk_build(struct vgg_pickle_walk *walk)
{
    const struct vgg_light target = vgg_walk_peek(walk, 1);
    vgg_walk_drop(walk, 1);
    if (target.kind == VGG_LIGHT_NAME) {
        act(walk, VGG_SCAN_RULE_CHANGED, VGG_SCAN_DANGEROUS,
            "sets attributes of something imported, not of an object");
    }
    if (target.kind == VGG_LIGHT_MADE && use_of(walk, target) == VGG_SCAN_USE_ARRAY) {
        if (!walk->has_arrays) {
            walk->first_array = walk->in.offset;
        }
        walk->has_arrays = true;
        walk->array_built = true;
    }
}

void vgg_walk_change(struct vgg_pickle_walk *walk, bool keys)
{
    const struct vgg_light target = vgg_walk_peek(walk, 0);
    if (target.kind == VGG_LIGHT_NAME) {
        act(walk, VGG_SCAN_RULE_CHANGED, VGG_SCAN_DANGEROUS, "sets items of something imported");
    }
    const enum vgg_scan_use use =
        target.kind == VGG_LIGHT_MADE ? use_of(walk, target) : VGG_SCAN_USE_NONE;
    if (target.kind == VGG_LIGHT_STORAGE ||
        (keys && (use == VGG_SCAN_USE_TENSOR || use == VGG_SCAN_USE_STORAGE_TYPE))) {
        act(walk, VGG_SCAN_RULE_CHANGED, VGG_SCAN_DANGEROUS,
            "sets items of a tensor, which corrupts memory in PyTorch before 2.10 "
            "(CVE-2026-24747)");
    }
}

void vgg_walk_extension(struct vgg_pickle_walk *walk)
{
    if (!walk->expected) {
        vgg_walk_misuse(walk);
        return;
    }
    act(walk, VGG_SCAN_RULE_EXTENSION, VGG_SCAN_SUSPICIOUS,
        "imports a name by its number in copyreg's registry");
    vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_UNKNOWN));
}

/* Whether the archive has the storage with as many bytes as the pickle says. */
static void compare_storage(struct vgg_pickle_walk *walk, struct vgg_light id)
{
    const struct vgg_scan_item *item = walk->item;
    const struct vgg_scan_record *type = record_of(walk, id);
    char path[600];
    if (item->directory == NULL || type == NULL || type->verdict.element_bytes == 0) {
        return;
    }
    const int length = snprintf(path, sizeof path, "%.*sdata/%.*s", (int)item->folder.length,
                                item->folder.bytes, (int)id.text.length, id.text.bytes);
    const struct vgg_zip_member *member =
        length > 0 && (size_t)length < sizeof path
            ? vgg_zip_directory_find(item->directory, (struct vgg_span){path, (uint32_t)length})
            : NULL;
    uint64_t bytes;
    if (member != NULL && (__builtin_mul_overflow(id.number, type->verdict.element_bytes, &bytes) ||
                           bytes != member->bytes)) {
        act(walk, VGG_SCAN_RULE_CHANGED, VGG_SCAN_DANGEROUS,
            "gives a storage another size than it has in the archive (CVE-2026-24747)");
    }
}

void vgg_walk_persistent(struct vgg_pickle_walk *walk, bool text)
{
    const struct vgg_light id = text ? LIGHT(.kind = VGG_LIGHT_UNKNOWN) : vgg_walk_peek(walk, 0);
    if (!text) {
        vgg_walk_drop(walk, 1);
    }
    const bool module =
        id.kind == VGG_LIGHT_TUPLE && (vgg_span_equals(id.text, "module") || id.name > 0);
    if (id.kind == VGG_LIGHT_STORAGE) {
        compare_storage(walk, id);
    } else if (!walk->expected && !module) {
        vgg_walk_misuse(walk);
    } else if (!module && walk->item->role != VGG_SCAN_RECORDS) {
        act(walk, VGG_SCAN_RULE_EXTENSION, VGG_SCAN_SUSPICIOUS,
            "asks the program that loads it for an object that is no storage");
    }
    if (!walk->stop) {
        /* ("module", class, file, source) is replaced by the class. */
        vgg_walk_push(walk, id.kind == VGG_LIGHT_STORAGE ? id
                            : module && id.name > 0 ? LIGHT(.kind = VGG_LIGHT_NAME, .name = id.name)
                                                    : LIGHT(.kind = VGG_LIGHT_UNKNOWN));
    }
}

void vgg_walk_note_items(struct vgg_pickle_walk *walk, size_t count)
{
    struct vgg_walk_array *array = &walk->array;
    if (count == 0 || count > 64 || count > walk->stack.count) {
        return;
    }
    const struct vgg_light *items = walk->stack.items + walk->stack.count - count;
    for (size_t i = 0; i + 1 < count; i += 2) {
        const struct vgg_light *key = &items[i], *value = &items[i + 1];
        if (key->kind != VGG_LIGHT_TEXT) {
            continue;
        }
        if (vgg_span_equals(key->text, "shape") && value->kind == VGG_LIGHT_TUPLE) {
            *array = (struct vgg_walk_array){.elements = value->number, .has_shape = true};
        } else if (vgg_span_equals(key->text, "dtype") && value->kind == VGG_LIGHT_MADE) {
            array->element_bytes = value->number;
            array->objects = value->escaped;
            array->has_type = true;
        } else if (vgg_span_equals(key->text, "numpy_array_alignment_bytes")) {
            array->aligned = value->kind == VGG_LIGHT_PLAIN && value->number > 0;
        }
    }
}
