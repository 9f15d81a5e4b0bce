/* SPDX-License-Identifier: MIT */
/* checkpoint/pickle: what every opcode makes, and that no bytes do more than that. */
#include "unit.h"
#include "writer.h"

#include "checkpoint/pickle/globals.h"
#include "checkpoint/pickle/pickle.h"

/* The result of the last read, until the next. */
static struct vgg_arena arena;
static struct vgg_error err;
static uint8_t *source_bytes;

static vgg_status read_limited(const void *data, size_t size, const struct vgg_limits *limits,
                               const struct vgg_value **root, size_t *used)
{
    struct vgg_limits defaults;
    struct vgg_pickle pickle = {0};
    vgg_arena_destroy(&arena);
    free(source_bytes);
    source_bytes = copy_exactly(data, size);
    err = (struct vgg_error){0};
    vgg_limits_init(&defaults);
    const struct vgg_load load = {.path = "a.pth",
                                  .limits = limits != NULL ? limits : &defaults,
                                  .arena = &arena,
                                  .err = &err};
    const struct vgg_pickle_source source = {.data = source_bytes, .size = size, .file_offset = 0};
    vgg_status status = vgg_pickle_read(&load, &source, &pickle);
    if (root != NULL) {
        *root = pickle.root;
    }
    if (used != NULL) {
        *used = pickle.size;
    }
    return status;
}

static const struct vgg_value *read_ok(const void *data, size_t size)
{
    const struct vgg_value *root;
    vgg_status status = read_limited(data, size, NULL, &root, NULL);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    return root;
}

static void read_bad(const void *data, size_t size, vgg_status expected, const char *reason)
{
    vgg_status status = read_limited(data, size, NULL, NULL, NULL);
    ck_assert_msg(status == expected && strstr(err.message, reason) != NULL,
                  "expected \"%s\" (%s), found \"%s\" (%s)", reason, vgg_status_string(expected),
                  err.message, vgg_status_string(status));
}

/* The pickle of protocol 2 with this body and a STOP. */
#define OK(body) read_ok("\x80\x02" body ".", sizeof("\x80\x02" body ".") - 1)
#define BAD(body, reason)                                                                          \
    read_bad("\x80\x02" body ".", sizeof("\x80\x02" body ".") - 1, VGG_ERR_FORMAT, reason)
#define REFUSED_BODY(body, reason)                                                                 \
    read_bad("\x80\x02" body ".", sizeof("\x80\x02" body ".") - 1, VGG_ERR_UNSUPPORTED, reason)

static void is_text(const struct vgg_value *value, const char *text)
{
    ck_assert_int_eq(value->kind, VGG_VALUE_TEXT);
    ck_assert_uint_eq(value->text.length, strlen(text));
    ck_assert_mem_eq(value->text.bytes, text, strlen(text));
}

static void is_int(const struct vgg_value *value, int64_t number)
{
    ck_assert_int_eq(value->kind, VGG_VALUE_INT);
    ck_assert_int_eq(value->integer, number);
}

START_TEST(reads_scalars)
{
    ck_assert_int_eq(OK("N")->kind, VGG_VALUE_NONE);
    ck_assert(OK("\x88")->boolean);
    ck_assert(!OK("\x89")->boolean);
    is_int(OK("K\xff"), 255);
    is_int(OK("M\xff\xff"), 65535);
    is_int(OK("J\xff\xff\xff\xff"), -1);
    is_int(OK("\x8a\x00"), 0);
    is_int(OK("\x8a\x01\xff"), -1);
    is_int(OK("\x8a\x02\xff\x00"), 255);
    is_int(OK("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"), INT64_MIN);
    is_int(OK("I94613285943296\n"), 94613285943296);
    is_int(OK("I9223372036854775807\n"), INT64_MAX);
    is_int(OK("I-9223372036854775808\n"), INT64_MIN);
    is_int(OK("\x8b\x02\x00\x00\x00\x00\x01"), 256);
    ck_assert_int_eq(OK("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00")->kind, VGG_VALUE_LONG);
    ck_assert(OK("G\x3f\xf8\x00\x00\x00\x00\x00\x00")->real == 1.5);
    is_text(OK("X\x03\x00\x00\x00"
               "abc"),
            "abc");
    is_text(OK("\x8c\x01x"), "x");
    is_text(OK("U\x01x"), "x");
    is_text(OK("T\x01\x00\x00\x00x"), "x");
    ck_assert_int_eq(OK("C\x01x")->kind, VGG_VALUE_BYTES);
    ck_assert_int_eq(OK("B\x01\x00\x00\x00x")->kind, VGG_VALUE_BYTES);
    ck_assert_uint_eq(OK("\x96\x02\x00\x00\x00\x00\x00\x00\x00xy")->text.length, 2);
    /* 2^128 - 1, as of a UUID. */
    ck_assert_uint_eq(
        OK("\x8a\x11\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00")
            ->text.length,
        17);
}
END_TEST

