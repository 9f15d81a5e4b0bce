/* SPDX-License-Identifier: MIT */
/* The opcodes, as Python's unpickler runs them, on a stack of light values. */
#include "checkpoint/scan/walk_ops.h"

#include "checkpoint/scan/walk_calls.h"
#include "checkpoint/scan/walk_stack.h"

#define LIGHT(...) ((struct vgg_light){__VA_ARGS__})

/* A decimal number in a line; UINT64_MAX for anything else. */
static uint64_t read_decimal(struct vgg_span line)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < line.length; i++) {
        const unsigned digit = (unsigned)(line.bytes[i] - '0');
        if (digit > 9 || number > UINT32_MAX) {
            return UINT64_MAX;
        }
        number = 10 * number + digit;
    }
    return line.length > 0 ? number : UINT64_MAX;
}

/* STRING has quotes around it. */
static struct vgg_span unquote(struct vgg_span line)
{
    if (line.length >= 2 && (line.bytes[0] == '\'' || line.bytes[0] == '"')) {
        return (struct vgg_span){line.bytes + 1, line.length - 2};
    }
    return line;
}

static void push_line(struct vgg_pickle_walk *walk, struct vgg_span text)
{
    const bool escaped = text.length > 0 && memchr(text.bytes, '\\', text.length) != NULL;
    vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_LINE, .text = text, .escaped = escaped));
}

static uint64_t little_endian(struct vgg_span bytes)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < bytes.length && i < 8; i++) {
        number |= (uint64_t)(uint8_t)bytes.bytes[i] << (8 * i);
    }
    return bytes.length <= 8 ? number : UINT64_MAX;
}

static void push_number(struct vgg_pickle_walk *walk, uint64_t number)
{
    vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_PLAIN, .number = number));
}

static bool run_literal(struct vgg_pickle_walk *walk, uint8_t code,
                        const struct vgg_pickle_operand *operand)
{
    switch (code) {
    case 'N':  /* NONE */
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
    case 'G':  /* BINFLOAT */
    case 'F':  /* FLOAT */
        push_number(walk, 0);
        return true;
    case 'J': /* BININT */
    case 'K': /* BININT1 */
    case 'M': /* BININT2 */
        push_number(walk, operand->number);
        return true;
    case 'I':   /* INT */
    case 'L': { /* LONG, with an L at its end */
        struct vgg_span line = operand->text;
        line.length -= line.length > 1 && line.bytes[line.length - 1] == 'L';
        push_number(walk, read_decimal(line));
        return true;
    }
    case 0x8a: /* LONG1 */
    case 0x8b: /* LONG4 */
        push_number(walk, little_endian(operand->text));
        return true;
    case 'S': /* STRING */
        push_line(walk, unquote(operand->text));
        return true;
    case 'V': /* UNICODE */
        push_line(walk, operand->text);
        return true;
    case 'X':  /* BINUNICODE */
    case 0x8c: /* SHORT_BINUNICODE */
    case 0x8d: /* BINUNICODE8 */
    case 'T':  /* BINSTRING */
    case 'U':  /* SHORT_BINSTRING */
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_TEXT, .text = operand->text));
        return true;
    case 'B':  /* BINBYTES */
    case 'C':  /* SHORT_BINBYTES */
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_BYTES, .text = operand->text));
        vgg_walk_look_into(walk, VGG_LIGHT_BYTES, operand->text, VGG_WALK_LITERAL);
        return true;
    default:
        return false;
    }
}

