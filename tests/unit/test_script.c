/* SPDX-License-Identifier: MIT */
/* checkpoint/script: what the code of a TorchScript archive says, and that no code does more than that. */
#include "unit.h"

#include <string.h>

#include "checkpoint/script/tokens.h"
#include "script_net.h"

static struct vgg_arena arena;
static struct vgg_script script;

/* The classes of the modules in the net; each test adds Net.forward and functions. */
static const char classes[] = "class Conv(Module):\n"
                              "  weight : Tensor\n"
                              "  def forward(self: __torch__.Conv, input: Tensor) -> Tensor:\n"
                              "    weight = self.weight\n"
                              "    bias = self.bias\n"
                              "    return torch.conv2d(input, weight, bias, [2, 2], [0, 1])\n"
                              "class Act(Module):\n"
                              "  def forward(self: __torch__.Act,\n"
                              "    input: Tensor) -> Tensor:\n"
                              "    return torch.leaky_relu(input, 0.25)\n"
                              "class Net(Module):\n"
                              "  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n";

static void follow_text(const char *text, size_t size)
{
    vgg_arena_destroy(&arena);
    ck_assert_int_eq(script_net_follow(text, size, &arena, &script), VGG_OK);
}

/* Follows the classes, this body of Net.forward, and what stands after it. */
static void follow(const char *body)
{
    static char text[1 << 16];
    const int length = snprintf(text, sizeof text, "%s%s", classes, body);
    ck_assert_int_lt(length, (int)sizeof text);
    follow_text(text, (size_t)length);
}

/* "conv Conv2d, ReLU": the names and classes of the steps. */
static const char *list(void)
{
    static char text[4096];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < script.step_count; i++) {
        const struct vgg_script_step *step = &script.steps[i];
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s%s%s",
                                   i > 0 ? ", " : "", step->name != NULL ? step->name : "",
                                   step->name != NULL ? " " : "", step->type);
    }
    return text;
}

static const struct vgg_value *get(size_t step, const char *key)
{
    ck_assert_uint_lt(step, script.step_count);
    const struct vgg_value *value = vgg_value_get(script.steps[step].state, key);
    ck_assert_msg(value != NULL, "%s", key);
    return value;
}

static void check_steps(const char *body, const char *expected)
{
    follow(body);
    ck_assert_msg(script.outcome == VGG_SCRIPT_FOLLOWED, "%s: %s", body, script.reason);
    ck_assert_str_eq(list(), expected);
}

static void check_stop(const char *body, enum vgg_script_outcome outcome, const char *reason)
{
    follow(body);
    ck_assert_msg(script.outcome == outcome && strstr(script.reason, reason) != NULL,
                  "expected %d, \"%s\", found %d, \"%s\"", outcome, reason, script.outcome,
                  script.reason);
    ck_assert_uint_eq(script.step_count, 0);
}

/* ---- tokens ---- */

static vgg_status read_tokens(const char *text, size_t size, size_t max,
                              const struct vgg_token **tokens, size_t *count)
{
    struct vgg_token *out = NULL;
    vgg_arena_destroy(&arena);
    vgg_status status =
        vgg_tokens_read((struct vgg_span){text, (uint32_t)size}, &arena, max, &out, count);
    *tokens = out;
    return status;
}

