/* The oracle; see ref.h. */
#include "kernels/ref.h"

#include <math.h>
#include <stddef.h>

void vgg_ref_conv(const float *x, int ic, int ih, int iw, const float *weight, const float *bias,
                  int oc, int k, int pad, double *y, double *magnitude)
{
    const int oh = ih + 2 * pad - k + 1, ow = iw + 2 * pad - k + 1;
    for (int o = 0; o < oc; o++) {
        for (int r = 0; r < oh; r++) {
            for (int s = 0; s < ow; s++) {
                double sum = (double)bias[o], size = fabs((double)bias[o]);
                for (int i = 0; i < ic; i++) {
                    for (int kh = 0; kh < k; kh++) {
                        for (int kw = 0; kw < k; kw++) {
                            const int h = r + kh - pad, w = s + kw - pad;
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
