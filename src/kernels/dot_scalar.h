/* SPDX-License-Identifier: MIT */
/* dot.h for any CPU, in plain C. */
typedef struct {
    int32_t v[16];
} vi;
typedef vi vs;
typedef struct {
    float v[16];
} vf;
typedef struct {
    int32_t v[4];
} vx;
typedef const int8_t *vw;
typedef struct {
    uint8_t v[64];
} vb;
enum { VX_WORDS = 1, VW_WORDS = 1 };
enum { DOT_GROUPS = 1, DOT_PIXELS = 1 };
enum { DOT_STREAMS = 1, DOT_ROWS = 1, DOT_IMAGES = 1, DOT_SKIPS = 1 };

#define vx_hide(x) __asm__ volatile("" : "+m"(x))

VGG_INLINE vs vs_zero(void)
{
    return (vs){{0}};
}
VGG_INLINE vx vx_load(const uint8_t *p)
{
    return (vx){{p[0], p[1], p[2], p[3]}};
}
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    return vx_load(p);
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    return p;
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    return p;
}
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    (void)at;
    for (int i = 0; i < 16; i++) {
        sum.v[i] += w[4 * i] * x.v[0] + w[4 * i + 1] * x.v[1] + w[4 * i + 2] * x.v[2] +
                    w[4 * i + 3] * x.v[3];
    }
    return sum;
}
VGG_INLINE vi vs_total(vs sum, const int32_t *bias, const int32_t *weight_sum)
{
    (void)weight_sum;
    for (int i = 0; i < 16; i++) {
        sum.v[i] += bias[i];
    }
    return sum;
}
VGG_INLINE vf vf_from(vi a)
{
    vf f;
    for (int i = 0; i < 16; i++) {
        f.v[i] = (float)a.v[i];
    }
    return f;
}
VGG_INLINE vf vf_load(const float *p)
{
    vf f;
    __builtin_memcpy(&f, p, sizeof f);
    return f;
}
VGG_INLINE vf vf_set1(float s)
{
    vf f;
    for (int i = 0; i < 16; i++) {
        f.v[i] = s;
    }
    return f;
}
VGG_INLINE void vf_store(float *p, vf a)
{
    __builtin_memcpy(p, &a, sizeof a);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    for (int i = 0; i < 16; i++) {
        a.v[i] -= b.v[i];
    }
    return a;
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    for (int i = 0; i < 16; i++) {
        a.v[i] *= b.v[i];
    }
    return a;
}
/* Between 2^23 and 2^24 float32 has no fraction, so adding 2^23 rounds to an integer. */
VGG_INLINE int32_t byte_of(float f)
{
    /* NaN becomes 0, because it is not greater than 0. */
    const float clamped = f > 0 ? f < 255 ? f : 255 : 0;
    return (int32_t)((clamped + 0x1p23f) - 0x1p23f);
}
VGG_INLINE vi vi_byte(vf f)
{
    vi q;
    for (int i = 0; i < 16; i++) {
        q.v[i] = byte_of(f.v[i]);
    }
    return q;
}
VGG_INLINE vi vi_put(vi a, vi b, int n)
{
    for (int i = 0; i < 16; i++) {
        a.v[i] = (int32_t)((uint32_t)a.v[i] | (uint32_t)b.v[i] << 8 * n);
    }
    return a;
}
VGG_INLINE void vi_store(void *p, vi a)
{
    for (int i = 0; i < 16 && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__; i++) {
        a.v[i] = (int32_t)__builtin_bswap32((uint32_t)a.v[i]);
    }
    __builtin_memcpy(p, &a, sizeof a);
}
VGG_INLINE void vf_store_bytes(uint8_t *p, vf f)
{
    const vi q = vi_byte(f);
    for (int i = 0; i < 16; i++) {
        p[i] = (uint8_t)q.v[i];
    }
}
VGG_INLINE void vf_store_block(uint8_t *p, const vf f[4])
{
    for (int g = 0; g < 4; g++) {
        vf_store_bytes(p + 16 * g, f[g]);
    }
}
VGG_INLINE vb vb_load(const uint8_t *p)
{
    vb a;
    __builtin_memcpy(&a, p, sizeof a);
    return a;
}
VGG_INLINE void vb_store(uint8_t *p, vb a)
{
    __builtin_memcpy(p, &a, sizeof a);
}
VGG_INLINE vb vb_max(vb a, vb b)
{
    for (int i = 0; i < 64; i++) {
        a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    }
    return a;
}