START_TEST(reads_collections)
{
    ck_assert_uint_eq(OK(")")->list.count, 0);
    ck_assert_uint_eq(OK("N\x85")->list.count, 1);
    const struct vgg_value *tuple = OK("K\x01K\x02K\x03\x87");
    ck_assert_int_eq(tuple->kind, VGG_VALUE_TUPLE);
    is_int(tuple->list.items[0], 1);
    is_int(tuple->list.items[2], 3);
    ck_assert_uint_eq(OK("(K\x01K\x02K\x03K\x04t")->list.count, 4);
    const struct vgg_value *list = OK("](K\x01K\x02"
                                      "eK\x03"
                                      "a");
    ck_assert_int_eq(list->kind, VGG_VALUE_LIST);
    ck_assert_uint_eq(list->list.count, 3);
    is_int(list->list.items[2], 3);
    const struct vgg_value *dict = OK("}K\x01K\x02s(K\x03K\x04K\x05K\x06u");
    ck_assert_int_eq(dict->kind, VGG_VALUE_DICT);
    ck_assert_uint_eq(dict->list.count, 6);
    is_int(dict->list.items[5], 6);
    ck_assert_uint_eq(OK("\x8f(K\x01K\x02\x90")->list.count, 2);
    ck_assert_uint_eq(OK("(K\x01K\x02\x91")->list.count, 2);
    ck_assert_uint_eq(OK("(((ttt")->list.count, 1);
}
END_TEST

START_TEST(remembers)
{
    const struct vgg_value *tuple = OK("]q\x07h\x07r\x2a\x01\x00\x00j\x2a\x01\x00\x00\x87");
    ck_assert_ptr_eq(tuple->list.items[0], tuple->list.items[2]);
    /* MEMOIZE takes the number of entries, as Python does. */
    tuple = OK("K\x05\x94K\x06\x94\x86\x94h\x00h\x01\x87");
    is_int(tuple->list.items[1], 5);
    is_int(tuple->list.items[2], 6);
    BAD("h\x00", "memo entry 0 does not exist");
    BAD("Nq\x05h\x04", "memo entry 4 does not exist");
    BAD("q\x00", "underflow");
    read_bad("\x80\x02Nr\xff\xff\xff\xff.", 8, VGG_ERR_LIMIT, "memo entry 4294967295");
}
END_TEST

START_TEST(notes_calls)
{
    const struct vgg_value *object = OK("ctorch\nFloatTensor\n)RN\x85"
                                        "b");
    ck_assert_int_eq(object->kind, VGG_VALUE_OBJECT);
    ck_assert_int_eq(object->object.callee->global.entry->role, VGG_GLOBAL_TENSOR);
    ck_assert_uint_eq(object->object.args->list.count, 0);
    ck_assert_uint_eq(object->object.state->list.count, 1);
    ck_assert_int_eq(OK("ctorch\nFloatTensor\n)\x81")->kind, VGG_VALUE_OBJECT);
    const struct vgg_value *dict = OK("ccollections\nOrderedDict\n)R}b");
    ck_assert_int_eq(dict->kind, VGG_VALUE_DICT);
    ck_assert_uint_eq(dict->list.count, 0);
    dict = OK("ccollections\nOrderedDict\n](](K\x01K\x02"
              "e](K\x03K\x04"
              "ee\x85R");
    ck_assert_uint_eq(dict->list.count, 4);
    is_int(dict->list.items[3], 4);
    is_text(OK("cargparse\nNamespace\n)\x81}\x8c\x01xK\x01sb\x8c\x01y\x86")->list.items[1], "y");
    const struct vgg_value *storage = OK("(\x8c\x07storageNtQ");
    ck_assert_int_eq(storage->kind, VGG_VALUE_PERSISTENT);
    ck_assert_int_eq(OK("(\x8c\x06module\x8c\x01xNNtQ")->kind, VGG_VALUE_TEXT);
}
END_TEST

