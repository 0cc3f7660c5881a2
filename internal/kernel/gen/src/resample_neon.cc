// The passes of resizing, for every ARMv8: products of 32 bits.
#include "neon.h"
#include "resample.h"

// One output of one row: R, G, B, 0 in 32 bits each.
INL int32x4_t products(int32x4_t acc, const uint8_t *a, const uint8x16_t *shuffle, int32x4_t p) {
  uint8x16_t x = vld1q_u8(a);
  acc = vmlaq_laneq_s32(acc, vreinterpretq_s32_u8(vqtbl1q_u8(x, shuffle[0])), p, 0);
  acc = vmlaq_laneq_s32(acc, vreinterpretq_s32_u8(vqtbl1q_u8(x, shuffle[1])), p, 1);
  acc = vmlaq_laneq_s32(acc, vreinterpretq_s32_u8(vqtbl1q_u8(x, shuffle[2])), p, 2);
  return vmlaq_laneq_s32(acc, vreinterpretq_s32_u8(vqtbl1q_u8(x, shuffle[3])), p, 3);
}

KERNEL acrossNEON(const across_args *g) {
  const int32_t *offset = g->offset, *p = g->coef;
  uint8_t *c = g->c, *d = g->d;
  int64_t groups = g->groups;
  const int32x4_t half = vdupq_n_s32(1 << (PRECISION - 1));
  uint8x16_t shuffle[4];
  UNROLL for (int j = 0; j < 4; j++) shuffle[j] = vld1q_u8(g->shuffle + 16*j);
  const uint8x16_t pack = vld1q_u8(g->shuffle + 64);
  do {
    int16x4_t s[4], t[4];
    UNROLL for (int j = 0; j < 4; j++) {
      const uint8_t *a = g->a + offset[j], *b = g->b + offset[j];
      int32x4_t u = half, v = half;
      int64_t n = g->chunks;
      PLAIN do {
        int32x4_t q = vld1q_s32(p);
        u = products(u, a, shuffle, q);
        v = products(v, b, shuffle, q);
        p += 4; a += g->step; b += g->step;
      } while (--n);
      s[j] = vmovn_s32(vshrq_n_s32(u, PRECISION));
      t[j] = vmovn_s32(vshrq_n_s32(v, PRECISION));
    }
    vst1q_u8(c, vqtbl1q_u8(vcombine_u8(vqmovun_s16(vcombine_s16(s[0], s[1])), vqmovun_s16(vcombine_s16(s[2], s[3]))), pack));
    vst1q_u8(d, vqtbl1q_u8(vcombine_u8(vqmovun_s16(vcombine_s16(t[0], t[1])), vqmovun_s16(vcombine_s16(t[2], t[3]))), pack));
    offset += 4; c += 12; d += 12;
  } while (--groups);
}

// c = sum over rows of coefficient * row, 16 bytes at a time.
KERNEL mixNEON(const mix_args *g) {
  const int32x4_t half = vdupq_n_s32(1 << (PRECISION - 1));
  uint8_t *c = g->c;
  int64_t at = 0, last = g->bytes - 16;
  for (;;) {
    int32x4_t acc[4] = {half, half, half, half};
    const uint8_t *const *rows = g->rows;
    const int32_t *p = g->coef;
    int64_t n = g->pairs;
    PLAIN do {
      int32x2_t k = vld1_s32(p);
#define ROW(R) { \
      uint8x16_t x = vld1q_u8(rows[R] + at); \
      uint16x8_t l = vmovl_u8(vget_low_u8(x)), h = vmovl_high_u8(x); \
      acc[0] = vmlaq_lane_s32(acc[0], vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(l))), k, R); \
      acc[1] = vmlaq_lane_s32(acc[1], vreinterpretq_s32_u32(vmovl_high_u16(l)), k, R); \
      acc[2] = vmlaq_lane_s32(acc[2], vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(h))), k, R); \
      acc[3] = vmlaq_lane_s32(acc[3], vreinterpretq_s32_u32(vmovl_high_u16(h)), k, R); }
      ROW(0) ROW(1)
      rows += 2; p += 2;
    } while (--n);
    int16x4_t s[4];
    UNROLL for (int j = 0; j < 4; j++) s[j] = vmovn_s32(vshrq_n_s32(acc[j], PRECISION));
    vst1q_u8(c + at, vcombine_u8(vqmovun_s16(vcombine_s16(s[0], s[1])), vqmovun_s16(vcombine_s16(s[2], s[3]))));
    if (at == last) return;
    at += 16;
    if (at > last) at = last;
  }
}
