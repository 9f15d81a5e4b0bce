/* SPDX-License-Identifier: MIT */
/* The pickle opcodes: one small handler each.
 *
 * There is no recursion, and the work of a handler is bounded by its operand or by the items it takes off the stack.
 * Where Python would copy more (an OrderedDict from a list of pairs), the copied items count as opcodes. So the limit
 * on opcodes bounds time and memory. */
#include <inttypes.h>

#include "checkpoint/pickle/globals.h"
#include "checkpoint/pickle/ops.h"
#include "checkpoint/pickle/stack.h"

#define BAD(m, ...) vgg_pickle_fail(m, VGG_ERR_FORMAT, __VA_ARGS__)

/* ---- the handlers, one per opcode: op_NAME(machine, operand) ---- */

#define HANDLER(name)                                                                              \
    static vgg_status op_##name(struct vgg_pickle_machine *m,                                      \
                                __attribute__((unused)) const struct vgg_pickle_operand *operand)

HANDLER(PROTO)
{
    if (m->opcode_offset != 0) {
        return BAD(m, "PROTO inside the pickle");
    }
    if (operand->number < 2 || operand->number > 5) {
        return vgg_pickle_fail(m, VGG_ERR_UNSUPPORTED, "protocol %" PRIu64 ", expected 2 to 5",
                               operand->number);
    }
    return VGG_OK;
}

HANDLER(FRAME)
{
    if (m->opcode_offset < m->frame_end) {
        return BAD(m, "FRAME inside a frame");
    }
    if (operand->number > vgg_pickle_input_left(&m->in)) {
        return BAD(m, "truncated: frame of %" PRIu64 " bytes, %zu are left", operand->number,
                   vgg_pickle_input_left(&m->in));
    }
    m->frame_end = m->in.offset + (size_t)operand->number;
    return VGG_OK;
}

HANDLER(STOP)
{
    if (m->mark_count > 0 || m->stack.count != 1) {
        return BAD(m, "STOP with %zu values and %zu marks on the stack, expected 1 and 0",
                   m->stack.count, m->mark_count);
    }
    if (m->in.offset < m->frame_end) {
        return BAD(m, "STOP before the end of the frame");
    }
    m->stopped = true;
    return VGG_OK;
}

HANDLER(MARK)
{
    if (m->mark_count >= m->load->limits->pickle_stack) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "more marks than the limit of %" PRIu32,
                               m->load->limits->pickle_stack);
    }
    if (!vgg_pickle_reserve(m, (void **)&m->marks, &m->mark_capacity, m->mark_count + 1,
                            sizeof *m->marks)) {
        return vgg_pickle_no_memory(m);
    }
    m->marks[m->mark_count++] = m->fence;
    m->fence = m->stack.count;
    return VGG_OK;
}

HANDLER(NONE)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_NONE});
}

HANDLER(NEWTRUE)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_BOOL, .boolean = true});
}

HANDLER(NEWFALSE)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_BOOL, .boolean = false});
}

HANDLER(BININT1)
{
    return vgg_pickle_push_new(
        m, (struct vgg_value){.kind = VGG_VALUE_INT, .integer = (int64_t)operand->number});
}

#define op_BININT2 op_BININT1

HANDLER(BININT)
{
    return vgg_pickle_push_new(
        m, (struct vgg_value){.kind = VGG_VALUE_INT, .integer = (int32_t)operand->number});
}

/* Decimal digits. "00" and "01" are what protocol 0 has for conditions. */
HANDLER(INT)
{
    const struct vgg_span line = operand->text;
    const bool negative = line.length > 0 && line.bytes[0] == '-';
    int64_t integer = 0;
    bool good =
        line.length > negative && !vgg_span_equals(line, "00") && !vgg_span_equals(line, "01");
    for (uint32_t i = negative; i < line.length && good; i++) {
        const int digit = line.bytes[i] - '0';
        good = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(integer, 10, &integer) &&
               !__builtin_add_overflow(integer, negative ? -digit : digit, &integer);
    }
    if (!good) {
        return BAD(m, "%s", "INT without an integer of 64 bits");
    }
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_INT, .integer = integer});
}

/* The longest integers in real checkpoints, UUIDs and NumPy's random states, have 128 bits; a pickle takes a byte more
 * for the sign. */
enum { LONG_BYTES_MAX = 17 };

