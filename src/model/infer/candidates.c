/* SPDX-License-Identifier: MIT */
/* Chooses among the nets and input sizes that fit names and shapes equally well. */
#include "model/infer/candidates.h"

#include <stdio.h>
#include <string.h>

#include "model/infer/usual_size.h"
#include "model/spec/defaults.h"

/* The sizes of ImageNet's images after the crop, and of CIFAR's. */
enum { IMAGENET_SIDE = 224, CIFAR_SIDE = 32 };

/* All combinations of the first four questions. */
enum { MAX_HYPOTHESES = 16 };

struct search {
    const struct vgg_load *load;
    const struct vgg_outline *outline;
    const struct vgg_overrides *overrides;
    /* Pixels of each channel that the classifier takes; 0: any number. */
    int area;
};

/* The n-th combination, the usual net first. False: it varies what is not open. */
static bool make_hypothesis(int n, const struct vgg_open_questions *open,
                            struct vgg_hypothesis *out)
{
    *out = (struct vgg_hypothesis){
        .pool_each = open->pool_each && (n & 8) == 0,
        .single_is_pool = (n & 4) != 0,
        .no_padding = (n & 2) != 0,
        .no_last_pool = (n & 1) != 0,
    };
    return ((n & 8) == 0 || open->pool_each) && ((n & 4) == 0 || open->single) &&
           ((n & 2) == 0 || open->padding) && ((n & 1) == 0 || open->last_pool);
}

static vgg_status emit(const struct search *search, const struct vgg_hypothesis *hypothesis,
                       struct vgg_spec *spec)
{
    return vgg_emit(search->load, search->outline,
                    &(struct vgg_emit_options){*hypothesis, search->overrides}, spec);
}

/* The pixels at which the features must end; 0: any number. */
static int get_area(const struct search *search)
{
    return search->area == 2 ? 0 : search->area; /* fastai's pool takes any */
}

static bool reaches(const struct search *search, const struct vgg_spec *spec,
                    struct vgg_pixels input)
{
    return vgg_input_reaches(spec, input, get_area(search));
}

/* Whether an input is large enough. */
static bool reaches_any(const struct vgg_spec *spec, struct vgg_pixels input)
{
    return vgg_input_reaches(spec, input, 0);
}

/* What is tried of a hypothesis. */
struct attempt {
    struct vgg_hypothesis hypothesis;
    struct vgg_spec spec;
    bool fits, usual;
};

/* Writes what a hypothesis differs in from the usual one: "padding 0, no last pool at "; "" if it is that. */
static void name_hypothesis(const struct vgg_hypothesis *hypothesis,
                            const struct vgg_open_questions *open, char *name, size_t bytes)
{
    const struct {
        bool holds;
        const char *name;
    } parts[] = {
        {hypothesis->no_padding, "padding 0"},
        {hypothesis->no_last_pool, "no last pool"},
        {hypothesis->single_is_pool, "pools instead of activations"},
        {open->pool_each && !hypothesis->pool_each, "no pools between convolutions"},
    };
    size_t used = 0;
    name[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].holds && used < bytes) {
            used += (size_t)snprintf(name + used, bytes - used, "%s%s", used > 0 ? ", " : "",
                                     parts[i].name);
        }
    }
    if (used > 0 && used < bytes) {
        snprintf(name + used, bytes - used, " at ");
    }
}

/* Adds the usual sizes that fit an attempt, or the one that the caller gives.
 *   chosen  the side that is not added; 0: all are */
static void add_alternatives(const struct search *search, const struct attempt *attempt,
                             const struct vgg_open_questions *open, int chosen,
                             struct vgg_choice *choice)
{
    char name[128];
    struct vgg_text *text = &choice->alternatives;
    name_hypothesis(&attempt->hypothesis, open, name, sizeof name);
    if (search->overrides->height > 0) {
        vgg_text_add(text, "%s%s%dx%d fits as well", text->length > 0 ? "; " : "", name,
                     search->overrides->height, search->overrides->width);
    } else if (get_area(search) > 0) {
        vgg_input_list_usual(&attempt->spec, get_area(search), name, chosen, text);
    }
}

static vgg_status try(const struct search *search, struct attempt *attempt)
{
    const struct vgg_overrides *overrides = search->overrides;
    vgg_status status = emit(search, &attempt->hypothesis, &attempt->spec);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_pixels *input = &attempt->spec.input;
    const int usual = vgg_input_find_usual(&attempt->spec, get_area(search));
    *input = usual > 0 ? (struct vgg_pixels){usual, usual} : vgg_spec_natural_input(&attempt->spec);
    attempt->usual = usual > 0;
    attempt->fits = usual > 0 || (input->h > 0 && reaches(search, &attempt->spec, *input));
    if (overrides->height > 0) {
        /* The net is one that the caller's size fits; its own size remains what the preprocessing is made for. */
        const struct vgg_pixels given = {overrides->height, overrides->width};
        attempt->fits = attempt->usual = reaches(search, &attempt->spec, given);
        *input = input->h > 0 ? *input : given;
    } else if (search->area == 1 && attempt->hypothesis.no_padding) {
        attempt->usual = false; /* an average pool before the classifier is more usual */
    }
    return VGG_OK;
}

