/* SPDX-License-Identifier: MIT */
/* Fuzz target: the scan of a file for what Python would run. */
#include <string.h>

#include "fuzz.h"
#include "vgg/scan.h"

struct seen {
    size_t size;
    uint64_t counts[VGG_SCAN_DANGEROUS + 1];
};

static void on_finding(void *user, const struct vgg_scan_finding *finding)
{
    struct seen *seen = user;
    fuzz_check(finding->severity <= VGG_SCAN_DANGEROUS, "a finding has a severity");
    fuzz_check(finding->rule < VGG_SCAN_RULES, "a finding has a rule");
    fuzz_check(strlen(finding->message) > 0 && finding->count > 0, "a finding says what it is");
    fuzz_check(finding->file_offset == VGG_NO_OFFSET || finding->file_offset <= seen->size,
               "a finding is in the file");
    fuzz_check(strlen(finding->member) + strlen(finding->subject) < 4096, "names are bounded");
    seen->counts[finding->severity]++;
}

static void on_opcode(void *user, const struct vgg_scan_opcode *opcode)
{
    uint8_t sum = 0;
    (void)user;
    for (size_t i = 0; i < opcode->operand_bytes; i++) {
        sum = (uint8_t)(sum + (uint8_t)opcode->operand[i]);
    }
    fuzz_check(opcode->name != NULL && sum + opcode->offset != UINT64_MAX, "an opcode has a name");
}

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    struct seen seen = {.size = size};
    struct vgg_scan_result result;
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    limits.pickle_opcodes = 20000;
    limits.pickle_memo = 2000;
    limits.value_bytes = 1 << 20;
    limits.pickle_bytes = 1 << 20;
    limits.zip_entries = 200;
    const struct vgg_context context = {.limits = &limits};
    const struct vgg_scan_options options = {
        .found = on_finding, .traced = on_opcode, .user = &seen, .allowed = "a.b,c.*"};
    const vgg_status status =
        vgg_scan_memory(data, size, "scan.bin", &options, &context, &result, NULL);
    if (status == VGG_OK) {
        fuzz_check(seen.counts[VGG_SCAN_DANGEROUS] <= result.dangerous &&
                       (seen.counts[VGG_SCAN_DANGEROUS] > 0) == (result.dangerous > 0),
                   "every severity is reported");
        fuzz_check((seen.counts[VGG_SCAN_UNREAD] > 0) == (result.unread > 0),
                   "what is not read is reported");
        fuzz_check(result.recognised || result.unread > 0, "what is not recognised is not clean");
    }
    return status;
}
