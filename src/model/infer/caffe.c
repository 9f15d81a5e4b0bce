/* SPDX-License-Identifier: MIT */
/* Recognises nets whose weights were made for Caffe's preprocessing.
 *
 * Weights can identify a known net, but they do not show for which images an unknown one was trained: the first
 * convolution's weights are as large for pixels of 0 to 255 as for normalised ones, because the layers behind it were
 * trained with it. So only known weights count. */
#include "model/infer/caffe.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* One corner of the kernel of six of the 64 output channels of Caffe's VGG-16, in the order B, G, R. */
static const struct {
    int channel;
    double corner[3];
} known[] = {
    {0, {0.429470569, 0.550379455, 0.480015397}},
    {1, {0.117273867, 0.0208774377, -0.172696680}},
    {2, {0.0340129584, 0.0988311544, 0.0375577137}},
    {61, {-0.132241577, -0.0848205537, -0.127135560}},
    {62, {-0.0533475243, -0.0511389151, -0.0502991639}},
    {63, {0.00757738389, 0.0374943428, 0.0348965675}},
};
enum { KNOWN_COUNT = sizeof known / sizeof known[0], FACE_CLASSES = 2622 };

/* How far each of the 18 numbers may be from the known one. Float16 and a little training move them by less. PyTorch draws
 * the weights of a new net from ±0.19, where the first numbers are not, and of the trained ones of torchvision's vgg16 the
 * first is -0.55; of numbers with a deviation of 0.2, all 18 are this near once in 10^19 nets. */
static const double tolerance = 0.02;

/* How a first convolution has the known weights. */
struct form {
    /* Its planes are R, G, B. */
    bool rgb;
    /* The kernel is rotated, as for a convolution that is no correlation. */
    bool rotated;
    /* For pixels of 0 to 1: the weights are 255 times as large. */
    bool scaled;
};

static bool has_form(const float weights[64][3][9], const struct form *form)
{
    const int corner = form->rotated ? 8 : 0;
    for (int i = 0; i < KNOWN_COUNT; i++) {
        for (int c = 0; c < 3; c++) {
            const double weight = (double)weights[known[i].channel][form->rgb ? 2 - c : c][corner] /
                                  (form->scaled ? 255 : 1);
            if (!(fabs(weight - known[i].corner[c]) <= tolerance)) {
                return false;
            }
        }
    }
    return true;
}

/* Whether the weight is that of Caffe's VGG-16, and in which form; *out is zeros if it is not. */
static bool find_form(const struct vgg_tensor *weight, struct form *out)
{
    float weights[64][3][9];
    const int64_t shape[] = {64, 3, 3, 3};
    if (weight == NULL || weight->data == NULL || weight->layout != VGG_LAYOUT_ROWS ||
        weight->ndim != 4 || memcmp(weight->shape, shape, sizeof shape) != 0) {
        return false;
    }
    vgg_tensor_read_f32(weight, &weights[0][0][0]);
    for (int n = 0; n < 8; n++) {
        *out = (struct form){(n & 1) != 0, (n & 2) != 0, (n & 4) != 0};
        if (has_form((const float(*)[3][9])weights, out)) {
            return true;
        }
    }
    *out = (struct form){0};
    return false;
}

/* ---- names ---- */

/* The first place of a text in a file's name, in any case; NULL: there is none. */
static const char *find_in_name(const char *path, const char *text)
{
    const char *slash = strrchr(path, '/');
    const size_t length = strlen(text);
    for (const char *p = slash != NULL ? slash + 1 : path; *p != '\0'; p++) {
        size_t same = 0;
        while (same < length && tolower((unsigned char)p[same]) == text[same]) {
            same++;
        }
        if (same == length) {
            return p;
        }
    }
    return NULL;
}

