#pragma once
#include <arm_neon.h>
#include "kernel.h"

// Four channels from accumulator to s16, equations 3 to 5 before sat8; w is the width of the block
// p, r the residual less its zero point. The first saturation changes nothing that the second,
// to s8, would not: zero points are s8.
template <int64_t MODE> INL float32x4_t steps(int32x4_t acc, const float *p, int w, int32x4_t r) {
  float32x4_t u = vmulq_f32(vcvtq_f32_s32(acc), vld1q_f32(p + MULTIPLIER*w));
  if (MODE == RESIDUAL) {
    int32x4_t d = vsubq_s32(r, vld1q_s32((const int32_t *)(p + RESIDUAL_ZERO*w)));
    u = vaddq_f32(u, vmulq_f32(vcvtq_f32_s32(d), vld1q_f32(p + RESIDUAL_M*w)));
  }
  return u;
}
template <int64_t MODE> INL int16x4_t rounded(float32x4_t u, const float *p, int w) {
  if (MODE == RELU6) u = vminq_f32(u, vld1q_f32(p + BOUND*w));
  if (MODE == HARD_SWISH) {
    float32x4_t v = vaddq_f32(vmulq_f32(u, vld1q_f32(p + BOUND*w)), vdupq_n_f32(0.5f));
    u = vmulq_f32(u, vminq_f32(vmaxq_f32(v, vdupq_n_f32(0)), vdupq_n_f32(1)));
  }
  return vqmovn_s32(vaddq_s32(vcvtnq_s32_f32(u), vld1q_s32((const int32_t *)(p + ZERO*w))));
}

// One row of eight channels.
template <int64_t MODE> INL void finish8(int32x4_t a, int32x4_t b, const float *p, int8_t *c, const int8_t *r) {
  int32x4_t r0 = vdupq_n_s32(0), r1 = r0;
  if (MODE == RESIDUAL) {
    int16x8_t x = vmovl_s8(vld1_s8(r));
    r0 = vmovl_s16(vget_low_s16(x)); r1 = vmovl_high_s16(x);
  }
  float32x4_t u = steps<MODE>(a, p, 8, r0), v = steps<MODE>(b, p + 4, 8, r1);
  if (MODE == FLOAT) {
    vst1q_f32((float *)c, u); vst1q_f32((float *)c + 4, v);
    return;
  }
  vst1_s8(c, vqmovn_s16(vcombine_s16(rounded<MODE>(u, p, 8), rounded<MODE>(v, p + 4, 8))));
}
