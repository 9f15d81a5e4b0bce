/* SPDX-License-Identifier: MIT */
/* The oracle: what every kernel must compute, in plain loops and double precision. Used by tests only.
 * Tensors are [c][h][w]; each result comes with the sum of the absolute terms, from which the
 * rounding error allowed to a float32 kernel follows. */
#ifndef VGG_KERNELS_REF_H
#define VGG_KERNELS_REF_H

/* y[oc][oh][ow] of a convolution; x [ic][ih][iw], weight [oc][ic][k][k], bias [oc].
 * oh = (ih + 2 pad - k) / stride + 1, ow likewise. magnitude has y's shape. */
void vgg_ref_conv(const float *x, int ic, int ih, int iw, const float *weight, const float *bias,
                  int oc, int k, int stride, int pad, double *y, double *magnitude);

/* y[rows] of a fully connected layer; x [k], weight [rows][k], bias [rows] or NULL. */
void vgg_ref_linear(const float *x, const float *weight, const float *bias, int rows, int k,
                    double *y, double *magnitude);

/* y[oh][ow] of one channel x [ih][iw]; a NaN in the window makes a NaN. */
void vgg_ref_max_pool(const float *x, int ih, int iw, int kernel, int stride, double *y);

/* y[oh][ow] of one channel x [ih][iw], as nn.AdaptiveAvgPool2d((oh, ow)) defines it. */
void vgg_ref_avg_pool(const float *x, int ih, int iw, int oh, int ow, double *y, double *magnitude);

/* y[c][pixels] of x [c][pixels], as nn.LocalResponseNorm(size, alpha, beta, k) defines it; squares that
 * float32 cannot hold are infinite. */
void vgg_ref_lrn(const float *x, int c, int pixels, int size, double alpha, double beta, double k,
                 double *y);

/* A matrix of Winograd convolution, small and dense. */
struct vgg_ref_matrix {
    int rows, columns;
    double at[8][8];
};

/* The matrices of F(m × m, 3 × 3) for m = 2, 4, 6, multiplied out of the points of winograd.h by its
 * definition: input is Bᵀ [n][n], filter is G [n][3], output is Aᵀ [m][n], for n = m + 2. */
struct vgg_ref_winograd {
    struct vgg_ref_matrix input, filter, output;
};
void vgg_ref_winograd(int m, struct vgg_ref_winograd *out);

/* y = a x aᵀ [rows][rows] for x [columns][columns]: each of the three transforms. A factor 0 makes a term
 * 0 whatever x is. x_magnitude is what |x| counts for in y's magnitude; NULL: |x|. */
void vgg_ref_transform(const struct vgg_ref_matrix *a, const double *x, const double *x_magnitude,
                       double *y, double *magnitude);

#endif