START_TEST(knows_names)
{
    static const struct {
        const char *module, *name;
        int role;
    } cases[] = {
        {"torch", "HalfStorage", VGG_GLOBAL_STORAGE},
        {"torch.cuda", "FloatTensor", VGG_GLOBAL_TENSOR},
        {"torch._utils", "_rebuild_tensor", VGG_GLOBAL_REBUILD_TENSOR},
        {"torch.nn.modules.conv", "Conv2d", VGG_GLOBAL_MODULE},
        {"torchvision.models", "VGG", VGG_GLOBAL_MODULE},
        {"__builtin__", "set", VGG_GLOBAL_OPAQUE},
        {"__builtin__", "long", VGG_GLOBAL_OPAQUE},
        {"pathlib", "PurePosixPath", VGG_GLOBAL_OPAQUE},
        {"pathlib._local", "PurePosixPath", VGG_GLOBAL_OPAQUE},
        {"numpy.core.multiarray", "scalar", VGG_GLOBAL_OPAQUE},
        {"numpy._core.multiarray", "scalar", VGG_GLOBAL_OPAQUE},
        {"torch.nn.modules_x", "Conv2d", VGG_GLOBAL_OTHER},
        {"torchvision.model", "VGG", VGG_GLOBAL_OTHER},
        {"torch", "FloatStorag", VGG_GLOBAL_OTHER},
        {"torch", "FloatStorage2", VGG_GLOBAL_OTHER},
        {"", "", VGG_GLOBAL_OTHER},
        {"os", "system", -1},
        {"os.path", "join", -1},
        {"builtins", "getattr", -1},
        {"builtins", "eval", -1},
        {"__builtin__", "exec", -1},
        {"torch.utils", "FloatStorage", VGG_GLOBAL_OTHER},
        {"torch._utils", "_import_dotted_name", VGG_GLOBAL_OTHER},
        {"torch.hub", "load", VGG_GLOBAL_OTHER},
        {"numpy", "load", VGG_GLOBAL_OTHER},
        {"pathlib", "os.system", VGG_GLOBAL_OTHER},
        {"pathlib._local", "os", VGG_GLOBAL_OTHER},
        {"functools", "reduce", VGG_GLOBAL_OTHER},
        {"uuid", "_ifconfig_getnode", VGG_GLOBAL_OTHER},
        {"importlib", "import_module", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_span module = {cases[i].module, (uint32_t)strlen(cases[i].module)};
        struct vgg_span name = {cases[i].name, (uint32_t)strlen(cases[i].name)};
        const struct vgg_global *found = vgg_global_find(module, name);
        ck_assert_msg((found != NULL ? (int)found->role : -1) == cases[i].role, "%s.%s",
                      cases[i].module, cases[i].name);
    }
}
END_TEST

static const struct {
    const char *module, *name;
} inert[] = {
#define INERT(versions, module, name) {module, name},
#include "checkpoint/pickle/inert.inc"
#undef INERT
};

/* The types that versions of Python and NumPy write may be called, which makes data without a meaning; nothing
 * else in their modules may. */
START_TEST(keeps_inert_types_as_data)
{
    for (size_t i = 0; i < sizeof inert / sizeof inert[0]; i++) {
        char body[256];
        int size = snprintf(body, sizeof body,
                            "\x80\x02"
                            "c%s\n%s\n(K\x01tR}b.",
                            inert[i].module, inert[i].name);
        const struct vgg_value *value = read_ok(body, (size_t)size);
        ck_assert_int_eq(value->kind, VGG_VALUE_OBJECT);
        ck_assert_int_eq(value->object.callee->global.entry->role, VGG_GLOBAL_OPAQUE);
        ck_assert_uint_eq(value->object.args->list.count, 1);
        size = snprintf(body, sizeof body,
                        "\x80\x02"
                        "c%s\n%s_\n(K\x01tR.",
                        inert[i].module, inert[i].name);
        read_bad(body, (size_t)size, VGG_ERR_UNSUPPORTED, "which is not tensor data");
    }
}
END_TEST

START_TEST(refuses_other_names)
{
    REFUSED_BODY("cposix\nsystem\n\x8c\x02id\x85R",
                 "a.pth: pickle: checkpoint refers to posix.system, which is not tensor data");
    REFUSED_BODY("ctorch.hub\nload\n\x8c\x02id\x85R",
                 "a.pth: pickle: checkpoint calls torch.hub.load, which is not tensor data: save");
    REFUSED_BODY("cnt\nsystem\n", "nt.system");
    REFUSED_BODY("c__builtin__\ngetattr\n", "a method that was saved without calling it");
    REFUSED_BODY("ctorch._dynamo.eval_frame\nOptimizedModule\n)\x81"
                 "c__builtin__\ngetattr\n",
                 "a model of torch.compile: save its state_dict() instead");
    REFUSED_BODY("cbuiltins\neval\n", "builtins.eval");
    REFUSED_BODY("c__builtin__\nexec\n", "__builtin__.exec");
    REFUSED_BODY("cpip\nmain\n)R", "pip.main");
    REFUSED_BODY("ctorch.jit.unsupported_tensor_ops\nexecWrapper\n)R", "execWrapper");
    REFUSED_BODY("c__main__\nMyVGG\n)R", "__main__.MyVGG");
    REFUSED_BODY("\x8c\x05posix\x8c\x06system\x93", "posix.system");
    REFUSED_BODY("\x8c\x06system\x94\x8c\x05posix\x94h\x01h\x00\x93", "posix.system");
    REFUSED_BODY("c\x1b[31m\n\x07\n)R", "\\x1b[31m.\\x07");
    BAD("NN\x93", "STACK_GLOBAL of None");
    BAD("\x8c\x01xK\x01\x93", "STACK_GLOBAL");
}
END_TEST

/* Instances of any class, and names that nobody calls, are data. */
START_TEST(keeps_objects_of_other_classes_inert)
{
    const struct vgg_value *value = OK("c__main__\nMyVGG\n)\x81}\x8c\x01xK\x01sb");
    ck_assert_int_eq(value->kind, VGG_VALUE_OBJECT);
    ck_assert_int_eq(value->object.callee->global.entry->role, VGG_GLOBAL_OTHER);
    is_int(value->object.state->list.items[1], 1);
    ck_assert_int_eq(OK("ctorch.nn.functional\nrelu\n")->kind, VGG_VALUE_GLOBAL);
    value = OK("ceasydict\nEasyDict\n)\x81(\x8c\x01xK\x07u}b"); /* derived from dict */
    ck_assert_int_eq(value->kind, VGG_VALUE_DICT);
    is_int(value->list.items[1], 7);
    value = OK("cx\nL\n)\x81(K\x07K\x09"
               "e}b");
    ck_assert_int_eq(value->kind, VGG_VALUE_LIST);
    is_int(value->list.items[1], 9);
    value = OK("cx\nS\n)\x81(K\x07\x90"); /* from set */
    ck_assert_int_eq(value->kind, VGG_VALUE_SET);
    BAD("cx\nD\n)\x81}bNNs", "items added to an object");
    BAD("ctorch\nFloatTensor\n)\x81NNs", "items added to an object");
    BAD("cx\nD\n)\x81NNsNa", "items added to a dict, expected a list");
}
END_TEST

START_TEST(refuses_confusion)
{
    BAD("NN\x86N\x61", "items added to a tuple, expected a list");
    BAD("]NNs", "items added to a list, expected a dict");
    BAD("}Na", "items added to a dict, expected a list");
    BAD("N(NNu", "items added to None");
    BAD("\x8c\x01x(Ne", "items added to a text");
    BAD("}(Nu", "a key without a value");
    BAD("](N\x90", "expected a set");
    BAD("(NNu", "underflow");
    BAD("(Ne", "underflow");
    BAD("N)R", "None applied to a tuple");
    BAD("ctorch\nFloatTensor\n]R", "a global applied to a list");
    BAD("ctorch\nFloatTensor\n}b", "BUILD on a global");
    BAD("N}b", "BUILD on None");
    BAD("](NNtQ}b", "BUILD on a storage");
    BAD("ctorch\nFloatTensor\n)R}b}b", "already built");
    BAD("ccollections\nOrderedDict\nN\x85R", "made of None");
    BAD("ccollections\nOrderedDict\n]Na\x85R", "not a pair");
    BAD("\x8c\x01xQ", "persistent id is a text");
    BAD(")Q", "persistent id is a tuple");
    BAD("", "STOP with 0 values");
    BAD("NN", "STOP with 2 values and 0 marks");
    BAD("(", "0 values and 1 marks");
    BAD("N(", "1 values and 1 marks");
    BAD("t", "no MARK");
    BAD("N\x80\x02", "PROTO inside");
    BAD("N\xff", "unknown opcode 0xff");
}
END_TEST

/* What an opcode needs on the stack, above the last mark. */
static int needs(const char *name)
{
    static const struct {
        const char *name;
        int values;
    } table[] = {
        {"TUPLE1", 1},   {"TUPLE2", 2},      {"TUPLE3", 3},       {"APPEND", 2},     {"SETITEM", 3},
        {"BINPUT", 1},   {"LONG_BINPUT", 1}, {"MEMOIZE", 1},      {"REDUCE", 2},     {"NEWOBJ", 2},
        {"BUILD", 2},    {"BINPERSID", 1},   {"STACK_GLOBAL", 2}, {"STOP", 1},       {"TUPLE", -1},
        {"APPENDS", -1}, {"SETITEMS", -1},   {"ADDITEMS", -1},    {"FROZENSET", -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].values;
        }
    }
    return 0;
}

