/* SPDX-License-Identifier: MIT */
/* Infers the description of a net from the names and shapes of its tensors. */
#include "model/infer/infer.h"

#include <stdio.h>
#include <string.h>

#include "model/infer/blocks.h"
#include "model/infer/candidates.h"
#include "model/infer/notes.h"
#include "model/infer/refuse.h"
#include "model/spec/defaults.h"

struct inference {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    const struct vgg_cfg *cfg;
    const struct vgg_overrides *overrides;
    struct vgg_sites sites;
    struct vgg_outline outline;
    struct vgg_published published;
    struct vgg_choice choice;
    struct vgg_findings findings;
    struct vgg_open_questions open;
};

/* Nothing shows where the pools are: the message has the list of channels, to which only the pools must be added. */
static vgg_status fail_no_pools(const struct inference *in)
{
    struct vgg_text list = {0};
    const size_t count = in->sites.conv_count;
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&list, "%s%d", i > 0 ? "," : "", in->sites.convs[i].site->out_channels);
    }
    return vgg_fail_long(in->load->arena->context, in->load->err, VGG_ERR_UNSUPPORTED,
                         VGG_HINT_LAYERS,
                         "%s: the names %s … %s do not tell where the pools are: expected the list "
                         "of layers \"%s\" with an M for each 2x2 max pool",
                         in->load->path, in->sites.convs[0].site->name,
                         in->sites.convs[count - 1].site->name, list.buffer);
}

/* Sets the gaps that names do not show, and says how they were found. */
static void find_pools(struct inference *in)
{
    struct vgg_findings *findings = &in->findings;
    struct vgg_blocks blocks;
    if (in->cfg != NULL) {
        findings->pools = VGG_POOLS_BY_CFG;
    } else if (in->published.found && !in->published.by_numbers) {
        vgg_published_take_pools(&in->published, &in->outline);
        findings->pools = VGG_POOLS_PUBLISHED;
        snprintf(findings->pools_text, sizeof findings->pools_text,
                 "as in %s, whose convolutions these are", in->published.spec.name);
    } else if (vgg_outline_has_unknown(&in->outline)) {
        if (vgg_blocks_take_pools(&in->outline, &blocks)) {
            findings->pools = VGG_POOLS_BY_BLOCKS;
            snprintf(findings->pools_text, sizeof findings->pools_text,
                     "after each of the %zu blocks (%.*s …)", blocks.count,
                     blocks.length < 60 ? blocks.length : 60, blocks.name);
        } else {
            findings->pools = VGG_POOLS_EACH;
            in->open.pool_each = true;
        }
    }
}

/* Decides what may vary: nothing that a published net, the cfg or the caller says. */
static void find_questions(struct inference *in)
{
    const bool published = in->published.found;
    const size_t count = in->sites.conv_count;
    bool pair = false, single = false;
    for (size_t i = 0; i < count; i++) {
        const struct vgg_unit *unit = &in->outline.convs[i];
        single = single || unit->activation == VGG_OR_POOL;
        pair = pair || unit->pool_before_norm ||
               (unit->gap == VGG_GAP_POOL && unit->activation != VGG_OR_POOL);
    }
    in->open.padding = !published && !in->overrides->has_padding;
    in->open.last_pool = !published && in->outline.convs[count - 1].gap == VGG_GAP_UNKNOWN;
    in->open.single = !published && single && !pair;
    in->open.global_pool = true;
    if (published && in->outline.convs[count - 1].gap == VGG_GAP_UNKNOWN) {
        vgg_published_take_pools(&in->published, &in->outline);
    }
}

/* Whether the net's convolutions have only the published ones' names and order to be known by. */
static enum vgg_evidence_source get_preprocess_source(const struct inference *in)
{
    const struct vgg_published *published = &in->published;
    return published->found && published->by_numbers &&
                   (published->usual_head || published->caffe_head)
               ? VGG_EVIDENCE_PUBLISHED
               : VGG_EVIDENCE_CONVENTION;
}