static bool is_named_caffe(const char *path)
{
    /* vgg16-00b39a1b.pth and vgg19-d01eb7cb.pth, whose classifiers some people have renamed. */
    static const char *const parts[] = {"caffe", "-00b39a1b", "-d01eb7cb"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (find_in_name(path, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* VGGFace2 is another data set. */
static bool is_named_face(const char *path)
{
    static const char *const parts[] = {"vggface", "vgg_face", "vgg-face"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *found = find_in_name(path, parts[i]);
        if (found != NULL && found[strlen(parts[i])] != '2') {
            return true;
        }
    }
    return false;
}

/* Whether a net is one of the paper's, which were trained with Caffe: 8 to 16 convolutions of 3x3, without BatchNorm. */
static bool is_of_the_paper(const struct vgg_spec *spec)
{
    const size_t count = vgg_spec_count(spec, VGG_LAYER_CONV);
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_BATCH_NORM ||
            (layer->kind == VGG_LAYER_CONV && layer->conv.window.kernel.h != 3)) {
            return false;
        }
    }
    return spec->channels == 3 && count >= 8 && count <= 16;
}

/* ---- the preprocessing ---- */

/* Takes the values of a preset; the sizes stay those of the net's input. */
static vgg_status take_values(const struct vgg_load *load, const char *name,
                              struct vgg_preprocess *out)
{
    struct vgg_preprocess preset;
    vgg_status status = vgg_preprocess_find(name, &preset, load->err);
    if (status != VGG_OK) {
        return status;
    }
    const bool same_sizes = out->resize == preset.resize && out->resize_width == 0 &&
                            out->crop == preset.crop && out->crop_width == 0;
    memcpy(out->mean, preset.mean, sizeof out->mean);
    memcpy(out->std, preset.std, sizeof out->std);
    out->bgr = preset.bgr;
    out->unscaled = preset.unscaled;
    memcpy(out->name, same_sizes ? preset.name : "custom",
           same_sizes ? sizeof out->name : sizeof "custom");
    return VGG_OK;
}

static void apply_form(const struct form *form, struct vgg_preprocess *out)
{
    if (form->rgb || form->scaled) {
        memcpy(out->name, "custom", sizeof "custom");
    }
    out->bgr = !form->rgb;
    out->unscaled = !form->scaled;
    for (int i = 0; i < 3 && form->scaled; i++) {
        out->mean[i] /= 255;
    }
}

/* The weight of the first layer. */
static const struct vgg_tensor *find_first(const struct vgg_tensor_list *tensors,
                                           const struct vgg_spec *spec)
{
    return spec->layer_count > 0 && spec->layers[0].kind == VGG_LAYER_CONV
               ? vgg_tensor_list_findf(tensors, "%s.weight", spec->layers[0].name)
               : NULL;
}

vgg_status vgg_caffe_apply(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           struct vgg_spec *spec)
{
    struct vgg_preprocess_guess guess = {.values = "ImageNet's fit as well",
                                         .channels = "RGB of 0 to 1 fits as well"};
    struct form form = {0};
    const bool paper = is_of_the_paper(spec);
    const char *preset = "caffe";
    if (spec->preprocess.unscaled != 0) {
        return VGG_OK; /* known already */
    }
    if (find_form(find_first(tensors, spec), &form)) {
        guess.why = "the first convolution's weights are those of Caffe's VGG-16";
    } else if (paper && is_named_caffe(load->path)) {
        guess.why = "the file's name";
    } else if (paper && (is_named_face(load->path) || vgg_spec_get_classes(spec) == FACE_CLASSES)) {
        preset = "vgg-face";
        guess.why = is_named_face(load->path) ? "the file's name" : "2622 classes, as VGG-Face has";
        form.rgb = is_named_face(load->path) && find_in_name(load->path, "_dag") != NULL;
        guess.channels =
            form.rgb
                ? "BGR of 0 to 255, as of Caffe, fits as well; RGB of 0 to 1 fits as well"
                : "RGB of 0 to 255, as of MatConvNet, fits as well; RGB of 0 to 1 fits as well";
    } else {
        return VGG_OK;
    }
    vgg_status status = take_values(load, preset, &spec->preprocess);
    if (status == VGG_OK) {
        apply_form(&form, &spec->preprocess);
        spec->preprocess_guess = guess;
        spec->preprocess_source = VGG_EVIDENCE_CONVENTION;
        /* The published figures are torchvision's. */
        spec->file = spec->sha256 = NULL;
        spec->bytes = 0;
        spec->acc1 = spec->acc5 = 0;
    }
    return status;
}
