/* SPDX-License-Identifier: MIT */
/* checkpoint/scan: what is found in pickles and archives, where, and that allocation failures and limits are told. */
#include "unit.h"
#include "writer.h"

#include "checkpoint/scan/policy.h"
#include "checkpoint/scan/text_bytes.h"
#include "vgg/scan.h"

/* The findings of the last scan. */
static struct vgg_scan_result result;
static struct vgg_error err;
static char findings[8192];
static uint64_t last_offset, last_file_offset;

static void on_finding(void *user, const struct vgg_scan_finding *finding)
{
    const size_t used = strlen(findings);
    (void)user;
    snprintf(findings + used, sizeof findings - used, "%s|%s|%s|%s\n",
             vgg_scan_severity_string(finding->severity), vgg_scan_rule_string(finding->rule),
             finding->member, finding->message);
    if (finding->severity > VGG_SCAN_INERT) {
        last_offset = finding->offset;
        last_file_offset = finding->file_offset;
    }
}

static vgg_status scan_as(const char *name, const char *allowed, const void *data, size_t size)
{
    const struct vgg_scan_options options = {.found = on_finding, .allowed = allowed};
    findings[0] = '\0';
    uint8_t *copy = copy_exactly(data, size);
    const vgg_status status = vgg_scan_memory(copy, size, name, &options, NULL, &result, &err);
    free(copy);
    return status;
}

#define SCAN(literal) ck_assert_int_eq(scan_as("a.pkl", NULL, literal, sizeof(literal) - 1), VGG_OK)
#define EXPECT(text) ck_assert_msg(strstr(findings, text) != NULL, "%s", findings)

static struct vgg_scan_verdict judge(const char *module, const char *name, const char *allowed)
{
    return vgg_scan_judge((struct vgg_span){module, (uint32_t)strlen(module)},
                          (struct vgg_span){name, (uint32_t)strlen(name)}, allowed);
}

