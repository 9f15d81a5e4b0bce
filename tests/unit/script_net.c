/* SPDX-License-Identifier: MIT */
/* A TorchScript module with code that a test writes. */
#include "script_net.h"

static const struct vgg_global rebuild = {"torch._utils", "_rebuild_tensor",
                                          VGG_GLOBAL_REBUILD_TENSOR, NULL};
static const struct vgg_global other = {NULL, NULL, VGG_GLOBAL_OTHER, NULL};

#define SPAN(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define TEXT(value)                                                                                \
    {                                                                                              \
        .kind = VGG_VALUE_TEXT, .text = SPAN(value)                                                \
    }
#define CLASS(name_)                                                                               \
    {                                                                                              \
        .kind = VGG_VALUE_GLOBAL, .global = {                                                      \
            .entry = &other,                                                                       \
            .module = SPAN("__torch__"),                                                           \
            .name = SPAN(name_)                                                                    \
        }                                                                                          \
    }
#define DICT(list_, count_)                                                                        \
    {                                                                                              \
        .kind = VGG_VALUE_DICT, .list = {.items = list_, .count = count_ }                         \
    }
#define OBJECT(class_, state_)                                                                     \
    {                                                                                              \
        .kind = VGG_VALUE_OBJECT, .object = {.callee = class_, .args = &nothing, .state = state_ } \
    }

static struct vgg_value nothing = {.kind = VGG_VALUE_TUPLE};
static struct vgg_value tensor_class = {.kind = VGG_VALUE_GLOBAL, .global = {.entry = &rebuild}};
static struct vgg_value tensor = OBJECT(&tensor_class, NULL);
static struct vgg_value keys[] = {TEXT("weight"), TEXT("bias"),  TEXT("conv"),  TEXT("conv2"),
                                  TEXT("act"),    TEXT("scale"), TEXT("sizes"), TEXT("training")};

static struct vgg_value *conv_items[] = {&keys[0], &tensor, &keys[1], &tensor};
static struct vgg_value conv_state = DICT(conv_items, 4), conv_class = CLASS("Conv");
static struct vgg_value conv = OBJECT(&conv_class, &conv_state),
                        conv2 = OBJECT(&conv_class, &conv_state);

static struct vgg_value act_state = DICT(NULL, 0), act_class = CLASS("Act");
static struct vgg_value act = OBJECT(&act_class, &act_state);

static struct vgg_value three = {.kind = VGG_VALUE_INT, .integer = 3};
static struct vgg_value *three_items[] = {&three, &three};
static struct vgg_value scale = {.kind = VGG_VALUE_FLOAT, .real = 2.5},
                        sizes = {.kind = VGG_VALUE_TUPLE, .list = {three_items, 2, 2}},
                        training = {.kind = VGG_VALUE_BOOL, .boolean = true};
static struct vgg_value *net_items[] = {&keys[2], &conv,  &keys[3], &conv2, &keys[4], &act,
                                        &keys[5], &scale, &keys[6], &sizes, &keys[7], &training};
static struct vgg_value net_state = DICT(net_items, 12), net_class = CLASS("Net");
static struct vgg_value net = OBJECT(&net_class, &net_state);

static struct vgg_named modules[] = {{"", &net}, {"conv", &conv}, {"conv2", &conv2}, {"act", &act}};

/* The archive's state is the code. */
static vgg_status read_member(const struct vgg_archive *archive, const char *name, uint64_t max,
                              struct vgg_member *out)
{
    const struct vgg_span *code = archive->state;
    *out = (struct vgg_member){.file_offset = VGG_NO_OFFSET};
    if (strcmp(name, "code/__torch__.py") != 0) {
        return VGG_OK;
    }
    if (code->length > max) {
        return VGG_ERR_LIMIT;
    }
    out->data = (const uint8_t *)code->bytes;
    out->size = code->length;
    return VGG_OK;
}

vgg_status script_net_follow(const char *code, size_t size, struct vgg_arena *arena,
                             struct vgg_script *out)
{
    struct vgg_limits limits;
    struct vgg_error err;
    struct vgg_span text = {code, (uint32_t)size};
    vgg_limits_init(&limits);
    const struct vgg_archive archive = {
        .load = {"net.pt", &limits, arena, &err}, .read_member = read_member, .state = &text};
    const struct vgg_location location = {
        .modules = {modules, 4, 4}, .source = &net, .kind = VGG_SOURCE_SCRIPT};
    return vgg_script_read(&archive, &location, out);
}
