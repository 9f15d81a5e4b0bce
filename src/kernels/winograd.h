/* SPDX-License-Identifier: MIT */
/* The constants of Winograd convolution F(m × m, 3 × 3).
 *
 * A tile of m × m outputs is Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A, for a patch d of (m + 2) × (m + 2) inputs and a
 * filter g of 3 × 3. The matrices come from polynomial interpolation (Toom–Cook) at 0, ±p for each p below
 * and infinity. With M(x) = x Π (x² - p²):
 *     Bᵀ, row of point p    coefficients of M(x) / (x - p); of M(x) for infinity
 *     G, row of point p     (1, p, p²) / M'(p); (0, 0, 1) for infinity
 *     Aᵀ, column of point p (1, p, … p^(m-1)); (0, … 0, 1) for infinity
 * All entries of Bᵀ and Aᵀ are exact in float32; G is applied in double precision.
 *
 * The points decide the rounding error. Nearly all of it arises where the products are summed over the input channels.
 * Root mean square error relative to the output, with 256 channels, rectified normal inputs and Kaiming filters:
 *     F(2)   1             4.3e-7
 *     F(4)   5/8, 3/2      1.2e-6     3/4, 3/2: 1.3e-6     the usual 1, 2 and 1/2, 1: 2.5e-6
 *     F(6)   1/2, 1, 2     5.2e-6     1/2, 1, 3/2: 6.8e-6
 * tests/kernels measures it. */
#ifndef VGG_KERNELS_WINOGRAD_H
#define VGG_KERNELS_WINOGRAD_H

#define VGG_WINOGRAD4_P 0.625
#define VGG_WINOGRAD4_Q 1.5

#define VGG_WINOGRAD6_P 0.5
#define VGG_WINOGRAD6_Q 1.0
#define VGG_WINOGRAD6_R 2.0

#endif