static const struct {
    uint8_t code;
    const char *name;
    bool refused;
} ops[] = {
#define OP(code, name, operand) {code, #name, false},
#define REFUSED(code, name, operand) {code, #name, true},
#include "checkpoint/pickle/ops.inc"
#undef OP
#undef REFUSED
};

/* The opcode after `before`, with zeros as its operand. */
static vgg_status run_after(const char *before, uint8_t code)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02");
    put(&out, before, strlen(before));
    put(&out, &code, 1);
    PUT(&out, "\0\0\0\0\0\0\0\0\0\n\n");
    vgg_status status = read_limited(out.data, out.size, NULL, NULL, NULL);
    free(out.data);
    return status;
}

START_TEST(never_underflows)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (ops[i].refused) {
            ck_assert_int_eq(run_after("NNNN", ops[i].code), VGG_ERR_UNSUPPORTED);
            ck_assert_msg(strstr(err.message, ops[i].name) != NULL, "%s", err.message);
            continue;
        }
        int values = needs(ops[i].name);
        if (values < 0) {
            ck_assert_int_eq(run_after("", ops[i].code), VGG_ERR_FORMAT);
            ck_assert_msg(strstr(err.message, "no MARK") != NULL, "%s", err.message);
            continue;
        }
        for (int have = 0; have < values; have++) {
            /* Plain, and above values that belong to an outer mark. */
            ck_assert_int_eq(run_after(&"NNN"[3 - have], ops[i].code), VGG_ERR_FORMAT);
            char hidden[16];
            snprintf(hidden, sizeof hidden, "NNNN(%s", &"NNN"[3 - have]);
            ck_assert_int_eq(run_after(hidden, ops[i].code), VGG_ERR_FORMAT);
            ck_assert_msg(strstr(err.message, "underflow") != NULL ||
                              strstr(err.message, "STOP with") != NULL,
                          "%s: %s", ops[i].name, err.message);
        }
    }
}
END_TEST

