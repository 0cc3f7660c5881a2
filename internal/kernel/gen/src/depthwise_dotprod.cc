// Depthwise int8 convolution for ARMv8.2 with dot products: 8 channels.
//
// The inputs of one column of taps are brought side by side once, and serve all outputs that they are
// taps of: where outputs lie next to each other, the columns stay in registers. A 3x3 output is three
// columns; a 5x5 one is the upper four rows of five columns, four taps of the bottom row, and one more.
#include "neon.h"
#include "depthwise.h"

// Weights: s8 [columns][8 channels][4 rows]; for 5x5 then [8 channels][4] of the bottom row, and [8][4]
// of which the first is the last tap.
// All of a 3x3 window's stay in registers; of a 5x5 one's there are too many.
template <int KS> struct weights {
  const int8_t *w;
  int8x16_t kept[6];
  int8x8_t last;
  INL_MEMBER weights(const int8_t *from) : w(from) {
    if (KS == 3) UNROLL for (int i = 0; i < 6; i++) kept[i] = vld1q_s8(w + 16*i);
    if (KS == 5) last = vmovn_s16(vreinterpretq_s16_s32(vmovn_high_s32(
      vmovn_s32(vld1q_s32((const int32_t *)(w + 192))), vld1q_s32((const int32_t *)(w + 208)))));
  }
  INL_MEMBER int8x16_t at(int i) const { return KS == 3 ? kept[i] : vld1q_s8(w + 16*i); }
};

template <int KS> struct window {
  int8x16_t column[KS][2];
  int8x16_t pair[KS];   // of neighbours in the bottom row
  int8x8_t bottom;      // its latest

  // The column at x comes into place c.
  INL_MEMBER void load(const int8_t *const (&row)[KS], int64_t x, int c) {
    int8x16_t r[4];
    UNROLL for (int i = 0; i < 4; i++) r[i] = i < KS ? wide(vld1_s8(row[i < KS ? i : 0] + x)) : r[2];   // whose weight is 0
    int16x8_t upper = vreinterpretq_s16_s8(vzip1q_s8(r[0], r[1])), lower = vreinterpretq_s16_s8(vzip1q_s8(r[2], r[3]));
    column[c][0] = vreinterpretq_s8_s16(vzip1q_s16(upper, lower));
    column[c][1] = vreinterpretq_s8_s16(vzip2q_s16(upper, lower));
    if (KS == 5) {
      int8x8_t next = vld1_s8(row[KS-1] + x);
      pair[(c + KS - 1) % KS] = vzip1q_s8(wide(bottom), wide(next));
      bottom = next;
    }
  }
  static INL_MEMBER int8x16_t wide(int8x8_t v) { return vcombine_s8(v, vdup_n_s8(0)); }

  // The sums of the output whose first column is in place c.
  INL_MEMBER void sums(int32x4_t (&acc)[2], const weights<KS> &w, int c) const {
    UNROLL for (int j = 0; j < KS; j++)
      UNROLL for (int h = 0; h < 2; h++) acc[h] = vdotq_s32(acc[h], column[(c + j) % KS][h], w.at(2*j + h));
    if (KS == 5) {
      int16x8_t a = vreinterpretq_s16_s8(pair[c]), b = vreinterpretq_s16_s8(pair[(c + 2) % KS]);
      acc[0] = vdotq_s32(acc[0], vreinterpretq_s8_s16(vzip1q_s16(a, b)), w.at(10));
      acc[1] = vdotq_s32(acc[1], vreinterpretq_s8_s16(vzip2q_s16(a, b)), w.at(11));
      int16x8_t d = vmull_s8(bottom, w.last);
      acc[0] = vaddw_s16(acc[0], vget_low_s16(d));
      acc[1] = vaddw_high_s16(acc[1], d);
    }
  }
};

// Outputs are STRIDE columns apart, fewer than KS.
template <int64_t MODE, int KS, int STRIDE> INL void pixels(const depthwise_args *g, const int8_t *w, const float *p, int64_t at) {
  const int8_t *row[KS];
  UNROLL for (int i = 0; i < KS; i++) row[i] = g->rows[i] + at;
  int8_t *c = g->c + at;
  const int64_t dx = g->dx, ldc = g->ldc;
  int64_t n = g->ow, x = 0;
  const weights<KS> taps(w);
  const ends<MODE> end(IN_ORDER(p, 8, 0), ZEROS(p, 8, 0));
  const int32x4_t bias[2] = {vld1q_s32((const int32_t *)p), vld1q_s32((const int32_t *)p + 4)};
  window<KS> v;
  v.bottom = vdup_n_s8(0);
  UNROLL for (int j = 0; j < KS - STRIDE; j++, x += dx) v.load(row, x, j);
  for (;;) {
    UNROLL for (int u = 0; u < KS; u++) {   // after that many the columns are in the same places again
      UNROLL for (int j = KS - STRIDE; j < KS; j++, x += dx) v.load(row, x, (u*STRIDE + j) % KS);
      int32x4_t acc[2] = {bias[0], bias[1]};
      v.sums(acc, taps, u*STRIDE % KS);
      vst1_s8(c, vqmovn_s16(end(acc[0], acc[1])));
      c += ldc;
      if (--n == 0) return;
    }
  }
}

// The same for outputs any number of columns apart.
template <int64_t MODE, int KS> INL void pixels_apart(const depthwise_args *g, const int8_t *w, const float *p, int64_t at) {
  const int8_t *row[KS];
  UNROLL for (int i = 0; i < KS; i++) row[i] = g->rows[i] + at;
  int8_t *c = g->c + at;
  int64_t n = g->ow, x = 0;
  const weights<KS> taps(w);
  const ends<MODE> end(IN_ORDER(p, 8, 0), ZEROS(p, 8, 0));
  const int32x4_t bias[2] = {vld1q_s32((const int32_t *)p), vld1q_s32((const int32_t *)p + 4)};
  do {
    window<KS> v;
    v.bottom = vdup_n_s8(0);
    UNROLL for (int j = 0; j < KS; j++) v.load(row, x + j*g->dx, j);
    int32x4_t acc[2] = {bias[0], bias[1]};
    v.sums(acc, taps, 0);
    vst1_s8(c, vqmovn_s16(end(acc[0], acc[1])));
    c += g->ldc; x += g->sx;
  } while (--n);
}

template <int KS> INL void depthwise(const depthwise_args *g) {
#define PIXELS(MODE) \
  if (g->sx == g->dx) pixels<MODE, KS, 1>(g, w, p, at); \
  else if (g->sx == 2*g->dx) pixels<MODE, KS, 2>(g, w, p, at); \
  else pixels_apart<MODE, KS>(g, w, p, at)
  BLOCKS(8, (KS == 3 ? 96 : 224), PIXELS)
}

KERNEL depthwiseDotProdk3(const depthwise_args *g) { depthwise<3>(g); }
KERNEL depthwiseDotProdk5(const depthwise_args *g) { depthwise<5>(g); }