START_TEST(splits_code)
{
    static const char text[] = "# a comment\n"
                               "\n"
                               "a = f(1e-05,\n"
                               "    \"b\\\"c\", )\n"
                               "  _0.x\n";
    static const char kinds[] = "LNMNMXMTMMLNMNE";
    static const char letters[] = "LNXTME";
    const struct vgg_token *tokens;
    size_t count;
    ck_assert_int_eq(read_tokens(text, sizeof text - 1, 100, &tokens, &count), VGG_OK);
    ck_assert_uint_eq(count, sizeof kinds - 1);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(letters[tokens[i].kind], kinds[i]);
    }
    ck_assert_int_eq(tokens[0].length, 0);
    ck_assert(vgg_token_is(&tokens[5], VGG_TOKEN_NUMBER, "1e-05"));
    ck_assert(vgg_token_is(&tokens[7], VGG_TOKEN_TEXT, "b\\\"c"));
    ck_assert_int_eq(tokens[10].length, 2);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(refuses_bad_tokens)
{
    static const char *const bad[] = {"\"abc", "'abc\n'", "\"abc\\", "(",        "a)",
                                      "([)]",  "\x80",    "\x01",    "a = \xff", "{]"};
    const struct vgg_token *tokens;
    size_t count;
    char deep[VGG_BRACKETS_MAX + 1];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(read_tokens(bad[i], strlen(bad[i]), 100, &tokens, &count), VGG_ERR_FORMAT);
    }
    memset(deep, '(', sizeof deep);
    ck_assert_int_eq(read_tokens(deep, sizeof deep, 1000, &tokens, &count), VGG_ERR_FORMAT);
    ck_assert_int_eq(read_tokens("a b c", 5, 4, &tokens, &count), VGG_ERR_LIMIT);
    ck_assert_int_eq(read_tokens("a b c", 5, 5, &tokens, &count), VGG_OK);
    ck_assert_int_eq(read_tokens("", 0, 5, &tokens, &count), VGG_OK);
    vgg_arena_destroy(&arena);
}
END_TEST

/* ---- chains ---- */

