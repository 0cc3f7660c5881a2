// Sums over pixels, scaling by a gate and the layers between, for every ARMv8: 16 channels at a time.
#include "neon.h"
#include "gemm.h"
#include "squeeze.h"

// sum[channel] += sum over pixels of a; blocks must not overlap.
KERNEL sumsNEON(const squeeze_args *g) {
  const int8_t *block = g->a + g->first;
  int32_t *s = g->sum;
  int64_t blocks = g->blocks;
  do {
    const int8_t *a = block;
    int64_t n = g->pixels;
    do {
      int64_t run = n < 255 ? n : 255;   // sums of 255 fit s16
      n -= run;
      int16x8_t t = vdupq_n_s16(0), u = t;
      PLAIN do {
        int8x16_t x = vld1q_s8(a);
        t = vaddw_s8(t, vget_low_s8(x)); u = vaddw_high_s8(u, x);
        a += g->channels;
      } while (--run);
      vst1q_s32(s, vaddw_s16(vld1q_s32(s), vget_low_s16(t)));
      vst1q_s32(s + 4, vaddw_high_s16(vld1q_s32(s + 4), t));
      vst1q_s32(s + 8, vaddw_s16(vld1q_s32(s + 8), vget_low_s16(u)));
      vst1q_s32(s + 12, vaddw_high_s16(vld1q_s32(s + 12), u));
    } while (n);
    s += 16; block += 16;
  } while (--blocks);
}

// Equation 11. A difference of two s8 fits s16.
KERNEL rescaleNEON(const squeeze_args *g) {
  int64_t at = g->first, blocks = g->blocks;
  for (;;) {
    const int8_t *a = g->a + at;
    int8_t *c = g->c + at;
    float32x4_t m[4];
    int32x4_t y[4];
    int16x4_t z[4];
    UNROLL for (int j = 0; j < 4; j++) {
      m[j] = vld1q_f32(g->gate + at + 4*j);
      z[j] = vmovn_s32(vld1q_s32(g->in_zero + at + 4*j));
      y[j] = vld1q_s32(g->out_zero + at + 4*j);
    }
    const int16x8_t z0 = vcombine_s16(z[0], z[1]), z1 = vcombine_s16(z[2], z[3]);
    int64_t n = g->pixels;
    do {
      int8x16_t x = vld1q_s8(a);
      int16x8_t d0 = vsubq_s16(vmovl_s8(vget_low_s8(x)), z0), d1 = vsubq_s16(vmovl_high_s8(x), z1);
      int32x4_t d[4] = {vmovl_s16(vget_low_s16(d0)), vmovl_high_s16(d0), vmovl_s16(vget_low_s16(d1)), vmovl_high_s16(d1)};
      int16x4_t q[4];
      UNROLL for (int j = 0; j < 4; j++) q[j] = vqmovn_s32(vaddq_s32(vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(d[j]), m[j])), y[j]));
      vst1q_s8(c, vcombine_s8(vqmovn_s16(vcombine_s16(q[0], q[1])), vqmovn_s16(vcombine_s16(q[2], q[3]))));
      a += g->channels; c += g->channels;
    } while (--n);
    if (--blocks == 0) return;
    at += 16;
    if (at > g->last) at = g->last;
  }
}

// One row of s16 inputs by s8 weights, float32 output: f32(bias + sum) * m. Panel: [K][16 columns],
// K in steps of 4.
KERNEL wideNEON1x16(const gemm_args *g) {
  const int16_t *a = (const int16_t *)g->a;
  const int8_t *b = g->b;
  const float *p = g->p;
  int32x4_t acc[4];
  UNROLL for (int j = 0; j < 4; j++) acc[j] = vld1q_s32((const int32_t *)p + 4*j);
  int64_t k = g->k;
  do {
    int16x4_t x = vld1_s16(a);
    a += 4;
#define STEP(L) { \
    int8x16_t w = vld1q_s8(b + 16*L); \
    int16x8_t lo = vmovl_s8(vget_low_s8(w)), hi = vmovl_high_s8(w); \
    acc[0] = vmlal_lane_s16(acc[0], vget_low_s16(lo), x, L); acc[1] = vmlal_high_lane_s16(acc[1], lo, x, L); \
    acc[2] = vmlal_lane_s16(acc[2], vget_low_s16(hi), x, L); acc[3] = vmlal_high_lane_s16(acc[3], hi, x, L); }
    STEP(0) STEP(1) STEP(2) STEP(3)
    b += 64;
  } while (--k);
  float *c = (float *)g->c;
  UNROLL for (int j = 0; j < 4; j++) vst1q_f32(c + 4*j, vmulq_f32(vcvtq_f32_s32(acc[j]), vld1q_f32(p + 16*MULTIPLIER + 4*j)));
}
