#pragma once
#include <arm_neon.h>
#include "kernel.h"

// Keeps the compiler from computing with vector y before x is known: from more intermediate values than
// there are registers for.
#define AFTER(x, y) asm volatile("" : "+w"(x), "+w"(y))

INL float32x4_t activated(int64_t mode, float32x4_t u, float32x4_t bound) {
  if (mode == RELU6) return vminq_f32(u, bound);
  if (mode == HARD_SWISH) {
    float32x4_t v = vaddq_f32(vmulq_f32(u, bound), vdupq_n_f32(0.5f));
    return vmulq_f32(u, vminq_f32(vmaxq_f32(v, vdupq_n_f32(0)), vdupq_n_f32(1)));
  }
  return u;
}

// Eight accumulators to s16 before sat8, equations 3 to 5. Which channels they belong to is the kernel's
// choice: at(h, PARAM) gives the parameters of half h, zeros(PARAM) zero points as s16.
template <int64_t MODE> struct ends {
  float32x4_t m[2], bound[2], k[2];
  int16x8_t z, zr;

  template <class AT, class ZEROS> INL_MEMBER ends(AT at, ZEROS zeros) {
    UNROLL for (int h = 0; h < 2; h++) {
      m[h] = at(h, MULTIPLIER);
      if (MODE == RELU6 || MODE == HARD_SWISH) bound[h] = at(h, BOUND);
      if (MODE == RESIDUAL) k[h] = at(h, RESIDUAL_M);
    }
    z = zeros(ZERO);
    if (MODE == RESIDUAL) zr = zeros(RESIDUAL_ZERO);
  }

  // r is the residual. Saturating to s16 before the zero point is added changes nothing that sat8 would not.
  INL_MEMBER int16x8_t operator()(int32x4_t a, int32x4_t b, int8x8_t r = {}) const {
    float32x4_t u[2] = {vmulq_f32(vcvtq_f32_s32(a), m[0]), vmulq_f32(vcvtq_f32_s32(b), m[1])};
    if (MODE == RESIDUAL) {
      int16x8_t d = vsubq_s16(vmovl_s8(r), zr);
      u[0] = vaddq_f32(u[0], vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(d))), k[0]));
      u[1] = vaddq_f32(u[1], vmulq_f32(vcvtq_f32_s32(vmovl_high_s16(d)), k[1]));
    }
    int16x4_t low = vqmovn_s32(vcvtnq_s32_f32(activated(MODE, u[0], bound[0])));
    return vqaddq_s16(vqmovn_high_s32(low, vcvtnq_s32_f32(activated(MODE, u[1], bound[1]))), z);
  }
};

// Eight channels in order, from place i of a block of width w. Zero points are s32 or, as a function of
// gemm_arm64.go leaves them, s16.
#define IN_ORDER(p, w, i) [&](int h, int param) INL_MEMBER { return vld1q_f32((p) + (w)*param + (i) + 4*h); }
#define ZEROS(p, w, i) [&](int param) INL_MEMBER { \
  const int16_t *z = (const int16_t *)((p) + (w)*param + (i)); \
  return vuzp1q_s16(vld1q_s16(z), vld1q_s16(z + 8)); }
#define SHORT_ZEROS(p, w, i) [&](int param) INL_MEMBER { return vld1q_s16((const int16_t *)((p) + (w)*param) + (i)); }
