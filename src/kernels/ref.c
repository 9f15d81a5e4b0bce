/* SPDX-License-Identifier: MIT */
/* The reference that kernels are tested against, see ref.h. */
#include "kernels/ref.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernels/winograd.h"

void vgg_ref_conv(const float *x, int ic, int ih, int iw, const float *weight, const float *bias,
                  int oc, int k, int stride, int pad, double *y, double *magnitude)
{
    const int oh = (ih + 2 * pad - k) / stride + 1, ow = (iw + 2 * pad - k) / stride + 1;
    for (int o = 0; o < oc; o++) {
        for (int r = 0; r < oh; r++) {
            for (int s = 0; s < ow; s++) {
                double sum = (double)bias[o], size = fabs((double)bias[o]);
                for (int i = 0; i < ic; i++) {
                    for (int kh = 0; kh < k; kh++) {
                        for (int kw = 0; kw < k; kw++) {
                            const int h = r * stride + kh - pad, w = s * stride + kw - pad;
                            if (h >= 0 && h < ih && w >= 0 && w < iw) {
                                double term =
                                    (double)x[((size_t)i * ih + h) * iw + w] *
                                    (double)weight[(((size_t)o * ic + i) * k + kh) * k + kw];
                                sum += term;
                                size += fabs(term);
                            }
                        }
                    }
                }
                y[((size_t)o * oh + r) * ow + s] = sum;
                magnitude[((size_t)o * oh + r) * ow + s] = size;
            }
        }
    }
}

void vgg_ref_linear(const float *x, const float *weight, const float *bias, int rows, int k,
                    double *y, double *magnitude)
{
    for (int r = 0; r < rows; r++) {
        double sum = bias != NULL ? (double)bias[r] : 0, size = fabs(sum);
        for (int i = 0; i < k; i++) {
            double term = (double)x[i] * (double)weight[(size_t)r * k + i];
            sum += term;
            size += fabs(term);
        }
        y[r] = sum;
        magnitude[r] = size;
    }
}

void vgg_ref_max_pool(const float *x, int ih, int iw, int kernel, int stride, double *y)
{
    for (int r = 0; r * stride + kernel <= ih; r++) {
        for (int s = 0; s * stride + kernel <= iw; s++) {
            double best = -HUGE_VAL;
            for (int kh = 0; kh < kernel; kh++) {
                for (int kw = 0; kw < kernel; kw++) {
                    double value = (double)x[(size_t)(r * stride + kh) * iw + s * stride + kw];
                    best = isnan(value) || value > best ? value : best;
                    if (isnan(value)) {
                        kh = kw = kernel;
                    }
                }
            }
            *y++ = best;
        }
    }
}

void vgg_ref_avg_pool(const float *x, int ih, int iw, int oh, int ow, double *y, double *magnitude)
{
    for (int r = 0; r < oh; r++) {
        for (int s = 0; s < ow; s++) {
            const int h0 = r * ih / oh, h1 = ((r + 1) * ih + oh - 1) / oh;
            const int w0 = s * iw / ow, w1 = ((s + 1) * iw + ow - 1) / ow;
            double sum = 0, size = 0;
            for (int h = h0; h < h1; h++) {
                for (int w = w0; w < w1; w++) {
                    sum += (double)x[(size_t)h * iw + w];
                    size += fabs((double)x[(size_t)h * iw + w]);
                }
            }
            *y++ = sum / ((h1 - h0) * (w1 - w0));
            *magnitude++ = size / ((h1 - h0) * (w1 - w0));
        }
    }
}

void vgg_ref_lrn(const float *x, int c, int pixels, int size, double alpha, double beta, double k,
                 double *y)
{
    for (int i = 0; i < c; i++) {
        const int first = i - size / 2, end = i + (size - 1) / 2 + 1;
        for (int p = 0; p < pixels; p++) {
            double sum = 0;
            for (int j = first < 0 ? 0 : first; j < end && j < c; j++) {
                const double value = (double)x[(size_t)j * pixels + p], square = value * value;
                sum += square > (double)FLT_MAX ? HUGE_VAL : square;
            }
            y[(size_t)i * pixels + p] =
                (double)x[(size_t)i * pixels + p] / pow(k + alpha / size * sum, beta);
        }
    }
}

/* Multiplies the polynomial [degree + 1], lowest power first, by (x - root). */
static void multiply(double *polynomial, int degree, double root)
{
    polynomial[degree + 1] = 0;
    for (int i = degree + 1; i >= 0; i--) {
        polynomial[i] = (i > 0 ? polynomial[i - 1] : 0) - root * polynomial[i];
    }
}

static double power(double x, int exponent)
{
    double y = 1;
    while (exponent-- > 0) {
        y *= x;
    }
    return y;
}

void vgg_ref_winograd(int m, struct vgg_ref_winograd *out)
{
    static const double pairs[][3] = {
        {1},
        {VGG_WINOGRAD4_P, VGG_WINOGRAD4_Q},
        {VGG_WINOGRAD6_P, VGG_WINOGRAD6_Q, VGG_WINOGRAD6_R},
    };
    /* `last` is the row of infinity. */
    const int n = m + 2, last = n - 1;
    double points[7] = {0};
    for (int i = 0; i < m / 2; i++) {
        points[1 + 2 * i] = pairs[m / 2 - 1][i];
        points[2 + 2 * i] = -pairs[m / 2 - 1][i];
    }
    memset(out, 0, sizeof *out);
    out->input = (struct vgg_ref_matrix){.rows = n, .columns = n};
    out->filter = (struct vgg_ref_matrix){.rows = n, .columns = 3};
    out->output = (struct vgg_ref_matrix){.rows = m, .columns = n};
    for (int row = 0; row < n; row++) {
        /* M(x) / (x - p), or M(x) */
        double *rest = out->input.at[row];
        int degree = 0;
        rest[0] = 1;
        for (int j = 0; j < last; j++) {
            if (j != row) {
                multiply(rest, degree++, points[j]);
            }
        }
        /* M'(p) is the rest's value at p. */
        double slope = 0;
        for (int k = 0; row < last && k <= degree; k++) {
            slope += rest[k] * power(points[row], k);
        }
        for (int k = 0; k < 3; k++) {
            out->filter.at[row][k] = row < last ? power(points[row], k) / slope : k == 2;
        }
        for (int k = 0; k < m; k++) {
            out->output.at[k][row] = row < last ? power(points[row], k) : k == m - 1;
        }
    }
}

void vgg_ref_transform(const struct vgg_ref_matrix *a, const double *x, const double *x_magnitude,
                       double *y, double *magnitude)
{
    for (int r = 0; r < a->rows; r++) {
        for (int s = 0; s < a->rows; s++) {
            double sum = 0, size = 0;
            for (int i = 0; i < a->columns; i++) {
                for (int j = 0; j < a->columns; j++) {
                    const double factor = a->at[r][i] * a->at[s][j];
                    const int at = i * a->columns + j;
                    if (factor != 0) {
                        sum += factor * x[at];
                        size +=
                            fabs(factor) * (x_magnitude != NULL ? x_magnitude[at] : fabs(x[at]));
                    }
                }
            }
            y[r * a->rows + s] = sum;
            magnitude[r * a->rows + s] = size;
        }
    }
}
