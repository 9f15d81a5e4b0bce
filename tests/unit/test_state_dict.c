/* SPDX-License-Identifier: MIT */
/* container/storage, location/rebuild, state_dict: encodings, geometry and names, right and wrong. */
#include "unit.h"
#include "writer.h"

#include "checkpoint/locate/state_dict.h"

static struct vgg_arena arena;
static struct vgg_error err;
static uint8_t *source_bytes;
static struct vgg_storages storages;
static struct vgg_state_dict dict;
static const char *wanted_key;

static vgg_status read_limited(struct bytes bytes, const struct vgg_limits *limits)
{
    struct vgg_limits defaults;
    struct vgg_pickle pickle = {0};
    vgg_arena_destroy(&arena);
    free(source_bytes);
    source_bytes = copy_exactly(bytes.data, bytes.size);
    err = (struct vgg_error){0};
    dict = (struct vgg_state_dict){0};
    vgg_limits_init(&defaults);
    const struct vgg_load load = {.path = "a.pth",
                                  .limits = limits != NULL ? limits : &defaults,
                                  .arena = &arena,
                                  .err = &err};
    const struct vgg_pickle_source source = {
        .data = source_bytes, .size = bytes.size, .file_offset = 0};
    vgg_status status = vgg_pickle_read(&load, &source, &pickle);
    if (status == VGG_OK) {
        status = vgg_storages_collect(&load, &pickle, &storages);
    }
    if (status == VGG_OK) {
        status = vgg_state_dict_read(&load, &pickle, wanted_key, &dict);
    }
    free(bytes.data);
    return status;
}

static void accept(struct bytes bytes)
{
    vgg_status status = read_limited(bytes, NULL);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
}

static void refuse(struct bytes bytes, vgg_status expected, const char *reason)
{
    vgg_status status = read_limited(bytes, NULL);
    ck_assert_msg(status == expected && strstr(err.message, reason) != NULL,
                  "expected \"%s\" (%s), found \"%s\" (%s)", reason, vgg_status_string(expected),
                  err.message, vgg_status_string(status));
}

static struct bytes one(struct sample sample)
{
    struct bytes out = {0};
    sample.name = sample.name != NULL ? sample.name : "w";
    sample.key = sample.key != NULL ? sample.key : "0";
    put_state_dict(&out, &sample, 1);
    return out;
}

/* A dict of one tensor "w" whose value is written by the caller between these two. */
static struct bytes begin_dict(void)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02}");
    put_text(&out, "w");
    return out;
}

static struct bytes end_dict(struct bytes out)
{
    PUT(&out, "s.");
    return out;
}

START_TEST(reads_geometry)
{
    accept(one((struct sample){.type = "Half",
                               .available = 100,
                               .offset = 4,
                               .ndim = 3,
                               .shape = {2, 3, 4},
                               .stride = {1, 0, 8}}));
    ck_assert_uint_eq(dict.count, 1);
    const struct vgg_tensor *t = &dict.tensors[0];
    ck_assert_str_eq(t->name, "w");
    ck_assert_int_eq(t->dtype, VGG_DTYPE_F16);
    ck_assert_int_eq(t->ndim, 3);
    ck_assert_int_eq(t->shape[2], 4);
    ck_assert_int_eq(t->stride[2], 8);
    ck_assert_uint_eq(dict.placements[0].offset, 8); /* bytes */
    ck_assert_uint_eq(storages.count, 1);
    ck_assert_uint_eq(storages.items[0].bytes, 200);
    ck_assert(storages.items[0].wanted);
    accept(one((struct sample){.available = 1})); /* no dimensions */
    accept(one((struct sample){.available = 0, .ndim = 2, .shape = {0, 7}, .stride = {7, 1}}));
    accept(one((struct sample){.available = 29, /* the last element is the storage's last */
                               .offset = 1,
                               .ndim = 2,
                               .shape = {4, 10},
                               .stride = {0, 3}}));
}
END_TEST

