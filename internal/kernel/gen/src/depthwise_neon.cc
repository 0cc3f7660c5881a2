// Depthwise int8 convolution for every ARMv8: 16 channels of two outputs. Two taps, one below the other
// or neighbours in the bottom row, are added as s16 (at most 2*128*127), then widened.
#include "neon.h"
#include "depthwise.h"

// A sum of taps times weights, as s16.
struct products {
  int16x8_t low, high;
  INL_MEMBER void first(int8x16_t x, int8x16_t w) {
    low = vmull_s8(vget_low_s8(x), vget_low_s8(w)); high = vmull_high_s8(x, w);
  }
  INL_MEMBER void second(int8x16_t x, int8x16_t w) {
    low = vmlal_s8(low, vget_low_s8(x), vget_low_s8(w)); high = vmlal_high_s8(high, x, w);
  }
  INL_MEMBER void add_to(int32x4_t (&acc)[4]) const {
    acc[0] = vaddw_s16(acc[0], vget_low_s16(low)); acc[1] = vaddw_high_s16(acc[1], low);
    acc[2] = vaddw_s16(acc[2], vget_low_s16(high)); acc[3] = vaddw_high_s16(acc[3], high);
  }
};

// Weights: s8 [taps][16], pairs of rows column by column, then the bottom row. Computes N outputs that are
// APART columns from each other: a column that both need is loaded once.
template <int64_t MODE, int KS, int N, int APART>
INL void outputs(const int8_t *const (&row)[KS], const int64_t *column, const int8_t *w, const float *p, int8_t *c, int64_t ldc) {
  constexpr int COLUMNS = KS + (N - 1)*APART;
  int32x4_t acc[N][4];
  UNROLL for (int j = 0; j < 4; j++)
    UNROLL for (int n = 0; n < N; n++) acc[n][j] = vld1q_s32((const int32_t *)p + 4*j);
  int8x16_t wv[KS][2];
  UNROLL for (int y = 0; y + 1 < KS; y += 2) {
    UNROLL for (int x = 0; x < COLUMNS; x++) {
      int8x16_t upper = vld1q_s8(row[y] + column[x]), lower = vld1q_s8(row[y+1] + column[x]);
      if (x < KS)
        UNROLL for (int i = 0; i < 2; i++) wv[x][i] = vld1q_s8(w + 16*(y*KS + 2*x + i));
      UNROLL for (int n = 0; n < N; n++) {
        int j = x - n*APART;
        if (j < 0 || j >= KS) continue;
        products s;
        s.first(upper, wv[j][0]); s.second(lower, wv[j][1]);
        s.add_to(acc[n]);
      }
    }
  }
  products s[N];
  UNROLL for (int x = 0; x < COLUMNS; x++) {
    int8x16_t bottom = vld1q_s8(row[KS-1] + column[x]);
    if (x < KS) wv[x][0] = vld1q_s8(w + 16*((KS - 1)*KS + x));
    UNROLL for (int n = 0; n < N; n++) {
      int j = x - n*APART;
      if (j < 0 || j >= KS) continue;
      if (j % 2 == 0) s[n].first(bottom, wv[j][0]);
      else s[n].second(bottom, wv[j][0]);
      if (j % 2 == 1 || j == KS - 1) s[n].add_to(acc[n]);
    }
  }
  const ends<MODE> low(IN_ORDER(p, 16, 0), ZEROS(p, 16, 0)), high(IN_ORDER(p, 16, 8), ZEROS(p, 16, 8));
  UNROLL for (int n = 0; n < N; n++)
    vst1q_s8(c + n*ldc, vqmovn_high_s16(vqmovn_s16(low(acc[n][0], acc[n][1])), high(acc[n][2], acc[n][3])));
}

template <int64_t MODE, int KS, int APART> INL void pixels(const depthwise_args *g, const int8_t *w, const float *p, int64_t at) {
  const int8_t *row[KS];
  UNROLL for (int i = 0; i < KS; i++) row[i] = g->rows[i] + at;
  int64_t column[KS + APART];
  UNROLL for (int i = 0; i < KS + APART; i++) { column[i] = i*g->dx; HIDE(column[i]); }
  int8_t *c = g->c + at;
  int64_t n = g->ow;
  const int64_t sx = g->sx, ldc = g->ldc;
  if (APART)
    for (; n > 1; n -= 2) {
      outputs<MODE, KS, 2, APART>(row, column, w, p, c, ldc);
      c += 2*ldc;
      UNROLL for (int i = 0; i < KS; i++) { row[i] += 2*sx; HIDE(row[i]); }
    }
  for (; n; n--) {
    outputs<MODE, KS, 1, 0>(row, column, w, p, c, ldc);
    c += ldc;
    UNROLL for (int i = 0; i < KS; i++) { row[i] += sx; HIDE(row[i]); }
  }
}

template <int KS> INL void depthwise(const depthwise_args *g) {
#define PIXELS(MODE) \
  if (g->sx == g->dx) pixels<MODE, KS, 1>(g, w, p, at); \
  else if (g->sx == 2*g->dx) pixels<MODE, KS, 2>(g, w, p, at); \
  else pixels<MODE, KS, 0>(g, w, p, at)
  BLOCKS(16, (KS*KS*16), PIXELS)
}

KERNEL depthwiseNEONk3(const depthwise_args *g) { depthwise<3>(g); }
KERNEL depthwiseNEONk5(const depthwise_args *g) { depthwise<5>(g); }
