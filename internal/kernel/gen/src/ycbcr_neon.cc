// Y'CbCr to packed RGB, for every ARMv8: 16 pixels at a time, in products of 32 bits.
#include "neon.h"
#include "ycbcr.h"

struct colours { int32x4_t k[8]; };

INL int32x4_t wide(uint16x4_t x) { return vreinterpretq_s32_u32(vmovl_u16(x)); }

// What four samples of chroma add to the colours.
INL void tints(const colours &k, int32x4_t u, int32x4_t v, int32x4_t *t) {
  t[0] = vmlaq_s32(k.k[R/8], v, k.k[RV/8]);
  t[1] = vmlaq_s32(vmlaq_s32(k.k[G/8], u, k.k[GU/8]), v, k.k[GV/8]);
  t[2] = vmlaq_s32(k.k[B/8], u, k.k[BU/8]);
}

// The colours of eight pixels: t0 for the first four, t1 for the others.
INL void eight(const colours &k, uint8x8_t y, const int32x4_t *t0, const int32x4_t *t1, uint8x8_t *c) {
  uint16x8_t w = vmovl_u8(y);
  int32x4_t y0 = vmulq_s32(wide(vget_low_u16(w)), k.k[KY/8]), y1 = vmulq_s32(wide(vget_high_u16(w)), k.k[KY/8]);
  UNROLL for (int i = 0; i < 3; i++) c[i] = vqmovun_s16(vcombine_s16(vaddhn_s32(y0, t0[i]), vaddhn_s32(y1, t1[i])));
}

// Eight pixels that share four samples of chroma.
INL void pairs(const colours &k, uint8x8_t y, uint16x4_t u, uint16x4_t v, uint8x8_t *c) {
  int32x4_t t[3], t0[3], t1[3];
  tints(k, wide(u), wide(v), t);
  UNROLL for (int i = 0; i < 3; i++) t0[i] = vzip1q_s32(t[i], t[i]), t1[i] = vzip2q_s32(t[i], t[i]);
  eight(k, y, t0, t1, c);
}

// Eight pixels with chroma of their own.
INL void whole(const colours &k, uint8x8_t y, uint8x8_t cb, uint8x8_t cr, uint8x8_t *c) {
  uint16x8_t u = vmovl_u8(cb), v = vmovl_u8(cr);
  int32x4_t t0[3], t1[3];
  tints(k, wide(vget_low_u16(u)), wide(vget_low_u16(v)), t0);
  tints(k, wide(vget_high_u16(u)), wide(vget_high_u16(v)), t1);
  eight(k, y, t0, t1, c);
}

template <layout L> INL void convert(const ycbcr_args *g) {
  colours k;
  UNROLL for (int i = 0; i < 8; i++) k.k[i] = vld1q_s32(g->k + 8*i);
  int64_t at = 0, last = g->n - 16;
  for (;;) {
    uint8x8_t y0, y1, c0[3], c1[3];
    if (L == FULL) {
      uint8x16_t y = vld1q_u8(g->y + at), u = vld1q_u8(g->cb + at), v = vld1q_u8(g->cr + at);
      whole(k, vget_low_u8(y), vget_low_u8(u), vget_low_u8(v), c0);
      whole(k, vget_high_u8(y), vget_high_u8(u), vget_high_u8(v), c1);
    } else {
      uint8x8_t u, v;
      if (L == YUYV) {
        uint8x8x4_t x = vld4_u8(g->y + 2*at);
        y0 = vzip1_u8(x.val[0], x.val[2]); y1 = vzip2_u8(x.val[0], x.val[2]);
        u = x.val[1]; v = x.val[3];
      } else {
        uint8x16_t y = vld1q_u8(g->y + at);
        y0 = vget_low_u8(y); y1 = vget_high_u8(y);
        if (L == NV12) {
          uint8x8x2_t x = vld2_u8(g->cb + at);
          u = x.val[0]; v = x.val[1];
        } else {
          u = vld1_u8(g->cb + at/2); v = vld1_u8(g->cr + at/2);
        }
      }
      uint16x8_t cb = vmovl_u8(u), cr = vmovl_u8(v);
      pairs(k, y0, vget_low_u16(cb), vget_low_u16(cr), c0);
      pairs(k, y1, vget_high_u16(cb), vget_high_u16(cr), c1);
    }
    uint8x16x3_t out;
    UNROLL for (int i = 0; i < 3; i++) out.val[i] = vcombine_u8(c0[i], c1[i]);
    vst3q_u8(g->c + 3*at, out);
    if (at == last) return;
    at += 16;
    if (at > last) at = last;
  }
}

KERNEL ycbcrFullNEON(const ycbcr_args *g) { convert<FULL>(g); }
KERNEL ycbcrHalfNEON(const ycbcr_args *g) { convert<HALF>(g); }
KERNEL ycbcrNV12NEON(const ycbcr_args *g) { convert<NV12>(g); }
KERNEL ycbcrYUYVNEON(const ycbcr_args *g) { convert<YUYV>(g); }