static bool run_container(struct vgg_pickle_walk *walk, uint8_t code)
{
    switch (code) {
    case '(': /* MARK */
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_MARK));
        return true;
    case ')': /* EMPTY_TUPLE */
        vgg_walk_tuple(walk, 0);
        return true;
    case 0x85: /* TUPLE1 … TUPLE3 */
    case 0x86:
    case 0x87:
        vgg_walk_tuple(walk, code - 0x84u);
        return true;
    case 't': /* TUPLE */
        vgg_walk_tuple(walk, vgg_walk_above_mark(walk));
        vgg_walk_drop_mark_below(walk);
        return true;
    case ']':  /* EMPTY_LIST */
    case '}':  /* EMPTY_DICT */
    case 0x8f: /* EMPTY_SET */
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_CONTAINER));
        return true;
    case 'l':  /* LIST */
    case 'd':  /* DICT */
    case 0x91: /* FROZENSET */
        vgg_walk_pop_mark(walk);
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_CONTAINER));
        return true;
    case 'a': /* APPEND */
        vgg_walk_drop(walk, 1);
        vgg_walk_change(walk, false);
        return true;
    case 's': /* SETITEM */
        vgg_walk_note_items(walk, 2);
        vgg_walk_drop(walk, 2);
        vgg_walk_change(walk, true);
        return true;
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        vgg_walk_pop_mark(walk);
        vgg_walk_change(walk, false);
        return true;
    case 'u': /* SETITEMS */
        vgg_walk_note_items(walk, vgg_walk_above_mark(walk));
        vgg_walk_pop_mark(walk);
        vgg_walk_change(walk, true);
        return true;
    default:
        return false;
    }
}

static void pop(struct vgg_pickle_walk *walk)
{
    if (walk->stack.count > 0) {
        walk->stack.count--; /* also a MARK */
    } else {
        vgg_walk_misuse(walk);
    }
}

static bool run_memo(struct vgg_pickle_walk *walk, uint8_t code,
                     const struct vgg_pickle_operand *operand)
{
    switch (code) {
    case 'q': /* BINPUT */
    case 'r': /* LONG_BINPUT */
        vgg_walk_memoize(walk, operand->number);
        return true;
    case 'p': /* PUT */
        vgg_walk_memoize(walk, read_decimal(operand->text));
        return true;
    case 0x94: /* MEMOIZE */
        vgg_walk_memoize(walk, walk->memo.used);
        return true;
    case 'h': /* BINGET */
    case 'j': /* LONG_BINGET */
        vgg_walk_recall(walk, operand->number);
        return true;
    case 'g': /* GET */
        vgg_walk_recall(walk, read_decimal(operand->text));
        return true;
    case '0': /* POP */
        pop(walk);
        return true;
    case '1': /* POP_MARK */
        vgg_walk_pop_mark(walk);
        return true;
    case '2': /* DUP */
        vgg_walk_push(walk, vgg_walk_peek(walk, 0));
        return true;
    default:
        return false;
    }
}

static void run_call(struct vgg_pickle_walk *walk, uint8_t code,
                     const struct vgg_pickle_operand *operand)
{
    switch (code) {
    case 'c': /* GLOBAL */
        vgg_walk_import(walk, operand->text, operand->second);
        break;
    case 0x93: /* STACK_GLOBAL */
        vgg_walk_import_from_stack(walk);
        break;
    case 'i': /* INST */
        vgg_walk_inst(walk, operand->text, operand->second);
        break;
    case 'o': /* OBJ */
        vgg_walk_obj(walk);
        break;
    case 'R': /* REDUCE */
        vgg_walk_reduce(walk, 1);
        break;
    case 0x81: /* NEWOBJ */
        vgg_walk_reduce(walk, 1);
        break;
    case 0x92: /* NEWOBJ_EX */
        vgg_walk_reduce(walk, 2);
        break;
    case 'b': /* BUILD */
        vgg_walk_build(walk);
        break;
    case 'P': /* PERSID */
        vgg_walk_persistent(walk, true);
        break;
    case 'Q': /* BINPERSID */
        vgg_walk_persistent(walk, false);
        break;
    case 0x82: /* EXT1, EXT2, EXT4 */
    case 0x83:
    case 0x84:
        vgg_walk_extension(walk);
        break;
    case 0x97:                 /* NEXT_BUFFER */
        vgg_walk_misuse(walk); /* the loader has to have buffers; none of a file has */
        vgg_walk_push(walk, LIGHT(.kind = VGG_LIGHT_UNKNOWN));
        break;
    default: /* PROTO, FRAME, READONLY_BUFFER */
        break;
    }
}

void vgg_walk_op(struct vgg_pickle_walk *walk, uint8_t code,
                 const struct vgg_pickle_operand *operand)
{
    if (!run_literal(walk, code, operand) && !run_container(walk, code) &&
        !run_memo(walk, code, operand)) {
        run_call(walk, code, operand);
    }
}