START_TEST(knows_every_element_type)
{
    static const struct {
        const char *name;
        enum vgg_dtype dtype;
        unsigned bytes;
    } types[] = {
        {"Float", VGG_DTYPE_F32, 4}, {"Double", VGG_DTYPE_F64, 8},    {"Half", VGG_DTYPE_F16, 2},
        {"Long", VGG_DTYPE_I64, 8},  {"BFloat16", VGG_DTYPE_BF16, 2}, {"Int", VGG_DTYPE_I32, 4},
        {"Short", VGG_DTYPE_I16, 2}, {"Char", VGG_DTYPE_I8, 1},       {"Byte", VGG_DTYPE_U8, 1},
        {"Bool", VGG_DTYPE_BOOL, 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        accept(one((struct sample){
            .type = types[i].name, .available = 3, .ndim = 1, .shape = {3}, .stride = {1}}));
        ck_assert_int_eq(dict.tensors[0].dtype, types[i].dtype);
        ck_assert_uint_eq(storages.items[0].bytes, 3 * types[i].bytes);
    }
    refuse(one((struct sample){.type = "ComplexFloat", .available = 1}), VGG_ERR_UNSUPPORTED,
           "a.pth: w: elements of torch.ComplexFloatStorage");
    refuse(one((struct sample){.type = "Untyped", .available = 1}), VGG_ERR_UNSUPPORTED,
           "torch.UntypedStorage");
}
END_TEST

START_TEST(refuses_impossible_geometry)
{
    const int64_t huge = INT64_C(1) << 62;
    static const char outside[] = "elements outside its storage of 6";
#define GEOMETRY(...) one((struct sample){.available = 6, __VA_ARGS__})
    refuse(GEOMETRY(.ndim = 1, .shape = {7}, .stride = {1}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 1, .shape = {6}, .stride = {1}, .offset = 1), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.offset = 6), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.offset = INT64_MAX), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 2, .shape = {2, 2}, .stride = {5, 1}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 1, .shape = {2}, .stride = {huge}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 1, .shape = {5}, .stride = {huge}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 1, .shape = {huge}, .stride = {huge}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 2, .shape = {huge, 4}, .stride = {0, 0}), VGG_ERR_FORMAT, outside);
    refuse(GEOMETRY(.ndim = 1, .shape = {INT64_C(1) << 40}, .stride = {0}), VGG_ERR_LIMIT,
           "1099511627776 elements");
    refuse(GEOMETRY(.offset = -1), VGG_ERR_FORMAT, "offset is negative");
    refuse(GEOMETRY(.ndim = 1, .shape = {-1}, .stride = {1}), VGG_ERR_FORMAT, "size 0 is negative");
    refuse(GEOMETRY(.ndim = 1, .shape = {2}, .stride = {-1}), VGG_ERR_FORMAT, "stride 0 is nega");
    refuse(GEOMETRY(.ndim = 2, .stride_count = 1, .shape = {1, 1}, .stride = {1}), VGG_ERR_FORMAT,
           "2 sizes and 1 strides");
    refuse(GEOMETRY(.ndim = 9), VGG_ERR_UNSUPPORTED, "9 dimensions");
    refuse(GEOMETRY(.ndim = 1, .shape = {0}, .stride = {1}, .offset = 7), VGG_ERR_FORMAT,
           "offset outside");
    refuse(one((struct sample){.available = -1}), VGG_ERR_FORMAT, "expected a storage");
    refuse(one((struct sample){.available = huge}), VGG_ERR_FORMAT, "overflow");
#undef GEOMETRY
}
END_TEST

static const struct sample usual = {
    .name = "w", .key = "0", .available = 6, .ndim = 2, .shape = {2, 3}, .stride = {3, 1}};

