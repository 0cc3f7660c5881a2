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
  const int64_t channels = g->channels;
  int64_t at = g->first, blocks = g->blocks;
  for (;;) {
    const int8_t *a = g->a + at;
    int8_t *c = g->c + at;
    float32x4_t m[4];
    UNROLL for (int j = 0; j < 4; j++) m[j] = vld1q_f32(g->gate + at + 4*j);
#define S16(p, j) vuzp1q_s16(vreinterpretq_s16_s32(vld1q_s32(p + at + 8*j)), vreinterpretq_s16_s32(vld1q_s32(p + at + 8*j + 4)))
    const int8x16_t z = vuzp1q_s8(vreinterpretq_s8_s16(S16(g->in_zero, 0)), vreinterpretq_s8_s16(S16(g->in_zero, 1)));
    const int16x8_t y[2] = {S16(g->out_zero, 0), S16(g->out_zero, 1)};
    int64_t n = g->pixels;
    PLAIN do {
      int8x16_t x = vld1q_s8(a);
      int16x8_t d[2] = {vsubl_s8(vget_low_s8(x), vget_low_s8(z)), vsubl_high_s8(x, z)}, q[2];
      UNROLL for (int h = 0; h < 2; h++) {
        float32x4_t low = vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(d[h]))), m[2*h]);
        float32x4_t high = vmulq_f32(vcvtq_f32_s32(vmovl_high_s16(d[h])), m[2*h+1]);
        q[h] = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high)), y[h]);
      }
      vst1q_s8(c, vqmovn_high_s16(vqmovn_s16(q[0]), q[1]));
      a += channels; c += channels;
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
