/* SPDX-License-Identifier: MIT */
/* What the code of a TorchScript archive says of the net: which modules and functions run in which order, and with
 * which settings. */
#include "checkpoint/script/script.h"

#include "checkpoint/script/constants.h"
#include "checkpoint/script/follow.h"

/* Takes the steps up to the data that forward returns. */
static bool take_result(struct vgg_recorder *recorder, const struct vgg_term *result)
{
    if (result->kind == VGG_TERM_DERIVED) {
        return vgg_recorder_stop_derived(recorder, result);
    }
    if (result->kind != VGG_TERM_DATA) {
        return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN,
                                 result->kind == VGG_TERM_LIST
                                     ? "forward returns several values"
                                     : "forward does not return a tensor");
    }
    recorder->count = vgg_recorder_resolve(recorder, result->data);
    return recorder->count > 0 ||
           vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN, "forward returns its input");
}

/* The settings of a module that is one step; NULL: it is none. */
static const struct vgg_value *read_settings(struct vgg_follower *follower,
                                             const struct vgg_value *module)
{
    struct vgg_recorder *recorder = follower->recorder;
    struct vgg_term result;
    recorder->count = 0;
    recorder->outcome = VGG_SCRIPT_NONE;
    follower->depth = 0;
    const bool good = vgg_follow_forward(follower, module, &result) && recorder->count == 1 &&
                      result.kind == VGG_TERM_DATA;
    return good ? recorder->steps[0].state : NULL;
}

/* Reads the settings of the modules one by one. */
static bool read_all_settings(struct vgg_follower *follower, const struct vgg_location *location,
                              struct vgg_script *out)
{
    struct vgg_recorder *recorder = follower->recorder;
    /* The steps of the net stay. */
    recorder->steps = NULL;
    recorder->capacity = 0;
    out->settings =
        vgg_arena_alloc(recorder->arena, location->modules.count + 1, sizeof *out->settings);
    if (out->settings == NULL) {
        return false;
    }
    for (size_t i = 0; i < recorder->module_count; i++) {
        const struct vgg_known_module *module = &recorder->modules[i];
        if (module->leaf) {
            out->settings[module->place] = read_settings(follower, module->object);
        }
    }
    return !recorder->no_memory;
}

static void follow(struct vgg_follower *follower, const struct vgg_value *module,
                   struct vgg_script *out)
{
    struct vgg_recorder *recorder = follower->recorder;
    struct vgg_term result;
    recorder->self = module;
    if (vgg_follow_forward(follower, module, &result) && take_result(recorder, &result)) {
        recorder->outcome = VGG_SCRIPT_FOLLOWED;
    }
    out->outcome = recorder->outcome;
    out->steps = recorder->steps;
    out->step_count = recorder->outcome == VGG_SCRIPT_FOLLOWED ? recorder->count : 0;
    memcpy(out->reason, recorder->reason, sizeof out->reason);
}

/* What following needs, on the caller's stack. */
struct reading {
    struct vgg_arena scratch;
    struct vgg_recorder recorder;
    struct vgg_follower follower;
    struct vgg_code code;
};

static bool begin(const struct vgg_archive *archive, const struct vgg_named_list *modules,
                  struct reading *out)
{
    const struct vgg_load *load = &archive->load;
    out->scratch = (struct vgg_arena){.context = load->arena->context};
    vgg_code_init(archive, &out->scratch, &out->code);
    vgg_follower_init(&out->code, &out->recorder, &out->scratch, &out->follower);
    out->follower.archive = archive;
    return vgg_recorder_init(modules, load->limits->layers, load->arena, &out->scratch,
                             &out->recorder);
}

static vgg_status end(const struct vgg_archive *archive, struct reading *reading, bool good)
{
    vgg_arena_destroy(&reading->scratch);
    return good && !reading->recorder.no_memory && !reading->code.no_memory
               ? VGG_OK
               : vgg_load_fail_memory(&archive->load, 1, "the code of the script");
}

/* Reads the numbers of the code, which it can do without. False without memory. */
static bool read_constants(const struct vgg_archive *archive, struct reading *reading)
{
    struct vgg_archive quiet = *archive;
    struct vgg_pickle pickle;
    struct vgg_storages storages;
    quiet.load = vgg_load_quietly(&archive->load);
    const vgg_status status = vgg_constants_read(&quiet, &pickle, &storages);
    if (status == VGG_OK && storages.count > 0) {
        reading->follower.constants = pickle.root;
    }
    return status != VGG_ERR_MEMORY;
}

vgg_status vgg_script_read(const struct vgg_archive *archive, const struct vgg_location *location,
                           struct vgg_script *out)
{
    struct reading reading;
    *out = (struct vgg_script){0};
    if (archive->read_member == NULL || location->kind != VGG_SOURCE_SCRIPT) {
        return VGG_OK;
    }
    bool good = begin(archive, &location->modules, &reading) && read_constants(archive, &reading);
    if (good && !vgg_follow_is_plain(&reading.follower, location->source)) {
        follow(&reading.follower, location->source, out);
        good = read_all_settings(&reading.follower, location, out);
    }
    return end(archive, &reading, good);
}

vgg_status vgg_script_read_frozen(const struct vgg_archive *archive, const struct vgg_value *module,
                                  const struct vgg_value *constants, struct vgg_script *out,
                                  struct vgg_named_list *tensors)
{
    static const struct vgg_named_list none;
    struct reading reading;
    *out = (struct vgg_script){0};
    const bool good = begin(archive, &none, &reading);
    if (good) {
        reading.follower.constants = constants;
        reading.follower.is_frozen = true;
        follow(&reading.follower, module, out);
    }
    *tensors = reading.recorder.constants;
    return end(archive, &reading, good);
}