/* The six elements of a type that has no storage class, in a storage of that size. */
static struct bytes untyped(const char *type, int64_t available)
{
    struct sample sample = usual;
    struct bytes out = begin_dict();
    sample.type = "Untyped";
    sample.available = available;
    put_global(&out, "torch._utils", "_rebuild_tensor_v3");
    PUT(&out, "(");
    put_view(&out, &sample);
    PUT(&out, "\x89}");
    put_global(&out, "torch", type);
    PUT(&out, "tR");
    return end_dict(out);
}

START_TEST(reads_every_encoding)
{
    struct bytes out = begin_dict();
    put_global(&out, "torch._utils", "_rebuild_tensor");
    PUT(&out, "(");
    put_view(&out, &usual);
    PUT(&out, "tR");
    accept(end_dict(out));
    ck_assert_int_eq(dict.tensors[0].shape[1], 3);

    for (int newobj = 0; newobj < 2; newobj++) {
        out = begin_dict();
        put_global(&out, newobj ? "torch.cuda" : "torch", "FloatTensor");
        PUT(&out, ")");
        put(&out, newobj ? "\x81" : "R", 1);
        PUT(&out, "(");
        put_view(&out, &usual);
        PUT(&out, "tb");
        accept(end_dict(out));
        ck_assert_int_eq(dict.tensors[0].stride[0], 3);
    }

    for (int state = 0; state < 2; state++) {
        out = begin_dict();
        put_global(&out, "torch._utils",
                   state ? "_rebuild_parameter_with_state" : "_rebuild_parameter");
        PUT(&out, "(");
        put_tensor(&out, &usual);
        PUT(&out, "\x88}");
        put(&out, "}", (size_t)state);
        PUT(&out, "tR");
        accept(end_dict(out));
        ck_assert_int_eq(dict.tensors[0].ndim, 2);
    }

    out = begin_dict(); /* a Parameter of torch before 0.4 */
    put_global(&out, "torch.nn.parameter", "Parameter");
    put_tensor(&out, &usual);
    PUT(&out, "\x85R(\x88\x89}tb");
    accept(end_dict(out));
    ck_assert_int_eq(dict.tensors[0].ndim, 2);

    out = begin_dict(); /* a subclass */
    put_global(&out, "torch._tensor", "_rebuild_from_type_v2");
    PUT(&out, "(");
    put_global(&out, "torch._utils", "_rebuild_tensor");
    put_global(&out, "torch", "Tensor");
    PUT(&out, "(");
    put_view(&out, &usual);
    PUT(&out, "t}tR");
    accept(end_dict(out));
    ck_assert_int_eq(dict.tensors[0].shape[0], 2);

    accept(untyped("float8_e4m3fn", 6));
    ck_assert_int_eq(dict.tensors[0].dtype, VGG_DTYPE_F8_E4M3);
    accept(untyped("float8_e5m2", 7));
    ck_assert_int_eq(dict.tensors[0].dtype, VGG_DTYPE_F8_E5M2);
    accept(untyped("float64", 48));
    ck_assert_int_eq(dict.tensors[0].dtype, VGG_DTYPE_F64);
}
END_TEST