HANDLER(LONG1)
{
    struct vgg_span text = operand->text;
    if (text.length > LONG_BYTES_MAX) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "integer of %" PRIu32 " bytes, limit is %d",
                               text.length, LONG_BYTES_MAX);
    }
    if (text.length > sizeof(int64_t)) {
        return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_LONG, .text = text});
    }
    uint64_t bits = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        bits |= (uint64_t)(uint8_t)text.bytes[i] << (8 * i);
    }
    if (text.length > 0 && text.length < 8 && (text.bytes[text.length - 1] & 0x80) != 0) {
        bits |= ~0ull << (8 * text.length);
    }
    return vgg_pickle_push_new(m,
                               (struct vgg_value){.kind = VGG_VALUE_INT, .integer = (int64_t)bits});
}

#define op_LONG4 op_LONG1

HANDLER(BINFLOAT)
{
    uint64_t bits = 0;
    double real;
    for (int i = 0; i < 8; i++) {
        bits = bits << 8 | (uint8_t)operand->text.bytes[i];
    }
    memcpy(&real, &bits, sizeof real);
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_FLOAT, .real = real});
}

HANDLER(BINUNICODE)
{
    return vgg_pickle_push_new(m,
                               (struct vgg_value){.kind = VGG_VALUE_TEXT, .text = operand->text});
}

#define op_SHORT_BINUNICODE op_BINUNICODE
#define op_BINSTRING op_BINUNICODE /* Python 2's str */
#define op_SHORT_BINSTRING op_BINUNICODE

HANDLER(BINBYTES)
{
    return vgg_pickle_push_new(m,
                               (struct vgg_value){.kind = VGG_VALUE_BYTES, .text = operand->text});
}

#define op_SHORT_BINBYTES op_BINBYTES
#define op_BYTEARRAY8 op_BINBYTES

HANDLER(EMPTY_TUPLE)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_TUPLE});
}

HANDLER(EMPTY_LIST)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_LIST});
}

HANDLER(EMPTY_DICT)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_DICT});
}

HANDLER(EMPTY_SET)
{
    return vgg_pickle_push_new(m, (struct vgg_value){.kind = VGG_VALUE_SET});
}

HANDLER(TUPLE1)
{
    return vgg_pickle_collect_top(m, 1);
}

HANDLER(TUPLE2)
{
    return vgg_pickle_collect_top(m, 2);
}

HANDLER(TUPLE3)
{
    return vgg_pickle_collect_top(m, 3);
}

HANDLER(TUPLE)
{
    size_t count;
    struct vgg_value **items = vgg_pickle_pop_mark(m, &count);
    return items == NULL ? VGG_ERR_FORMAT : vgg_pickle_collect(m, VGG_VALUE_TUPLE, items, count);
}

HANDLER(FROZENSET)
{
    size_t count;
    struct vgg_value **items = vgg_pickle_pop_mark(m, &count);
    return items == NULL ? VGG_ERR_FORMAT : vgg_pickle_collect(m, VGG_VALUE_SET, items, count);
}

HANDLER(APPEND)
{
    return vgg_pickle_add_to(m, VGG_VALUE_LIST, 1);
}

HANDLER(APPENDS)
{
    return vgg_pickle_add_to(m, VGG_VALUE_LIST, 0);
}

HANDLER(SETITEM)
{
    return vgg_pickle_add_to(m, VGG_VALUE_DICT, 2);
}

HANDLER(SETITEMS)
{
    return vgg_pickle_add_to(m, VGG_VALUE_DICT, 0);
}

HANDLER(ADDITEMS)
{
    return vgg_pickle_add_to(m, VGG_VALUE_SET, 0);
}

static vgg_status memo_put(struct vgg_pickle_machine *m, uint64_t index)
{
    struct vgg_value **top = vgg_pickle_peek(m, 1);
    if (top == NULL) {
        return VGG_ERR_FORMAT;
    }
    if (index >= m->load->limits->pickle_memo) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "memo entry %" PRIu64 ", limit is %" PRIu32, index,
                               m->load->limits->pickle_memo);
    }
    size_t needed = (size_t)index + 1;
    if (!vgg_pickle_reserve(m, (void **)&m->memo.items, &m->memo.capacity, needed,
                            sizeof *m->memo.items)) {
        return vgg_pickle_no_memory(m);
    }
    for (; m->memo.count < needed; m->memo.count++) {
        m->memo.items[m->memo.count] = NULL;
    }
    /* MEMOIZE uses the number of entries, as Python does, not the highest index. */
    m->memo_count += m->memo.items[index] == NULL;
    m->memo.items[index] = *top;
    return VGG_OK;
}