static vgg_status fail_area(const struct search *search)
{
    const struct vgg_sites *sites = search->outline->sites;
    const struct vgg_site *conv = sites->convs[sites->conv_count - 1].site;
    const struct vgg_site *linear = sites->linears[0].site;
    char origin[VGG_ORIGIN_BYTES];
    vgg_sites_show_origin(linear->in_channels, conv->out_channels, origin);
    if (origin[0] == '\0') {
        snprintf(origin, sizeof origin, ", which is %d pixels", search->area);
    }
    return vgg_fail_hint(search->load->err, VGG_ERR_MISMATCH, VGG_HINT_SIZE,
                         "%s: %s: expected as in_features the %d channels of %s times a square "
                         "number of pixels (%lld for 7x7), found %d%s",
                         search->load->path, linear->weight->name, conv->out_channels,
                         conv->weight->name, 49LL * conv->out_channels, linear->in_channels,
                         origin);
}

static void take(const struct attempt *attempt, struct vgg_choice *choice, struct vgg_spec *spec)
{
    choice->hypothesis = attempt->hypothesis;
    choice->fits = attempt->fits;
    choice->usual = attempt->usual;
    spec->layers = attempt->spec.layers;
    spec->layer_count = attempt->spec.layer_count;
    spec->channels = attempt->spec.channels;
    spec->input = attempt->spec.input;
}

/* Whether a new attempt is better than the one that is chosen. */
static bool is_better(const struct attempt *attempt, const struct vgg_choice *choice, bool first)
{
    return first || (attempt->usual && !choice->usual) || (attempt->fits && !choice->fits);
}

static void add_fit(struct vgg_choice *choice, int side, const char *how)
{
    struct vgg_text *text = &choice->alternatives;
    vgg_text_add(text, "%s%dx%d%s fits as well", text->length > 0 ? "; " : "", side, side, how);
}

/* A classifier of one pixel may take the mean of an image of any size; fastai's, of two numbers for each channel, does. */
static void choose_global(const struct search *search, const struct vgg_open_questions *open,
                          struct vgg_choice *choice, struct vgg_spec *spec)
{
    const int classes = vgg_spec_get_classes(spec);
    const int side = vgg_input_find_usual(spec, get_area(search));
    const bool given = search->overrides->height > 0, known = search->area == 2;
    const char *how = known ? "" : " with a global average pool";
    const struct vgg_pixels imagenet = {IMAGENET_SIDE, IMAGENET_SIDE},
                            cifar = {CIFAR_SIDE, CIFAR_SIDE};
    if (!open->global_pool || search->area == 0 || search->area > 2 ||
        !reaches_any(spec, imagenet)) {
        return;
    }
    if (side > 0 && (classes == 10 || classes == 100)) {
        if (!given) {
            add_fit(choice, IMAGENET_SIDE, how);
        }
        return;
    }
    choice->hypothesis.global_pool = !given && !known;
    spec->input = imagenet;
    if (given) {
        return;
    }
    if (side > 0 && !known) {
        add_fit(choice, side, " without the average pool");
    } else if (reaches_any(spec, cifar)) {
        add_fit(choice, CIFAR_SIDE, how);
    }
}

vgg_status vgg_candidates_choose(const struct vgg_load *load,
                                 const struct vgg_candidate_request *request,
                                 struct vgg_choice *choice, struct vgg_spec *spec)
{
    const struct vgg_open_questions *open = request->open;
    const struct vgg_overrides *overrides = request->overrides;
    const struct search search = {load, request->outline, overrides,
                                  vgg_outline_get_area(request->outline)};
    const bool square = search.area <= 2 || vgg_area_get_side(search.area) > 0;
    bool first = true;
    *choice = (struct vgg_choice){0};
    if (!square && overrides->height == 0) {
        return fail_area(&search);
    }
    for (int n = 0; n < MAX_HYPOTHESES; n++) {
        struct attempt attempt = {0};
        if (!make_hypothesis(n, open, &attempt.hypothesis)) {
            continue;
        }
        vgg_status status = try(&search, &attempt);
        if (status != VGG_OK) {
            return status;
        }
        if (is_better(&attempt, choice, first)) {
            take(&attempt, choice, spec);
            first = false;
            if (attempt.usual && overrides->height == 0) {
                add_alternatives(&search, &attempt, open, attempt.spec.input.h, choice);
            }
        } else if (attempt.usual) {
            add_alternatives(&search, &attempt, open, 0, choice);
        }
    }
    if (!square && !choice->fits) {
        return fail_area(&search);
    }
    choose_global(&search, open, choice, spec);
    return VGG_OK;
}
