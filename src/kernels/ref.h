/* SPDX-License-Identifier: MIT */
/* The reference that kernels are tested against: plain loops in double precision. Tensors are [c][h][w]. Each result
 * comes with the sum of the absolute values of its terms (magnitude), from which follows how far float32 rounding may
 * move it. */
#ifndef VGG_KERNELS_REF_H
#define VGG_KERNELS_REF_H

/* y[oc][oh][ow] of a convolution; x [ic][ih][iw], weight [oc][ic][k][k], bias [oc].
 * oh = (ih + 2 pad - k) / stride + 1, ow likewise. magnitude has y's shape. */
void vgg_ref_conv(const float *x, int ic, int ih, int iw, const float *weight, const float *bias,
                  int oc, int k, int stride, int pad, double *y, double *magnitude);

/* y[rows] of a fully connected layer; x [k], weight [rows][k], bias [rows] or NULL. */
void vgg_ref_linear(const float *x, const float *weight, const float *bias, int rows, int k,
                    double *y, double *magnitude);

/* y[oh][ow] of one channel x [ih][iw]; the maximum of a window with a NaN is NaN. */
void vgg_ref_max_pool(const float *x, int ih, int iw, int kernel, int stride, double *y);

/* y[oh][ow] of one channel x [ih][iw], as nn.AdaptiveAvgPool2d((oh, ow)) defines it. */
void vgg_ref_avg_pool(const float *x, int ih, int iw, int oh, int ow, double *y, double *magnitude);

/* y[c][pixels] of x [c][pixels], as nn.LocalResponseNorm(size, alpha, beta, k) defines it; squares that
 * float32 cannot hold are infinite. */
void vgg_ref_lrn(const float *x, int c, int pixels, int size, double alpha, double beta, double k,
                 double *y);

/* A matrix of Winograd convolution. */
struct vgg_ref_matrix {
    int rows, columns;
    double at[8][8];
};

/* The matrices of F(m × m, 3 × 3) for m = 2, 4, 6, computed from the points of winograd.h by its definition: input is
 * Bᵀ [n][n], filter is G [n][3], output is Aᵀ [m][n], for n = m + 2. */
struct vgg_ref_winograd {
    struct vgg_ref_matrix input, filter, output;
};
void vgg_ref_winograd(int m, struct vgg_ref_winograd *out);

/* y = a x aᵀ [rows][rows] for x [columns][columns], which is each of the three transforms. A factor of 0 makes a term 0
 * even if x is not finite. x_magnitude takes the place of |x| in y's magnitude; NULL: |x| itself. */
void vgg_ref_transform(const struct vgg_ref_matrix *a, const double *x, const double *x_magnitude,
                       double *y, double *magnitude);

#endif