START_TEST(refuses_unknown_opcodes)
{
    for (int code = 0; code < 256; code++) {
        bool known = false;
        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
            known = known || ops[i].code == code;
        }
        if (!known) {
            ck_assert_int_eq(run_after("NNNN", (uint8_t)code), VGG_ERR_FORMAT);
            ck_assert_msg(strstr(err.message, "unknown opcode") != NULL, "%s", err.message);
        }
    }
}
END_TEST

START_TEST(checks_the_protocol)
{
    read_bad("", 0, VGG_ERR_FORMAT, "truncated");
    read_bad("N.", 2, VGG_ERR_UNSUPPORTED, "protocol 0 or 1");
    read_bad("\x80\x01N.", 4, VGG_ERR_UNSUPPORTED, "protocol 1");
    read_bad("\x80\x06N.", 4, VGG_ERR_UNSUPPORTED, "protocol 6");
    size_t used;
    for (char protocol = 2; protocol <= 5; protocol++) {
        const char data[] = {'\x80', protocol, 'N', '.', 'x'};
        ck_assert_int_eq(read_limited(data, sizeof data, NULL, NULL, &used), VGG_OK);
        ck_assert_uint_eq(used, 4);
    }
}
END_TEST

START_TEST(checks_frames)
{
#define FRAME(length) "\x95" length "\0\0\0\0\0\0\0"
    OK(FRAME("\x02") "N");
    OK("N" FRAME("\x02") "\x94");
    BAD(FRAME("\x03") "N", "frame of 3 bytes, 2 are left");
    BAD(FRAME("\x01") "K\x01", "past the end of its frame");
    read_bad("\x80\x04" FRAME("\x03") "N.x", 14, VGG_ERR_FORMAT, "before the end of the frame");
    BAD(FRAME("\x0b") FRAME("\x02") "N", "FRAME inside a frame");
    BAD(FRAME("\x04") "\x8c\x05"
                      "abcde",
        "past the end of its frame");
    BAD("\x95\xff\xff\xff\xff\xff\xff\xff\xffN", "truncated");
#undef FRAME
}
END_TEST

