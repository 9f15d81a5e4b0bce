/* The weights of fully connected layers: where and as what they lie, and the slices that tasks read. */
#include "plan/f32/linear_weights.h"

#include "model/graph/norm.h"

struct vgg_linear_view vgg_linear_view(const struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_linear *linear = &step->node->linear;
    if (step->kind == VGG_STEP_DENSE) {
        return (struct vgg_linear_view){conv->weight, conv->bias, conv->oc,
                                        (size_t)conv->ic * (size_t)conv->kernel *
                                            (size_t)conv->kernel};
    }
    return (struct vgg_linear_view){linear->weight, linear->bias, linear->out_features,
                                    (size_t)linear->in_features};
}

bool vgg_linear_has_kernel(enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_F32 || dtype == VGG_DTYPE_BF16 || dtype == VGG_DTYPE_F16;
}

enum vgg_weights_type vgg_linear_get_type(enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_BF16  ? VGG_WEIGHTS_BF16
           : dtype == VGG_DTYPE_F16 ? VGG_WEIGHTS_F16
                                    : VGG_WEIGHTS_F32;
}

bool vgg_is_in_columns(const struct vgg_tensor *weight)
{
    return weight->layout == VGG_LAYOUT_COLUMNS && !weight->swapped &&
           vgg_linear_has_kernel(weight->dtype);
}

bool vgg_linear_is_in_place(const struct vgg_step *step)
{
    const struct vgg_tensor *weight = vgg_linear_view(step).weight;
    return vgg_is_in_columns(weight) ||
           (step->norm == NULL && vgg_linear_has_kernel(weight->dtype) && !weight->swapped &&
            vgg_tensor_is_contiguous(weight));
}

/* Rows begin … end-1 as float32. */
void vgg_linear_read(const struct vgg_step *step, int begin, int end, float *rows)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const int64_t features = (int64_t)linear.features;
    vgg_tensor_read_range(linear.weight, begin * features, (end - begin) * features, rows);
    for (int row = begin; step->norm_scale != NULL && row < end; row++, rows += features) {
        vgg_fold_weights(rows, linear.features, step->norm_scale[row]);
    }
}

void vgg_linear_provide(const struct vgg_step *step, int worker, struct vgg_linear_args *args)
{
    args->weight = step->linear_weight;
    if (args->weight != NULL) {
        return;
    }
    float *slice = step->rows + (size_t)worker * step->rows_elements;
    vgg_linear_read(step, args->begin, args->end, slice);
    args->weight = slice;
    args->bias = args->bias != NULL ? args->bias + args->begin : NULL;
    args->y += args->begin;
    args->end -= args->begin;
    args->begin = 0;
}
