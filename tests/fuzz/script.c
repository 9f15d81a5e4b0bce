/* SPDX-License-Identifier: MIT */
/* Fuzz target: the code of a TorchScript module. */
#include "script_net.h"

#include "fuzz.h"

static void check_step(const struct vgg_script_step *step)
{
    fuzz_check(step->type != NULL && step->state != NULL, "a step has a class and settings");
    fuzz_check(step->state->kind == VGG_VALUE_DICT, "settings are a dict");
    for (size_t i = 0; i < step->state->list.count; i += 2) {
        fuzz_check(step->state->list.items[i]->kind == VGG_VALUE_TEXT, "a setting has a name");
    }
}

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    struct vgg_arena arena = {0};
    struct vgg_script script;
    vgg_status status = script_net_follow((const char *)data, size, &arena, &script);
    if (status == VGG_OK) {
        const bool followed = script.outcome == VGG_SCRIPT_FOLLOWED;
        fuzz_check(followed == (script.step_count > 0), "code that is followed has steps");
        fuzz_check(followed || script.reason[0] != '\0', "code that is not has a reason");
        fuzz_check(script.outcome != VGG_SCRIPT_NONE, "the module has an outcome");
    }
    for (size_t i = 0; status == VGG_OK && i < script.step_count; i++) {
        check_step(&script.steps[i]);
    }
    vgg_arena_destroy(&arena);
    return status;
}