START_TEST(bounds_lengths)
{
    read_bad("\x80\x02X\xff\xff\xff\xff"
             "abc",
             10, VGG_ERR_FORMAT, "truncated inside BINUNICODE");
    read_bad("\x80\x02\x8b\xff\xff\xff\x7f.", 8, VGG_ERR_FORMAT, "truncated inside LONG4");
    read_bad("\x80\x02\x8b\xff\xff\xff\xff.", 8, VGG_ERR_FORMAT, "truncated inside LONG4");
    uint8_t data[300] = {0x80, 2, 0x8a, 255};
    data[4 + 255] = '.';
    read_bad(data, sizeof data, VGG_ERR_LIMIT, "integer of 255 bytes");
    read_bad("\x80\x02"
             "cno line",
             10, VGG_ERR_FORMAT, "truncated inside GLOBAL");
}
END_TEST

/* A pickle that uses most opcodes. */
static struct bytes rich(void)
{
    struct bytes out = {0};
    put_state_dict(&out, good_samples, 2);
    out.size--;
    PUT(&out, "q\x01}\x8c\x09_metadata}ssb\x94h\x00(K\x01M\x02\x00]\x94(NNe\x8f(\x88\x90G");
    PUT(&out, "\0\0\0\0\0\0\0\0\x86t\x87.");
    return out;
}

START_TEST(survives_every_cut)
{
    struct bytes whole = rich();
    for (size_t size = 0; size < whole.size; size++) {
        ck_assert_int_ne(read_limited(whole.data, size, NULL, NULL, NULL), VGG_OK);
    }
    free(whole.data);
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    struct bytes whole = rich();
    for (size_t i = 0; i < whole.size; i++) {
        uint8_t kept = whole.data[i];
        for (int value = 0; value < 256; value++) {
            whole.data[i] = (uint8_t)value;
            read_limited(whole.data, whole.size, NULL, NULL, NULL);
        }
        whole.data[i] = kept;
    }
    free(whole.data);
}
END_TEST

/* Repeats the body between PROTO 2 and tail. */
static vgg_status run_limited_bomb(const char *head, const char *body, size_t count,
                                   const char *tail, const struct vgg_limits *limits)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02");
    put(&out, head, strlen(head));
    for (size_t i = 0; i < count; i++) {
        put(&out, body, strlen(body));
    }
    put(&out, tail, strlen(tail));
    vgg_status status = read_limited(out.data, out.size, limits, NULL, NULL);
    free(out.data);
    return status;
}