START_TEST(judges_names)
{
    static const struct {
        const char *module, *name;
        enum vgg_scan_severity severity;
    } cases[] = {
        {"collections", "OrderedDict", VGG_SCAN_INERT},
        {"torch._utils", "_rebuild_tensor_v2", VGG_SCAN_INERT},
        {"__builtin__", "set", VGG_SCAN_INERT},
        {"torch.nn.modules.conv", "Conv2d", VGG_SCAN_INERT},
        {"__torch__.torch.nn.modules", "___torch_mangle_0.Conv2d", VGG_SCAN_INERT},
        {"torch.nn.modules.module", "torch", VGG_SCAN_SUSPICIOUS},
        {"torch.nn.modules.conv", "Conv2d.forward", VGG_SCAN_SUSPICIOUS},
        {"torchvision.models.vgg", "load_state_dict_from_url", VGG_SCAN_SUSPICIOUS},
        {"torch.nn.modules.module", "functools.partial", VGG_SCAN_DANGEROUS},
        {"collections", "OrderedDict.__init__", VGG_SCAN_DANGEROUS},
        {"numpy", "__builtins__", VGG_SCAN_DANGEROUS},
        {"torch.serialization", "os", VGG_SCAN_DANGEROUS},
        {"a.module", "os", VGG_SCAN_DANGEROUS},
        {"os", "system", VGG_SCAN_DANGEROUS},
        {"os.path", "join", VGG_SCAN_DANGEROUS},
        {"osmium", "f", VGG_SCAN_SUSPICIOUS},
        {"builtins", "eval", VGG_SCAN_DANGEROUS},
        {"uuid", "_get_command_stdout", VGG_SCAN_DANGEROUS},
        {"uuid", "UUID", VGG_SCAN_INERT},
        {"__main__", "Net", VGG_SCAN_SUSPICIOUS},
        {"", "", VGG_SCAN_SUSPICIOUS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(judge(cases[i].module, cases[i].name, NULL).severity == cases[i].severity,
                      "%s.%s", cases[i].module, cases[i].name);
    }
}
END_TEST

START_TEST(allows_names)
{
    ck_assert_int_eq(judge("__main__", "Net", "a.B,__main__.Net").severity, VGG_SCAN_INERT);
    ck_assert_int_eq(judge("timm.models.vgg", "VGG", "timm.*").severity, VGG_SCAN_INERT);
    ck_assert_int_eq(judge("timm", "VGG", "timm.*").severity, VGG_SCAN_INERT);
    ck_assert_int_eq(judge("timmy", "VGG", "timm.*").severity, VGG_SCAN_SUSPICIOUS);
    ck_assert_int_eq(judge("__main__", "Nets", "__main__.Net").severity, VGG_SCAN_SUSPICIOUS);
    ck_assert_int_eq(judge("__main__", "Net", "").severity, VGG_SCAN_SUSPICIOUS);
    ck_assert_int_eq(judge("os", "system", "os.system,os.*").severity, VGG_SCAN_DANGEROUS);
}
END_TEST

START_TEST(finds_calls)
{
    SCAN("\x80\2cos\nsystem\nX\2\0\0\0id\x85R.");
    EXPECT("dangerous|name||calls os.system('id')");
    ck_assert_uint_eq(last_offset, 21);
    ck_assert_uint_eq(result.dangerous, 1);
    SCAN("(S'id'\nios\nsystem\n.");
    EXPECT("calls os.system('id')");
    SCAN("(cos\nsystem\nS'id'\no.");
    EXPECT("calls os.system('id')");
    SCAN("\x80\2ca.b\nC\n)}\x92.");
    EXPECT("suspicious|name||calls a.b.C()");
    SCAN("\x80\4\x8c\2os\x8c\6system\x93.");
    EXPECT("imports os.system");
}
END_TEST

START_TEST(follows_stack_and_memo)
{
    SCAN("\x80\4\x8c\6system\x94\x8c\2osq\5"
         "00h\5h\0\x93X\2\0\0\0id\x85R.");
    EXPECT("calls os.system('id')");
    SCAN("Vos\np7\n0g7\n2"
         "0Vsystem\n\x93.");
    EXPECT("imports os.system");
    SCAN("\x80\4\x8c\2os(\x8c\1x"
         "1\x8c\6system\x93.");
    EXPECT("imports os.system");
    SCAN("Vo\\u0073\nVsystem\n\x93.");
    EXPECT("dangerous|computed");
}
END_TEST

START_TEST(finds_changes)
{
    SCAN("\x80\2ctorch.nn.modules.linear\nLinear\n}b.");
    EXPECT("dangerous|changed||sets attributes of something imported");
    SCAN("\x80\2ccollections\nOrderedDict\nK\0K\0s.");
    EXPECT("sets items of something imported");
    SCAN("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)RK\0K\0s.");
    EXPECT("CVE-2026-24747");
    SCAN("\x80\2ccollections\nOrderedDict\n)RK\0K\0s}b.");
    ck_assert_uint_eq(result.dangerous + result.suspicious + result.unread, 0);
}
END_TEST

START_TEST(goes_on_past_errors)
{
    SCAN("\x80\2"
         "000cos\nsystem\n)R.");
    EXPECT("calls os.system");
    EXPECT("unread|broken");
    SCAN("\x80\2cos\nsystem\n)R\xff");
    EXPECT("calls os.system");
    SCAN("\x80\2N.\x80\2N.cos\nsystem\n)R.");
    EXPECT("calls os.system");
    SCAN("\x80\2}X\1\0\0\0a");
    ck_assert_uint_eq(result.unread, 1);
    EXPECT("unread|broken||the pickle is truncated");
}
END_TEST

/* Bytes that are no pickle are not reported as one, except where something would be called. */
START_TEST(leaves_other_bytes)
{
    static const char texts[] = "class\nname\n", calls[] = "cos\nsystem\n)R\xff";
    scan_as("a.txt", NULL, texts, sizeof texts - 1);
    ck_assert_uint_eq(result.dangerous + result.suspicious, 0);
    ck_assert_uint_eq(result.unread, 1);
    ck_assert(!result.recognised);
    scan_as("a.txt", NULL, calls, sizeof calls - 1);
    ck_assert_uint_eq(result.dangerous, 1);
}
END_TEST

START_TEST(looks_into_bytes)
{
    SCAN("\x80\3ctorch.storage\n_load_from_bytes\nC\x10\x80\2cos\nsystem\n)R.\x85R.");
    EXPECT("dangerous|name|bytes at");
    ck_assert_uint_eq(last_file_offset, 36 + 2 + 11 + 1);
    SCAN("\x80\3ctorch.storage\n_load_from_bytes\nC\4\x80\2N.\x85R.");
    ck_assert_uint_eq(result.dangerous + result.suspicious + result.unread, 0);
    SCAN("\x80\3ctorch.storage\n_load_from_bytes\n\x85R.");
    ck_assert_uint_gt(result.dangerous + result.unread, 0);
    SCAN("\x80\3ca\nb\nC\x0e"
         "cos\nsystem\n)R.\x85R.");
    EXPECT("calls os.system");
}
END_TEST

START_TEST(decodes_texts)
{
    uint8_t out[16];
    const struct vgg_span line = {"a\\u00ff\xe9\\x", 10}, text = {"a\xc3\xbf\xe2\x82\xac", 6};
    ck_assert_uint_eq(vgg_text_to_bytes(line, true, out), 5);
    ck_assert_mem_eq(out, "a\xff\xe9\\x", 5);
    ck_assert_uint_eq(vgg_text_to_bytes(text, false, out), 5);
    ck_assert_mem_eq(out, "a\xff", 2);
}
END_TEST

static void take_opcode(void *user, const struct vgg_scan_opcode *opcode)
{
    const size_t used = strlen(findings);
    (void)user;
    snprintf(findings + used, sizeof findings - used, "%" PRIu64 " %s %.*s;", opcode->offset,
             opcode->name, (int)opcode->operand_bytes,
             opcode->operand_bytes > 0 ? opcode->operand : "");
}

START_TEST(traces)
{
    static const char pickle[] = "\x80\2cos\nsystem\nX\2\0\0\0id.";
    const struct vgg_scan_options options = {.traced = take_opcode};
    findings[0] = '\0';
    vgg_scan_memory(pickle, sizeof pickle - 1, "a", &options, NULL, &result, &err);
    ck_assert_str_eq(findings, "0 PROTO ;2 GLOBAL os\nsystem;13 BINUNICODE id;20 STOP ;");
}
END_TEST

START_TEST(respects_limits)
{
    struct bytes out = {0};
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.pickle_opcodes = 100;
    const struct vgg_context context = {.limits = &limits};
    PUT(&out, "\x80\2");
    for (int i = 0; i < 200; i++) {
        PUT(&out, "N0");
    }
    PUT(&out, "N.");
    ck_assert_int_eq(vgg_scan_memory(out.data, out.size, "a", NULL, &context, &result, &err),
                     VGG_OK);
    ck_assert_uint_eq(result.unread, 1);
    limits.pickle_opcodes = 1000;
    ck_assert_int_eq(vgg_scan_memory(out.data, out.size, "a", NULL, &context, &result, &err),
                     VGG_OK);
    ck_assert_uint_eq(result.unread, 0);
    free(out.data);
}
END_TEST

START_TEST(checks_arguments)
{
    ck_assert_int_eq(vgg_scan_file(NULL, NULL, NULL, &result, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_scan_memory(NULL, 0, "a", NULL, NULL, &result, &err), VGG_ERR_ARGUMENT);
    ck_assert_int_eq(vgg_scan_file("/nonexistent", NULL, NULL, &result, &err), VGG_ERR_IO);
    ck_assert_int_eq(vgg_scan_file("/", NULL, NULL, &result, &err), VGG_ERR_UNSUPPORTED);
    ck_assert_str_eq(vgg_scan_severity_string((enum vgg_scan_severity)99), "unknown");
    ck_assert_str_eq(vgg_scan_rule_string((enum vgg_scan_rule)99), "unknown");
    ck_assert_int_eq(scan_as("a", NULL, "", 0), VGG_OK);
    ck_assert_uint_eq(result.unread, 1);
}
END_TEST

UNIT_MAIN("scan", judges_names, allows_names, finds_calls, follows_stack_and_memo, finds_changes,
          goes_on_past_errors, leaves_other_bytes, looks_into_bytes, decodes_texts, traces,
          respects_limits, checks_arguments)