/* Takes what only the published description knows: name, preprocessing, labels and figures. */
static vgg_status apply_published(const struct inference *in, struct vgg_spec *spec)
{
    const struct vgg_published *published = &in->published;
    const struct vgg_spec *known = &published->spec;
    const bool same_input = in->outline.sites->linear_count > 0 &&
                            vgg_spec_feature_size(known, NULL).h ==
                                vgg_area_get_side(vgg_outline_get_area(&in->outline));
    spec->name = known->name;
    if (!same_input) {
        return VGG_OK;
    }
    spec->builtin = true;
    spec->preprocess = known->preprocess;
    if (published->caffe_head) {
        return vgg_preprocess_find("caffe", &spec->preprocess, in->load->err);
    }
    if (known->labels.count == (size_t)vgg_spec_get_classes(spec)) {
        spec->labels = known->labels;
    }
    if (published->usual_head && published->by_numbers) {
        /* The figures are published for torchvision's own files. */
        spec->file = known->file;
        spec->sha256 = known->sha256;
        spec->bytes = known->bytes;
        spec->acc1 = known->acc1;
        spec->acc5 = known->acc5;
    }
    return VGG_OK;
}

/* Chooses the layers and the input size, and records what was chosen and why. */
static vgg_status describe(struct inference *in, struct vgg_spec *spec)
{
    const struct vgg_load *load = in->load;
    find_pools(in);
    find_questions(in);
    vgg_status status = vgg_candidates_choose(
        load, &(struct vgg_candidate_request){&in->outline, &in->open, in->overrides}, &in->choice,
        spec);
    if (status != VGG_OK) {
        return status;
    }
    if (in->open.pool_each && !in->choice.usual) {
        return fail_no_pools(in);
    }
    if (in->open.pool_each) {
        snprintf(in->findings.pools_text, sizeof in->findings.pools_text, "%s",
                 in->choice.hypothesis.pool_each ? "after each convolution" : "none");
    }
    if (in->published.found) {
        status = apply_published(in, spec);
    }
    if (status == VGG_OK && spec->preprocess.name[0] == '\0') {
        status = vgg_spec_default_preprocess(spec, load->err);
    }
    vgg_note_layers(&in->findings, spec);
    spec->preprocess_source = get_preprocess_source(in);
    return status;
}

vgg_status vgg_spec_infer(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          const struct vgg_cfg *cfg, const struct vgg_overrides *overrides,
                          struct vgg_spec *out)
{
    struct inference in = {.load = load, .tensors = tensors, .cfg = cfg, .overrides = overrides};
    struct vgg_spec spec = {.inferred = true};
    in.findings = (struct vgg_findings){.load = load,
                                        .tensors = tensors,
                                        .outline = &in.outline,
                                        .overrides = overrides,
                                        .published = &in.published,
                                        .choice = &in.choice};
    vgg_status status = vgg_refuse_unsupported(load, tensors);
    if (status == VGG_OK) {
        struct vgg_error reason = {0};
        struct vgg_load find = *load;
        find.err = &reason;
        status = vgg_sites_find(&find, tensors, &in.sites);
        if (status == VGG_ERR_FORMAT) {
            return vgg_refuse_no_vgg(load, tensors, &reason);
        }
        if (status != VGG_OK && load->err != NULL) {
            *load->err = reason;
        }
    }
    status = status ? status : vgg_refuse_features_alone(load, tensors, &in.sites);
    status = status ? status : vgg_outline_read(load, &in.sites, cfg, &in.outline);
    status = status ? status : vgg_published_find(load, &in.outline, &in.published);
    status = status ? status : describe(&in, &spec);
    if (status == VGG_OK && spec.evidence.failed) {
        status = vgg_load_fail_memory(load, 1, "the evidence");
    }
    if (status == VGG_OK) {
        *out = spec;
    }
    return status;
}