static vgg_status run_bomb(const char *head, const char *body, size_t count, const char *tail)
{
    return run_limited_bomb(head, body, count, tail, NULL);
}

START_TEST(defuses_bombs)
{
    /* Depth: accepted, and freed without recursion. */
    ck_assert_int_eq(run_bomb("N", "\x85", 500000, "."), VGG_OK);
    /* Values: how many the default allows depends on the size of a pointer, and may be more than opcodes. */
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.value_bytes = 600000 * (sizeof(struct vgg_value) + sizeof(struct vgg_value *));
    ck_assert_int_eq(run_limited_bomb("N", "\x85", 500000, ".", &limits), VGG_OK);
    ck_assert_int_eq(run_limited_bomb("N", "\x85", 900000, ".", &limits), VGG_ERR_LIMIT);
    ck_assert_int_eq(run_bomb("Nq\1", "q\1", 999996, "."), VGG_OK);
    ck_assert_int_eq(run_bomb("Nq\1", "q\1", 999997, "."), VGG_ERR_LIMIT); /* opcodes */
    ck_assert_int_eq(run_bomb("", "]", 20000, "."), VGG_ERR_LIMIT);
    ck_assert_int_eq(run_bomb("", "(", 20000, "."), VGG_ERR_LIMIT);
    /* Memo: 2^900 values when unfolded, shared here. */
    ck_assert_int_eq(run_bomb("N", "q\x01h\x01\x86", 900, "."), VGG_OK);
    /* Copies: a list of 5000 pairs made into a dict again and again. */
    struct bytes out = {0};
    PUT(&out, "\x80\x02(]q\x01(NN\x86q\x02");
    for (int i = 0; i < 5000; i++) {
        PUT(&out, "h\x02");
    }
    PUT(&out, "eccollections\nOrderedDict\nq\x03(h\x01tq\x04R");
    for (int i = 0; i < 9000; i++) {
        PUT(&out, "h\x03h\x04R");
    }
    PUT(&out, "t.");
    ck_assert_int_eq(read_limited(out.data, out.size, NULL, NULL, NULL), VGG_ERR_LIMIT);
    free(out.data);
}
END_TEST

START_TEST(allows_cycles)
{
    const struct vgg_value *list = OK("]q\x00h\x00"
                                      "a");
    ck_assert_ptr_eq(list->list.items[0], list);
    const struct vgg_value *dict = OK("}q\x00Nh\x00s");
    ck_assert_ptr_eq(dict->list.items[1], dict);
}
END_TEST

START_TEST(keeps_the_limits)
{
    struct vgg_limits limits;
    static const char pickle[] = "\x80\x02(NNNNt.";
    vgg_limits_init(&limits);
    limits.pickle_opcodes = 8;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_OK);
    limits.pickle_opcodes = 7;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.pickle_stack = 4;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_OK);
    limits.pickle_stack = 3;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.pickle_bytes = 9;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_OK);
    limits.pickle_bytes = 8;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.value_bytes = 5 * sizeof(struct vgg_value) + 4 * sizeof(struct vgg_value *);
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_OK);
    limits.value_bytes--;
    ck_assert_int_eq(read_limited(pickle, 9, &limits, NULL, NULL), VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.pickle_memo = 1;
    ck_assert_int_eq(read_limited("\x80\x02Nq\x00.", 6, &limits, NULL, NULL), VGG_OK);
    ck_assert_int_eq(read_limited("\x80\x02Nq\x01.", 6, &limits, NULL, NULL), VGG_ERR_LIMIT);
}
END_TEST

UNIT_MAIN("pickle", reads_scalars, reads_collections, remembers, notes_calls, knows_names,
          keeps_inert_types_as_data, refuses_other_names, keeps_objects_of_other_classes_inert,
          refuses_confusion, never_underflows, refuses_unknown_opcodes, checks_the_protocol,
          checks_frames, bounds_lengths, survives_every_cut, survives_every_changed_byte,
          defuses_bombs, allows_cycles, keeps_the_limits)
