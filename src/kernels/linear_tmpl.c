/* Fully connected layer. LINEAR_ROWS rows × up to LINEAR_PICTURES pictures are summed at once, each in
 * one vector of partial sums: at batch 1 the rows are as many independent streams from memory, at
 * larger batches a weight is loaded once for all pictures of a tile.
 *
 *   r   row of the tile     p   picture of the tile     k   input feature */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* rows and pictures are constants where it is inlined. */
VGG_INLINE void tile(const struct vgg_linear_args *a, int row, int picture, int rows, int pictures)
{
    const char *weight = (const char *)a->weight + (size_t)row * (size_t)a->k * sizeof(float);
    size_t weight_stride_bytes = (size_t)a->k * sizeof(float);
    const float *x = a->x + picture * a->x_stride;
    vf sum[LINEAR_ROWS][LINEAR_PICTURES];
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            sum[r][p] = vf_zero();
        }
    }
    size_t k = 0, whole = (size_t)a->k / VF_LANES * VF_LANES, rest = (size_t)a->k - whole;
    for (; k < whole; k += VF_LANES) {
        vf v[LINEAR_PICTURES];
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            v[p] = vf_load(x + p * a->x_stride + k);
        }
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            vf w = vf_load(weight + (size_t)r * weight_stride_bytes + k * sizeof(float));
            VGG_UNROLL
            for (int p = 0; p < pictures; p++) {
                sum[r][p] = vf_fma(w, v[p], sum[r][p]);
            }
        }
    }
    if (rest > 0) {
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            vf w =
                vf_load_partial(weight + (size_t)r * weight_stride_bytes + k * sizeof(float), rest);
            VGG_UNROLL
            for (int p = 0; p < pictures; p++) {
                vf v = vf_load_partial(x + p * a->x_stride + k, rest);
                sum[r][p] = vf_fma(w, v, sum[r][p]);
            }
        }
    }
    VGG_UNROLL
    for (int p = 0; p < pictures; p++) {
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            float total = vf_sum(sum[r][p]);
            if (a->bias != NULL) {
                total += a->bias[row + r];
            }
            if (a->relu && total <= 0) { /* false for NaN, which stays */
                total = 0;
            }
            a->y[(picture + p) * a->y_stride + row + r] = total;
        }
    }
}

VGG_INLINE void pictures(const struct vgg_linear_args *a, int row, int rows)
{
    int p = 0;
    for (; p + LINEAR_PICTURES <= a->n; p += LINEAR_PICTURES) {
        tile(a, row, p, rows, LINEAR_PICTURES);
    }
    for (; p < a->n; p++) {
        tile(a, row, p, rows, 1);
    }
}

void VGG_KERNEL(linear)(const struct vgg_linear_args *args)
{
    int row = args->begin;
    for (; row + LINEAR_ROWS <= args->end; row += LINEAR_ROWS) {
        pictures(args, row, LINEAR_ROWS);
    }
    for (; row < args->end; row++) {
        pictures(args, row, 1);
    }
}
