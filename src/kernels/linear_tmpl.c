/* Fully connected layer. Each sum runs in one vector of partial sums over k, whatever the tile, so that the
 * bits do not depend on the batch.
 *
 * One picture: LINEAR_STREAMS rows at once, as many independent streams from memory.
 *
 * A batch: every weight comes from memory once for LINEAR_BATCH pictures. LINEAR_SLICE rows advance together
 * along k, a block of LINEAR_K at a time: its weights stay in the second-level cache for all of the pictures,
 * and the inputs of LINEAR_PICTURES of these in the first. Within the block LINEAR_ROWS rows × LINEAR_PICTURES
 * are summed in registers, while the same rows' next block is fetched.
 *
 *   r   row of the tile     p   picture of the tile     k   input feature */
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum { LINEAR_K = 512, LINEAR_BATCH = 64, LINEAR_GROUPS = LINEAR_BATCH / LINEAR_PICTURES };

/* How far a stream fetches ahead: across the end of a page, where the hardware stops. Measured from 256
 * bytes to 8 KiB, 512 gains 2 %, 2 KiB and more lose. */
enum { AHEAD_BYTES = 512 };

VGG_INLINE const char *weight_at(const struct vgg_linear_args *a, int row, size_t k)
{
    return (const char *)a->weight + ((size_t)row * (size_t)a->k + k) * sizeof(float);
}

/* The sum's end: the features past the last whole vector, the lanes, bias and ReLU. */
VGG_INLINE void finish(const struct vgg_linear_args *a, int row, int picture, vf sum)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES, rest = (size_t)a->k - whole;
    if (rest > 0) {
        sum = vf_fma(vf_load_partial(weight_at(a, row, whole), rest),
                     vf_load_partial(a->x + picture * a->x_stride + whole, rest), sum);
    }
    float total = vf_sum(sum);
    if (a->bias != NULL) {
        total += a->bias[row];
    }
    if (a->relu && total <= 0) { /* false for NaN, which stays */
        total = 0;
    }
    a->y[picture * a->y_stride + row] = total;
}

/* --- one picture ------------------------------------------------------------------------------ */

/* rows is a constant where it is inlined. */
VGG_INLINE void stream(const struct vgg_linear_args *a, int row, int rows)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES;
    const size_t row_bytes = (size_t)a->k * sizeof(float);
    const char *weight = weight_at(a, row, 0);
    vf sum[LINEAR_STREAMS];
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r] = vf_zero();
    }
    for (size_t k = 0; k < whole; k += VF_LANES) {
        const vf x = vf_load(a->x + k);
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            const char *at = weight + (size_t)r * row_bytes + k * sizeof(float);
            vf_prefetch(at + AHEAD_BYTES);
            sum[r] = vf_fma(vf_load(at), x, sum[r]);
        }
    }
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        finish(a, row + r, 0, sum[r]);
    }
}

/* --- a batch ---------------------------------------------------------------------------------- */

/* Features k_begin … k_end-1 of rows × pictures sums, which are constants where it is inlined. */
VGG_INLINE void tile(const struct vgg_linear_args *a, int row, int picture, size_t k_begin,
                     size_t k_end, vf (*partial)[LINEAR_PICTURES], int rows, int pictures)
{
    const size_t row_bytes = (size_t)a->k * sizeof(float);
    const char *weight = weight_at(a, row, 0);
    const float *x = a->x + picture * a->x_stride;
    vf sum[LINEAR_ROWS][LINEAR_PICTURES];
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            sum[r][p] = partial[r][p];
        }
    }
    for (size_t k = k_begin; k < k_end; k += VF_LANES) {
        vf w[LINEAR_ROWS];
        VGG_UNROLL
        for (int r = 0; r < rows; r++) {
            const char *at = weight + (size_t)r * row_bytes + k * sizeof(float);
            w[r] = vf_load(at);
            vf_prefetch(at + LINEAR_K * sizeof(float));
        }
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            const vf v = vf_load(x + p * a->x_stride + k);
            VGG_UNROLL
            for (int r = 0; r < rows; r++) {
                sum[r][p] = vf_fma(w[r], v, sum[r][p]);
            }
        }
    }
    VGG_UNROLL
    for (int r = 0; r < rows; r++) {
        VGG_UNROLL
        for (int p = 0; p < pictures; p++) {
            partial[r][p] = sum[r][p];
        }
    }
}

/* Features k_begin … k_end-1 of a slice for one group of pictures, whose number is a constant where it is
 * inlined. */
VGG_INLINE void block(const struct vgg_linear_args *a, int row, int rows, int picture,
                      size_t k_begin, size_t k_end, vf (*partial)[LINEAR_PICTURES], int pictures)
{
    int r = 0;
    for (; r + LINEAR_ROWS <= rows; r += LINEAR_ROWS) {
        tile(a, row + r, picture, k_begin, k_end, partial + r, LINEAR_ROWS, pictures);
    }
    for (; r < rows; r++) {
        tile(a, row + r, picture, k_begin, k_end, partial + r, 1, pictures);
    }
}

#define BLOCK_CASE(n)                                                                              \
    case n:                                                                                        \
        block(a, row, rows, picture, k, end, partial[g],                                           \
              n < LINEAR_PICTURES ? n : LINEAR_PICTURES);                                          \
        break;

/* `pictures` of at most LINEAR_BATCH from `first` on. */
static void slice(const struct vgg_linear_args *a, int row, int rows, int first, int pictures)
{
    const size_t whole = (size_t)a->k / VF_LANES * VF_LANES;
    vf partial[LINEAR_GROUPS][LINEAR_SLICE][LINEAR_PICTURES];
    for (int p = 0; p < pictures; p++) {
        for (int r = 0; r < rows; r++) {
            partial[p / LINEAR_PICTURES][r][p % LINEAR_PICTURES] = vf_zero();
        }
    }
    for (size_t k = 0; k < whole; k += LINEAR_K) {
        const size_t end = whole - k < LINEAR_K ? whole : k + LINEAR_K;
        for (int g = 0; g * LINEAR_PICTURES < pictures; g++) {
            const int picture = first + g * LINEAR_PICTURES;
            const int left = pictures - g * LINEAR_PICTURES;
            switch (left < LINEAR_PICTURES ? left : LINEAR_PICTURES) {
                BLOCK_CASE(1)
                BLOCK_CASE(2)
                BLOCK_CASE(3)
                BLOCK_CASE(4)
                BLOCK_CASE(5)
                BLOCK_CASE(6)
                BLOCK_CASE(7)
                BLOCK_CASE(8)
            }
        }
    }
    for (int p = 0; p < pictures; p++) {
        for (int r = 0; r < rows; r++) {
            finish(a, row + r, first + p, partial[p / LINEAR_PICTURES][r][p % LINEAR_PICTURES]);
        }
    }
}

void VGG_KERNEL(linear)(const struct vgg_linear_args *args)
{
    int row = args->begin;
    if (args->n == 1) {
        for (; row + LINEAR_STREAMS <= args->end; row += LINEAR_STREAMS) {
            stream(args, row, LINEAR_STREAMS);
        }
        for (; row < args->end; row++) {
            stream(args, row, 1);
        }
        return;
    }
    for (; row < args->end; row += LINEAR_SLICE) {
        const int rows = args->end - row < LINEAR_SLICE ? args->end - row : LINEAR_SLICE;
        for (int first = 0; first < args->n; first += LINEAR_BATCH) {
            const int left = args->n - first;
            slice(args, row, rows, first, left < LINEAR_BATCH ? left : LINEAR_BATCH);
        }
    }
}