START_TEST(follows_modules_and_functions)
{
    check_steps("    conv = self.conv\n"
                "    act = getattr(self, \"act\")\n"
                "    _0 = (act).forward((conv).forward(x, ), )\n"
                "    x0 = torch.max_pool2d(torch.relu_(_0), [3, 2], annotate(List[int], []))\n"
                "    conv2 = self.conv2\n"
                "    x1 = (conv2).forward(x0, )\n"
                "    return torch.flatten(x1, 1)\n",
                "conv Conv2d, act LeakyReLU, ReLU, MaxPool2d, conv2 Conv2d, Flatten");
    ck_assert_int_eq(get(0, "stride")->list.items[1]->integer, 2);
    ck_assert_int_eq(get(0, "padding")->list.items[0]->integer, 0);
    ck_assert_int_eq(get(0, "groups")->integer, 1);
    ck_assert(get(1, "negative_slope")->real == 0.25);
    ck_assert_int_eq(get(3, "stride")->list.items[1]->integer, 2);
    ck_assert_int_eq(get(3, "ceil_mode")->boolean, false);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(knows_pytorchs_functions)
{
    check_steps("    _0 = __torch__.torch.nn.functional.elu\n"
                "    x0 = _0(x, self.scale, True, )\n"
                "    x1 = __torch__.torch.nn.functional._max_pool2d(x0, self.sizes, None, )\n"
                "    x2 = torch.mean(x1, [-1, -2])\n"
                "    x3 = torch.gelu(x2, approximate=\"tanh\")\n"
                "    return __torch__.torch.nn.functional.log_softmax(x3, 1, 3, None, )\n",
                "ELU, MaxPool2d, AdaptiveAvgPool2d, Flatten, GELU, LogSoftmax");
    ck_assert(get(0, "alpha")->real == 2.5);
    ck_assert_int_eq(get(1, "stride")->list.items[0]->integer, 3);
    ck_assert(vgg_span_equals(get(4, "approximate")->text, "tanh"));
    check_steps("    a, b = torch.adaptive_max_pool2d(x, [1, 1])\n"
                "    c = torch.squeeze(torch.squeeze(a, -1), -1)\n"
                "    return torch.hardtanh(torch.clamp(torch.contiguous(c), 0), 0., 6.)\n",
                "AdaptiveMaxPool2d, Flatten, ReLU, ReLU6");
    check_steps("    a = torch.avg_pool2d(x, torch.slice(torch.size(x), 2))\n"
                "    return torch.view(a, [int(torch.size(a, 0)), -1])\n",
                "AdaptiveAvgPool2d, Flatten");
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(follows_the_users_functions)
{
    check_steps("    return __torch__.twice(x, )\n"
                "def once(x: Tensor,\n"
                "    slope: float=-0.5,\n"
                "    names: Dict[str, Tensor]={}) -> Tensor:\n"
                "  return torch.leaky_relu(x, slope)\n"
                "def twice(x: Tensor) -> Tensor:\n"
                "  return __torch__.once(__torch__.once(x, ), slope=1.5)\n",
                "LeakyReLU, LeakyReLU");
    ck_assert(get(0, "negative_slope")->real == -0.5);
    ck_assert(get(1, "negative_slope")->real == 1.5);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(chooses_between_lines)
{
    /* training is False, whatever the file says. */
    check_steps("    training = self.training\n"
                "    if training:\n"
                "      y = torch.tanh(x)\n"
                "    else:\n"
                "      y = torch.relu(x)\n"
                "    return torch.dropout(y, 0.5, training)\n",
                "ReLU, Dropout");
    check_steps("    if torch.ne(torch.dim(x), 4):\n"
                "      _0 = torch.format(\"{}\", torch.dim(x))\n"
                "      ops.prim.RaiseException(_0, \"builtins.ValueError\")\n"
                "    else:\n"
                "      pass\n"
                "    if torch.lt(torch.len(torch.size(x)), 2):\n"
                "      _1 = True\n"
                "    else:\n"
                "      _1 = torch.gt(torch.numel(x), 3)\n"
                "    if _1:\n"
                "      torch.warn(\"w\")\n"
                "    if torch.__is__(x, None):\n"
                "      z = torch.tanh(x)\n"
                "    else:\n"
                "      z = torch.sigmoid(x)\n"
                "    return z\n",
                "Sigmoid");
    check_stop("    if torch.gt(torch.size(x, 2), 32):\n"
               "      y = torch.tanh(x)\n"
               "    else:\n"
               "      y = torch.relu(x)\n"
               "    return y\n",
               VGG_SCRIPT_UNKNOWN, "depends on the input");
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(takes_the_result)
{
    /* Steps behind the result, and what else is computed, do not count. */
    check_steps("    y = torch.relu(x)\n"
                "    z = torch.tanh(y)\n"
                "    n = torch.exp(z)\n"
                "    return y\n",
                "ReLU");
    /* In place, the same tensor is another one afterwards. */
    check_steps("    y = torch.tanh(x)\n"
                "    z = torch.relu_(y)\n"
                "    return torch.sigmoid(y)\n",
                "Tanh, ReLU, Sigmoid");
    check_stop("    return (torch.relu(x), x)\n", VGG_SCRIPT_UNKNOWN, "several values");
    check_stop("    return x\n", VGG_SCRIPT_UNKNOWN, "returns its input");
    check_stop("    y = torch.relu(x)\n", VGG_SCRIPT_UNKNOWN, "does not return a tensor");
    vgg_arena_destroy(&arena);
}
END_TEST

/* ---- no chains ---- */

START_TEST(refuses_branches_by_name)
{
    check_stop("    conv = self.conv\n"
               "    y = torch.relu((conv).forward(x, ))\n"
               "    conv2 = self.conv2\n"
               "    return torch.add(y, (conv2).forward(y, ))\n",
               VGG_SCRIPT_REFUSED,
               "Net: torch.add joins the output of ReLU after conv and the output of conv2: a skip "
               "connection");
    check_stop("    y = torch.relu(x)\n"
               "    z = torch.tanh(y)\n"
               "    return torch.sigmoid(y)\n",
               VGG_SCRIPT_REFUSED, "the output of ReLU after the input is used twice: a branch");
    check_stop("    return torch.relu(torch.mul(x, 2))\n", VGG_SCRIPT_REFUSED,
               "torch.mul of the input");
    check_stop("    return torch.cat([torch.relu(x), x], 1)\n", VGG_SCRIPT_REFUSED, "torch.cat");
    check_stop("    return torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-05, True)\n",
               VGG_SCRIPT_REFUSED, "training mode");
    check_stop("    return torch.view(x, [1, -1])\n", VGG_SCRIPT_REFUSED, "torch.view");
    check_stop("    return torch.softmax(torch.relu(x)[0], 1)\n", VGG_SCRIPT_REFUSED, "an index");
    vgg_arena_destroy(&arena);
}
END_TEST

/* What the rest of the code would not show. */
START_TEST(stops_at_changes)
{
    static const char *const data[] = {"mul_(y, 2)", "clamp_(y, 0, 3)",
                                       "fill_(torch.select(y, 1, 0), 0)", "add(y, 1, out=y)"};
    static const char *const others[] = {"zero_(self.scale)", "append([2], 3)",
                                         "_set_item([2], 0, 3)"};
    char body[200];
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++) {
        snprintf(body, sizeof body, "    y = torch.tanh(x)\n    _0 = torch.%s\n    return y\n",
                 data[i]);
        check_stop(body, VGG_SCRIPT_REFUSED, "of the output of Tanh");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(body, sizeof body, "    _0 = torch.%s\n    return torch.tanh(x)\n", others[i]);
        check_stop(body, VGG_SCRIPT_UNKNOWN, "changes a value");
    }
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(follows_loops)
{
    check_steps("    x1 = x\n"
                "    for i in range(torch.sub(3, 1)):\n"
                "      x1 = torch.relu(x1)\n"
                "    return torch.tanh(x1)\n",
                "ReLU, ReLU, Tanh");
    check_steps("    x1 = x\n"
                "    i = 0\n"
                "    _0 = True\n"
                "    while _0:\n"
                "      x2 = torch.relu(x1)\n"
                "      i0 = torch.add(i, 1)\n"
                "      _0, x1, i = torch.lt(i0, 3), x2, i0\n"
                "    return torch.tanh(x1)\n",
                "ReLU, ReLU, ReLU, Tanh");
    check_steps("    for i in range(0):\n"
                "      x = torch.relu(x)\n"
                "    if torch.lt(torch.len([1, 2]), torch.floordiv(torch.mul(3, 3), 2)):\n"
                "      x = torch.tanh(x)\n"
                "    return x\n",
                "Tanh");
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(joins_functions_of_one_input)
{
    check_steps("    x = torch.relu(x)\n"
                "    _0, _1 = torch.adaptive_max_pool2d(x, [1, 1])\n"
                "    return torch.cat([_0, torch.adaptive_avg_pool2d(x, [1, 1])], 1)\n",
                "ReLU, AdaptiveConcatPool2d, Identity");
    check_steps("    y = torch.adaptive_avg_pool2d(x, 2)\n"
                "    z, _1 = torch.adaptive_max_pool2d(x, [2, 2])\n"
                "    return torch.flatten(torch.cat([z, y], 1), 1)\n",
                "AdaptiveConcatPool2d, Identity, Flatten");
    check_steps("    return torch.mul(x, torch.sigmoid(x))\n", "SiLU, Identity");
    check_steps("    return torch.mul(torch.sigmoid(x), x)\n", "SiLU, Identity");
    static const char *const others[] = {
        /* The mean first, other sizes, other dimensions, other functions. */
        "    y = torch.adaptive_avg_pool2d(x, 1)\n    z, _1 = torch.adaptive_max_pool2d(x, 1)\n"
        "    return torch.cat([y, z], 1)\n",
        "    y = torch.adaptive_avg_pool2d(x, 1)\n    z, _1 = torch.adaptive_max_pool2d(x, 2)\n"
        "    return torch.cat([z, y], 1)\n",
        "    y = torch.adaptive_avg_pool2d(x, 1)\n    z, _1 = torch.adaptive_max_pool2d(x, 1)\n"
        "    return torch.cat([z, y], 2)\n",
        "    y = torch.adaptive_avg_pool2d(x, 1)\n    z, _1 = torch.adaptive_max_pool2d(x, 1)\n"
        "    return torch.add(z, y)\n",
        "    y = torch.adaptive_avg_pool2d(x, 1)\n    z, _1 = torch.adaptive_max_pool2d(x, 1)\n"
        "    return torch.relu(z)\n",
        "    return torch.mul(x, torch.tanh(x))\n",
        /* The parts are no longer the output of a step. */
        "    y = torch.sigmoid(x)\n    z = torch.mul(x, y)\n    return torch.relu(y)\n",
        "    y = torch.sigmoid(x)\n    return torch.mul(torch.mul(x, y), y)\n",
        "    y = torch.sigmoid(x)\n    _0 = torch.relu_(y)\n    return torch.mul(x, y)\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        follow(others[i]);
        ck_assert_msg(script.outcome == VGG_SCRIPT_REFUSED, "%s", others[i]);
    }
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(follows_parts_of_tensors)
{
    /* x[:, :, 0, 0] of one pixel. */
    check_steps("    x = torch.adaptive_avg_pool2d(x, [1, 1])\n"
                "    x = torch.slice(torch.slice(x, 0, 0, 9223372036854775807), 1, None, None, 1)\n"
                "    return torch.select(torch.select(x, 2, 0), 2, 0)\n",
                "AdaptiveAvgPool2d, Flatten");
    check_steps("    if torch.eq(torch.dim(x), 3):\n"
                "      x = torch.unsqueeze(x, 0)\n"
                "    x = torch.to(torch.relu(x), 6, False, False, None)\n"
                "    x = torch.flatten(x, 1)\n"
                "    if torch.eq(torch.dim(x), 2):\n"
                "      x = torch.tanh(x)\n"
                "    return x\n",
                "ReLU, Flatten, Tanh");
    check_stop("    return torch.slice(torch.relu(x), 1, 0, 3, 1)\n", VGG_SCRIPT_REFUSED,
               "torch.slice of the output of ReLU");
    check_stop("    return torch.select(torch.relu(x), 2, 0)\n", VGG_SCRIPT_REFUSED,
               "torch.select of the output of ReLU");
    check_stop("    return torch.select(torch.flatten(x, 1), 1, 0)\n", VGG_SCRIPT_REFUSED,
               "torch.select of the output of Flatten");
    check_stop("    return torch.to(torch.relu(x), 7, False, False, None)\n", VGG_SCRIPT_REFUSED,
               "torch.to of the output of ReLU");
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(stops_where_it_does_not_understand)
{
    static const struct {
        const char *body, *reason;
    } cases[] = {
        {"    for i in x:\n      x = torch.relu(x)\n    return x\n", "Net.forward"},
        {"    for i in range(torch.size(x, 2)):\n      x = torch.relu(x)\n    return x\n",
         "how often a loop runs depends on the input"},
        {"    while torch.gt(torch.size(x, 2), 3):\n      pass\n",
         "how often a loop runs depends on the input"},
        {"    while True:\n      pass\n", "the code is too long"},
        {"    for i in range(9000000000000000000):\n      pass\n", "the code is too long"},
        {"    with x:\n      pass\n", "at \"with\""},
        {"    self.scale = x\n    return x\n", "at \"=\""},
        {"    return x + x\n", "at \"+\""},
        {"    return torch.relu(x, 1, 2, 3)\n", "torch.relu: a call"},
        {"    return torch.relu(input=x, other=3)\n", "torch.relu: a call"},
        {"    return torch.max_pool2d(x, torch.size(x, 2))\n", "kernel_size is computed"},
        {"    return torch.conv2d(x, 3, None)\n", "weight of a layer is no parameter"},
        {"    w = self.conv.weight\n    return torch.conv2d(x, w, None)\n",
         "bias of a layer is not its module's"},
        {"    return torch.relu(self.missing)\n", "does not return a tensor"},
        {"    return self.missing(x)\n", "Net.missing: the code is not in the archive"},
        {"    return getattr(x, \"a\")\n", "getattr"},
        {"    ops.prim.RaiseException(\"a\")\n", "the code raises"},
        {"    return torch.relu(99999999999999999999)\n", "at \"99999"},
        {"    return torch.leaky_relu(x, 1.2.3)\n", "at \"1.2.3\""},
        {"    if True:\n    return x\n", "Net.forward"},
        {"    return __torch__.again(x, )\ndef again(x):\n  return __torch__.again(x, )\n",
         "nested more than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_stop(cases[i].body, VGG_SCRIPT_UNKNOWN, cases[i].reason);
    }
    follow_text("class Net(Module):\n  def forward(self, x):\n    return \"", 55);
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(script.reason, "Net.forward: the code is not in the archive"));
    vgg_arena_destroy(&arena);
}
END_TEST

/* The settings of single modules are known even where their order is not. */
START_TEST(reads_settings)
{
    follow("    with x:\n      pass\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    ck_assert_ptr_null(script.settings[0]);
    ck_assert_ptr_nonnull(vgg_value_get(script.settings[1], "stride"));
    ck_assert_ptr_nonnull(vgg_value_get(script.settings[2], "stride"));
    ck_assert(vgg_value_get(script.settings[3], "negative_slope")->real == 0.25);
    vgg_arena_destroy(&arena);
}
END_TEST

/* ---- malicious code ---- */

/* The head, a piece as often as that, and the tail. */
static void follow_repeated(const char *head, const char *piece, size_t count, const char *tail)
{
    const size_t length = strlen(piece), begin = strlen(classes) + strlen(head);
    char *text = malloc(begin + count * length + strlen(tail) + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, classes, strlen(classes));
    memcpy(text + strlen(classes), head, strlen(head));
    for (size_t i = 0; i < count; i++) {
        memcpy(text + begin + i * length, piece, length);
    }
    memcpy(text + begin + count * length, tail, strlen(tail) + 1);
    follow_text(text, strlen(text));
    free(text);
}

START_TEST(bounds_its_work)
{
    /* A million tokens, more of them, more steps than a net may have, deep brackets and blocks. */
    follow_repeated("    y = [", "1,", 500000, "]\n    return torch.relu(x)\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    follow_repeated("    y = [", "1,", 4000000, "]\n    return torch.relu(x)\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    follow_repeated("", "    x = torch.relu(x)\n", 2000, "    return x\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(script.reason, "more than 1000 steps"));
    follow_repeated("    return ", "torch.relu(", 1000, "\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    follow_repeated("    y0 = [x]\n", "    y0 = [y0, y0]\n", 10000, "    return torch.cat(y0)\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_REFUSED);
    follow_repeated("    return ", "-", 100000, "1\n");
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(bounds_repeated_calls)
{
    /* f0 calls f1 twice, which calls f2 twice, … */
    static char text[1 << 16];
    size_t length =
        (size_t)snprintf(text, sizeof text, "%s    return __torch__.f0(x, )\n", classes);
    for (int i = 0; i < 60; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "def f%d(x):\n  y = __torch__.f%d(x, )\n"
                                   "  return __torch__.f%d(x, )\n",
                                   i, i + 1, i + 1);
    }
    length += (size_t)snprintf(text + length, sizeof text - length, "def f60(x):\n  return x\n");
    follow_text(text, length);
    ck_assert_int_eq(script.outcome, VGG_SCRIPT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(script.reason, "too long"));
    vgg_arena_destroy(&arena);
}
END_TEST

UNIT_MAIN("script", splits_code, refuses_bad_tokens, follows_modules_and_functions,
          knows_pytorchs_functions, follows_the_users_functions, chooses_between_lines,
          takes_the_result, refuses_branches_by_name, stops_at_changes, follows_loops,
          joins_functions_of_one_input, follows_parts_of_tensors,
          stops_where_it_does_not_understand, reads_settings, bounds_its_work,
          bounds_repeated_calls)