HANDLER(BINPUT)
{
    return memo_put(m, operand->number);
}

#define op_LONG_BINPUT op_BINPUT

HANDLER(MEMOIZE)
{
    return memo_put(m, m->memo_count);
}

HANDLER(BINGET)
{
    uint64_t index = operand->number;
    if (index >= m->memo.count || m->memo.items[index] == NULL) {
        return BAD(m, "memo entry %" PRIu64 " does not exist", index);
    }
    return vgg_pickle_push(m, m->memo.items[index]);
}

#define op_LONG_BINGET op_BINGET

static vgg_status refuse_global(struct vgg_pickle_machine *m, struct vgg_span module,
                                struct vgg_span name, const char *verb, const char *advice)
{
    /* A class that was named before says best what holds the name: a compiled model has a method in it. */
    const char *text = m->explanation != NULL ? m->explanation : vgg_global_explain(module, name);
    return vgg_pickle_fail(
        m, VGG_ERR_UNSUPPORTED, "checkpoint %s %.*s.%.*s, which is not tensor data%s%s", verb,
        VGG_SHOWN(module.bytes, module.length, 200), VGG_SHOWN(name.bytes, name.length, 200),
        text != NULL ? ": " : "", text != NULL ? text : advice);
}

static vgg_status push_global(struct vgg_pickle_machine *m, struct vgg_span module,
                              struct vgg_span name)
{
    const struct vgg_global *entry = vgg_global_find(module, name);
    if (entry == NULL) {
        return refuse_global(m, module, name, "refers to", "");
    }
    if (entry->role == VGG_GLOBAL_OTHER && m->explanation == NULL) {
        m->explanation = vgg_global_explain(module, name);
    }
    return vgg_pickle_push_new(
        m, (struct vgg_value){.kind = VGG_VALUE_GLOBAL, .global = {entry, module, name}});
}

HANDLER(GLOBAL)
{
    return push_global(m, operand->text, operand->second);
}

HANDLER(STACK_GLOBAL)
{
    struct vgg_value **items = vgg_pickle_peek(m, 2);
    if (items == NULL) {
        return VGG_ERR_FORMAT;
    }
    if (items[0]->kind != VGG_VALUE_TEXT || items[1]->kind != VGG_VALUE_TEXT) {
        return BAD(m, "STACK_GLOBAL of %s and %s, expected texts",
                   vgg_value_kind_string(items[0]->kind), vgg_value_kind_string(items[1]->kind));
    }
    m->stack.count -= 2;
    return push_global(m, items[0]->text, items[1]->text);
}