START_TEST(refuses_broken_tensors)
{
    struct bytes out = begin_dict();
    put_global(&out, "torch", "FloatTensor");
    PUT(&out, ")\x81");
    refuse(end_dict(out), VGG_ERR_FORMAT, "a.pth: w: bad tensor: a tensor class without its state");

    out = begin_dict();
    put_global(&out, "torch", "DoubleTensor");
    PUT(&out, ")R(");
    put_view(&out, &usual);
    PUT(&out, "tb");
    refuse(end_dict(out), VGG_ERR_FORMAT, "a DoubleTensor in a FloatStorage");

    out = begin_dict();
    put_global(&out, "torch", "FloatTensor");
    PUT(&out, ")R}b");
    refuse(end_dict(out), VGG_ERR_FORMAT, "without its state");

    out = begin_dict();
    put_global(&out, "torch._utils", "_rebuild_tensor");
    PUT(&out, ")R");
    refuse(end_dict(out), VGG_ERR_FORMAT, "0 arguments, expected 4");

    out = begin_dict();
    put_global(&out, "torch._utils", "_rebuild_tensor");
    PUT(&out, "(NNNNtR");
    refuse(end_dict(out), VGG_ERR_FORMAT, "expected a storage, found None");

    out = begin_dict();
    put_global(&out, "torch._utils", "_rebuild_parameter");
    PUT(&out, "(NNNtR");
    refuse(end_dict(out), VGG_ERR_FORMAT, "expected a tensor, found None");

    out = begin_dict();
    put_global(&out, "torch.nn.parameter", "Parameter");
    PUT(&out, ")\x81");
    refuse(end_dict(out), VGG_ERR_FORMAT, "a Parameter without its tensor");

    out = begin_dict(); /* a negated view */
    put_global(&out, "torch._utils", "_rebuild_tensor_v2");
    PUT(&out, "(");
    put_view(&out, &usual);
    PUT(&out, "\x89}}");
    put_text(&out, "neg");
    PUT(&out, "\x88stR");
    refuse(end_dict(out), VGG_ERR_UNSUPPORTED, "conjugated or negated");

    refuse(untyped("float8_e5m2fnuz", 6), VGG_ERR_UNSUPPORTED,
           "w: elements of torch.float8_e5m2fnuz are not supported");
    refuse(untyped("uint16", 12), VGG_ERR_UNSUPPORTED, "torch.uint16");
    refuse(untyped("float8_e5m2", 5), VGG_ERR_FORMAT, "outside its storage of 5");
    refuse(untyped("float32", 23), VGG_ERR_FORMAT, "outside its storage of 5");
    refuse(untyped("FloatStorage", 24), VGG_ERR_FORMAT, "expected an element type");

    out = begin_dict(); /* each in the next, without an end */
    for (int i = 0; i < 9; i++) {
        put_global(&out, "torch._utils", "_rebuild_parameter");
        PUT(&out, "(");
    }
    PUT(&out, "N");
    for (int i = 0; i < 9; i++) {
        PUT(&out, "NNtR");
    }
    refuse(end_dict(out), VGG_ERR_FORMAT, "inside each other");

    static const char *const others[][2] = {{"_rebuild_qtensor", "a quantised tensor (torch"},
                                            {"_rebuild_sparse_tensor", "to_dense()"},
                                            {"_rebuild_meta_tensor_no_storage", "has no data"},
                                            {"_rebuild_wrapper_subclass", "full_tensor() before"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        out = begin_dict();
        put_global(&out, "torch._utils", others[i][0]);
        PUT(&out, ")R");
        refuse(end_dict(out), VGG_ERR_UNSUPPORTED, others[i][1]);
    }
}
END_TEST

/* A tensor of six floats over a persistent id that is given as opcodes. */
static struct bytes over_storage(const char *id, size_t size)
{
    struct bytes out = begin_dict();
    put_global(&out, "torch._utils", "_rebuild_tensor");
    PUT(&out, "(");
    put(&out, id, size);
    PUT(&out, "QK\0K\x06\x85K\x01\x85tR");
    return end_dict(out);
}
#define OVER(id) over_storage(id, sizeof(id) - 1)
#define STORAGE "(\x8c\x07storage"
#define FLOATS STORAGE "ctorch\nFloatStorage\n"
#define KEY "\214\0010"
#define CPU "\214\003cpu"

START_TEST(reads_persistent_ids)
{
    accept(OVER(FLOATS KEY CPU "K\x06t"));
    accept(OVER(FLOATS KEY "\214\006cuda:0K\x06Nt"));
    accept(OVER(FLOATS KEY CPU "K\x0a(\214\0011K\x04K\x06tt"));
    ck_assert_uint_eq(dict.placements[0].offset, 16);
    refuse(OVER(FLOATS KEY CPU "K\x0a(\214\0011K\x05K\x06tt"), VGG_ERR_FORMAT,
           "view of elements 5");
    refuse(OVER(FLOATS KEY CPU "K\x0a(\214\0011K\x04K\x05tt"), VGG_ERR_FORMAT,
           "outside its storage of 5");
    refuse(OVER(FLOATS KEY CPU "K\x0a]t"), VGG_ERR_FORMAT, "expected a view");
    refuse(OVER(FLOATS KEY "\x8c\x04metaK\x06t"), VGG_ERR_UNSUPPORTED, "'meta'");
    refuse(OVER(FLOATS KEY CPU "\x88t"), VGG_ERR_FORMAT, "expected a storage (");
    refuse(OVER(FLOATS KEY CPU "G\x40\x18\0\0\0\0\0\0t"), VGG_ERR_FORMAT, "expected a storage (");
    refuse(OVER(FLOATS "K\0" CPU "K\x06t"), VGG_ERR_FORMAT, "expected a storage (");
    refuse(OVER(FLOATS "\x8c\x03../" CPU "K\x06t"), VGG_ERR_FORMAT, "expected a storage (");
    refuse(OVER(STORAGE "t"), VGG_ERR_FORMAT, "persistent id is");
    refuse(OVER(STORAGE "Nt"), VGG_ERR_FORMAT, "expected a storage (");
    refuse(OVER(STORAGE "ctorch\nFloatTensor\n" KEY CPU "K\x06t"), VGG_ERR_FORMAT,
           "expected a storage (");
    refuse(OVER("(\x8c\x05other\x8c\x01xt"), VGG_ERR_FORMAT, "expected a storage (");
}
END_TEST

START_TEST(refuses_storages_of_two_kinds)
{
    struct sample two[2] = {usual, usual};
    two[1].name = "v";
    struct bytes out = {0};
    put_state_dict(&out, two, 2);
    accept(out); /* shared */
    ck_assert_uint_eq(storages.count, 1);
    out = (struct bytes){0};
    two[1].available = 7;
    put_state_dict(&out, two, 2);
    refuse(out, VGG_ERR_FORMAT, "storage 0 is both 6 x Float and 7 x Float");
    out = (struct bytes){0};
    two[1].available = 6;
    two[1].type = "Int";
    put_state_dict(&out, two, 2);
    refuse(out, VGG_ERR_FORMAT, "storage 0 is both");
}
END_TEST

START_TEST(checks_names)
{
    static const char *const good[] = {
        "a", "features.0.weight", "sch\xc3\xb6n", "\xe9\x87\x8d", "\xf0\x9f\x98\x80", ""};
    static const char *const bad[] = {
        "a\nb",         "\x1b[31m",         "\x7f",     "\xff",
        "\xc3",         "\xc0\x80",         "\xe0\x80", "\x80",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe9\x87", "\xe0\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        accept(one((struct sample){.name = good[i], .available = 1}));
        ck_assert_str_eq(dict.tensors[0].name, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse(one((struct sample){.name = bad[i], .available = 1}), VGG_ERR_FORMAT,
               "not printable UTF-8");
    }
    static char long_name[2000];
    memset(long_name, 'x', sizeof long_name - 1);
    refuse(one((struct sample){.name = long_name, .available = 1}), VGG_ERR_FORMAT, "too long");

    struct bytes out = {0}; /* a NUL */
    PUT(&out, "\x80\x02}\x8c\x03"
              "a\0b");
    put_tensor(&out, &usual);
    refuse(end_dict(out), VGG_ERR_FORMAT, "not printable UTF-8");
    out = (struct bytes){0};
    PUT(&out, "\x80\x02}K\x01");
    put_tensor(&out, &usual);
    refuse(end_dict(out), VGG_ERR_FORMAT, "name is an integer");
}
END_TEST

START_TEST(finds_names)
{
    struct sample samples[300];
    char names[300][16];
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "module.t%d", (i * 7) % 300);
        samples[i] = usual;
        samples[i].name = names[i];
    }
    struct bytes out = {0};
    put_state_dict(&out, samples, 300);
    accept(out);
    ck_assert_str_eq(dict.tensors[1].name, "t7"); /* in order, without the common prefix */
    for (size_t i = 1; i < dict.count; i++) {
        ck_assert_int_lt(strcmp(dict.by_name[i - 1]->name, dict.by_name[i]->name), 0);
    }
    samples[5].name = "other"; /* then the prefix is not common */
    out = (struct bytes){0};
    put_state_dict(&out, samples, 300);
    accept(out);
    ck_assert_str_eq(dict.tensors[1].name, "module.t7");
    samples[6].name = "other";
    out = (struct bytes){0};
    put_state_dict(&out, samples, 300);
    refuse(out, VGG_ERR_FORMAT, "other: the name is given twice");
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.tensors = 299;
    out = (struct bytes){0};
    put_state_dict(&out, samples, 300);
    ck_assert_int_eq(read_limited(out, &limits), VGG_ERR_LIMIT);
}
END_TEST

