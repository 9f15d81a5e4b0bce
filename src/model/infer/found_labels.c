/* SPDX-License-Identifier: MIT */
/* Class names that a checkpoint has beside its tensors. */
#include "model/infer/found_labels.h"

#include "checkpoint/facts.h"
#include "model/infer/label_table.h"

enum { FACTS_MAX = 4 };

/* What training scripts and frameworks call class names, the most telling first. The last two can be other things. */
static const char *const keys[] = {
    "class_to_idx", "idx_to_class", "class_to_index", "index_to_class", "id2label", "label2id",
    "idx_to_label", "label_to_idx", "idx2label",      "label2idx",      "classes",  "class_names",
    "CLASSES",      "classnames",   "label_names",    "class_labels",   "labels",   "vocab",
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0], TELLING_COUNT = KEY_COUNT - 2 };

/* Adds an item of a dict, in either direction. */
static void add_pair(struct vgg_label_table *table, const struct vgg_fact_item *key,
                     const struct vgg_fact_item *value)
{
    const struct vgg_fact_item *name = value;
    double index = key->number;
    if (key->kind == VGG_ITEM_TEXT && value->kind == VGG_ITEM_NUMBER) {
        name = key;
        index = value->number;
    } else if (key->kind == VGG_ITEM_TEXT) {
        index = vgg_label_parse_index(key->text.bytes, key->text.length);
    }
    vgg_label_table_add(table, index, name->text.bytes, name->text.length);
}

/* Whether an item of a dict is an index and a name. */
static bool is_pair(const struct vgg_fact_item *key, const struct vgg_fact_item *value)
{
    return key->kind == VGG_ITEM_TEXT
               ? value->kind == VGG_ITEM_NUMBER ||
                     (value->kind == VGG_ITEM_TEXT &&
                      vgg_label_parse_index(key->text.bytes, key->text.length) >= 0)
               : key->kind == VGG_ITEM_NUMBER && value->kind == VGG_ITEM_TEXT;
}

/* Fills the table from a dict; *found is false where it is none of classes. */
static vgg_status read_dict(const struct vgg_load *load, const struct vgg_value *dict,
                            struct vgg_label_table *table, bool *found)
{
    *found = dict->list.count > 0;
    vgg_label_table_begin(table, load, dict->list.count / 2);
    for (size_t i = 0; i + 1 < dict->list.count && *found; i += 2) {
        struct vgg_fact_item key, value;
        if (!vgg_fact_read_item(dict->list.items[i], load->arena, &key) ||
            !vgg_fact_read_item(dict->list.items[i + 1], load->arena, &value)) {
            return vgg_load_fail_memory(load, 1, "the labels");
        }
        *found = is_pair(&key, &value);
        if (*found) {
            add_pair(table, &key, &value);
        }
    }
    return VGG_OK;
}

/* Fills the table from a list of names; *found is false where it is none. */
static vgg_status read_list(const struct vgg_load *load, const struct vgg_value *list,
                            struct vgg_label_table *table, bool *found)
{
    struct vgg_fact_item *items;
    size_t count;
    if (!vgg_fact_read_list(list, load->arena, &items, &count)) {
        return vgg_load_fail_memory(load, 1, "the labels");
    }
    *found = count > 0;
    vgg_label_table_begin(table, load, count);
    for (size_t i = 0; i < count && *found; i++) {
        *found = items[i].kind == VGG_ITEM_TEXT;
        if (*found) {
            vgg_label_table_add(table, (double)i, items[i].text.bytes, items[i].text.length);
        }
    }
    return VGG_OK;
}

static vgg_status look_at(const struct vgg_load *load, const struct vgg_fact *fact, bool is_telling,
                          struct vgg_found *found)
{
    struct vgg_label_table table;
    bool is_names = false;
    vgg_status status = fact->value->kind == VGG_VALUE_DICT
                            ? read_dict(load, fact->value, &table, &is_names)
                            : read_list(load, fact->value, &table, &is_names);
    return status == VGG_OK && is_names ? vgg_label_table_end(&table, fact->path, is_telling, found)
                                        : status;
}

vgg_status vgg_found_read_labels(const struct vgg_load *load,
                                 const struct vgg_checkpoint *checkpoint, struct vgg_found *found)
{
    struct vgg_fact facts[FACTS_MAX];
    vgg_status status = VGG_OK;
    for (size_t k = 0; k < KEY_COUNT && status == VGG_OK; k++) {
        const size_t count = vgg_checkpoint_find_facts(checkpoint, keys[k], facts, FACTS_MAX);
        for (size_t i = 0; i < count && status == VGG_OK; i++) {
            status = look_at(load, &facts[i], k < TELLING_COUNT, found);
        }
    }
    return status;
}