/* OrderedDict([[key, value], …]), as Python 2 wrote it. */
static vgg_status fill_from_pairs(struct vgg_pickle_machine *m, struct vgg_value *dict,
                                  const struct vgg_value *pairs)
{
    if (pairs->kind != VGG_VALUE_LIST) {
        return BAD(m, "OrderedDict made of %s, expected a list of pairs",
                   vgg_value_kind_string(pairs->kind));
    }
    m->steps += pairs->list.count;
    for (size_t i = 0; i < pairs->list.count && m->steps <= m->load->limits->pickle_opcodes; i++) {
        const struct vgg_value *pair = pairs->list.items[i];
        if ((pair->kind != VGG_VALUE_LIST && pair->kind != VGG_VALUE_TUPLE) ||
            pair->list.count != 2) {
            return BAD(m, "OrderedDict item %zu is not a pair", i);
        }
        vgg_status status = vgg_pickle_extend(m, dict, pair->list.items, 2);
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

/* Pushes the value of `callee(*args)`. */
static vgg_status apply(struct vgg_pickle_machine *m, bool is_call)
{
    struct vgg_value **items = vgg_pickle_peek(m, 2);
    if (items == NULL) {
        return VGG_ERR_FORMAT;
    }
    const struct vgg_value *callee = items[0], *args = items[1];
    if (callee->kind != VGG_VALUE_GLOBAL || args->kind != VGG_VALUE_TUPLE) {
        return BAD(m, "%s applied to %s, expected a global and a tuple",
                   vgg_value_kind_string(callee->kind), vgg_value_kind_string(args->kind));
    }
    enum vgg_global_role role = callee->global.entry->role;
    if (is_call && role == VGG_GLOBAL_OTHER) {
        return refuse_global(m, callee->global.module, callee->global.name, "calls",
                             ": save model.state_dict() instead");
    }
    m->stack.count -= 2;
    if (is_call && role == VGG_GLOBAL_TYPED && args->list.count > 0) {
        return vgg_pickle_push(m, args->list.items[0]);
    }
    if (role != VGG_GLOBAL_DICT && role != VGG_GLOBAL_ORDERED_DICT) {
        return vgg_pickle_push_new(
            m, (struct vgg_value){.kind = VGG_VALUE_OBJECT, .object = {callee, args, NULL}});
    }
    struct vgg_value *dict = vgg_pickle_make(m, VGG_VALUE_DICT);
    if (dict == NULL) {
        return vgg_pickle_no_memory(m);
    }
    if (role == VGG_GLOBAL_ORDERED_DICT && args->list.count > 0) {
        vgg_status status = fill_from_pairs(m, dict, args->list.items[0]);
        if (status != VGG_OK) {
            return status;
        }
    }
    return vgg_pickle_push(m, dict);
}

HANDLER(REDUCE)
{
    return apply(m, true);
}

/* callee.__new__(callee, *args): makes an object without calling the class. */
HANDLER(NEWOBJ)
{
    return apply(m, false);
}

HANDLER(BUILD)
{
    struct vgg_value **items = vgg_pickle_peek(m, 2);
    if (items == NULL) {
        return VGG_ERR_FORMAT;
    }
    struct vgg_value *target = items[0];
    m->stack.count--;
    if (target->kind == VGG_VALUE_DICT || target->kind == VGG_VALUE_LIST ||
        target->kind == VGG_VALUE_SET) {
        return VGG_OK; /* attributes of an OrderedDict (_metadata) are not items */
    }
    if (target->kind != VGG_VALUE_OBJECT || target->object.state != NULL) {
        return BAD(m, "BUILD on %s",
                   target->kind == VGG_VALUE_OBJECT ? "an object that is already built"
                                                    : vgg_value_kind_string(target->kind));
    }
    target->object.state = items[1];
    return VGG_OK;
}

/* Checks that an id is a tuple, or a key where the container has keys.
 *   class  receives the class whose source code the id holds, else NULL: such an id is replaced by the class */
static vgg_status check_id(struct vgg_pickle_machine *m, const struct vgg_value *id,
                           struct vgg_value **class)
{
    bool keys = m->source->ids_are_keys;
    *class = NULL;
    if (keys && id->kind == VGG_VALUE_TEXT) {
        return VGG_OK;
    }
    if (id->kind != VGG_VALUE_TUPLE || id->list.count < 2) {
        return BAD(m, "persistent id is %s, expected %s", vgg_value_kind_string(id->kind),
                   keys ? "a key" : "a tuple");
    }
    struct vgg_value *tag = id->list.items[0];
    if (keys) {
        *class = tag;
        return tag->kind == VGG_VALUE_GLOBAL ? VGG_OK : BAD(m, "persistent id without a class");
    }
    if (tag->kind == VGG_VALUE_TEXT && vgg_span_equals(tag->text, "module")) {
        *class = id->list.items[1];
    }
    return VGG_OK;
}

HANDLER(BINPERSID)
{
    struct vgg_value **top = vgg_pickle_peek(m, 1);
    if (top == NULL) {
        return VGG_ERR_FORMAT;
    }
    struct vgg_value *id = *top;
    struct vgg_value *class;
    vgg_status status = check_id(m, id, &class);
    if (status != VGG_OK) {
        return status;
    }
    if (class != NULL) {
        m->stack.count--;
        return vgg_pickle_push(m, class);
    }
    struct vgg_value *value = vgg_pickle_make(m, VGG_VALUE_PERSISTENT);
    if (value == NULL ||
        !vgg_pickle_reserve(m, (void **)&m->persistents.items, &m->persistents.capacity,
                            m->persistents.count + 1, sizeof *m->persistents.items)) {
        return vgg_pickle_no_memory(m);
    }
    value->persistent.id = id;
    m->persistents.items[m->persistents.count++] = value;
    m->stack.count--;
    return vgg_pickle_push(m, value);
}

const struct vgg_pickle_opcode vgg_pickle_opcodes[256] = {
#define OP(code, opcode_name, kind) [code] = {#opcode_name, op_##opcode_name, OPERAND_##kind},
#define REFUSED(code, opcode_name, kind) [code] = {#opcode_name, NULL, OPERAND_##kind},
#include "checkpoint/pickle/ops.inc"
#undef OP
#undef REFUSED
};