/* {key: <opcodes>, "state_dict": {"w": tensor}} */
static struct bytes wrapped(const char *wrapper, const char *beside)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02}(");
    put_text(&out, "beside");
    put(&out, beside, strlen(beside));
    put_text(&out, wrapper);
    PUT(&out, "}");
    put_text(&out, "w");
    put_tensor(&out, &usual);
    PUT(&out, "su.");
    return out;
}

START_TEST(unwraps)
{
    accept(wrapped("state_dict", "K\x01"));
    accept(wrapped("model", "]"));
    accept(wrapped("weights", "cargparse\nNamespace\n)\x81}b"));
    accept(wrapped("net", "cnumpy.core.multiarray\nscalar\nN\x85R"));
    ck_assert_uint_eq(dict.count, 1);
    accept(wrapped("something", "N"));
    ck_assert_str_eq(dict.location.key, "something");
    refuse(wrapped("state_dict", "cos\nsystem\n"), VGG_ERR_UNSUPPORTED, "os.system");

    static const struct {
        const char *body;
        vgg_status status;
        const char *reason;
    } roots[] = {
        {"N", VGG_ERR_UNSUPPORTED, "expected a state dict, found None"},
        {"]", VGG_ERR_UNSUPPORTED, "found a list"},
        {"}", VGG_ERR_FORMAT, "keys: none"},
        {"ctorch\nFloatTensor\n)R", VGG_ERR_UNSUPPORTED, "holds one tensor"},
        {"ctorchvision.models.vgg\nVGG\n)\x81}b", VGG_ERR_UNSUPPORTED,
         "a whole object (torchvision.models.vgg.VGG) without weights"},
        {"ctorch.optim.sgd\nSGD\n", VGG_ERR_UNSUPPORTED, "a name (torch.optim.sgd.SGD)"},
        {"}\x8c\x05modelctorchvision.models.vgg\nVGG\n)\x81}bs", VGG_ERR_FORMAT, "keys: 'model'"},
        {"}q\x01\x8c\x05modelh\x01s", VGG_ERR_FORMAT, "keys: 'model'"}, /* itself */
    };
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        struct bytes out = {0};
        PUT(&out, "\x80\x02");
        put(&out, roots[i].body, strlen(roots[i].body));
        PUT(&out, ".");
        refuse(out, roots[i].status, roots[i].reason);
    }
}
END_TEST

START_TEST(survives_every_changed_byte)
{
    struct bytes whole = {0};
    put_state_dict(&whole, good_samples, 2);
    for (size_t i = 0; i < whole.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct bytes changed = {copy_exactly(whole.data, whole.size), whole.size, whole.size};
            changed.data[i] ^= (uint8_t)(1u << bit);
            read_limited(changed, NULL);
        }
    }
    free(whole.data);
}
END_TEST

UNIT_MAIN("state_dict", reads_geometry, knows_every_element_type, refuses_impossible_geometry,
          reads_every_encoding, refuses_broken_tensors, reads_persistent_ids,
          refuses_storages_of_two_kinds, checks_names, finds_names, unwraps,
          survives_every_changed_byte)
