// Depthwise int8 convolution for every ARMv8: 16 channels; two taps are added as s16 (at most
// 2*128*127), then widened.
#include "neon.h"
#include "depthwise.h"

// Weights: s8 [taps][16].
template <int64_t MODE, int KS> INL void pixels(const depthwise_args *&g, const int8_t *&w, const float *&p, int64_t at) {
  constexpr int T = KS*KS;
  int64_t x = at;
  int8_t *c = g->c + at;
  int64_t n = g->ow;
  do {
    HIDE(g); HIDE(w); HIDE(p);
    taps<KS> tap{g, x, nullptr};
    int32x4_t acc[4];
    UNROLL for (int j = 0; j < 4; j++) acc[j] = vld1q_s32((const int32_t *)p + 4*j);
    UNROLL for (int t = 0; t < T; t += 2) {
      int8x16_t u = vld1q_s8(tap.at(t)), wu = vld1q_s8(w + 16*t);
      int16x8_t s0 = vmull_s8(vget_low_s8(u), vget_low_s8(wu)), s1 = vmull_high_s8(u, wu);
      if (t + 1 < T) {
        int8x16_t v = vld1q_s8(tap.at(t + 1)), wv = vld1q_s8(w + 16*t + 16);
        s0 = vmlal_s8(s0, vget_low_s8(v), vget_low_s8(wv)); s1 = vmlal_high_s8(s1, v, wv);
      }
      acc[0] = vaddw_s16(acc[0], vget_low_s16(s0)); acc[1] = vaddw_high_s16(acc[1], s0);
      acc[2] = vaddw_s16(acc[2], vget_low_s16(s1)); acc[3] = vaddw_high_s16(acc[3], s1);
    }
    const ends<MODE> low(IN_ORDER(p, 16, 0)), high(IN_ORDER(p, 16, 8));
    vst1q_s8(c, vqmovn_high_s16(vqmovn_s16(low(acc[0], acc[1])), high(acc[2], acc[3])));
    c += g->ldc; x += g->sx;
  } while (--n);
}

template <int KS> INL void depthwise(const depthwise_args *g) {
#define PIXELS(MODE) pixels<MODE, KS>(g, w, p, at)
  BLOCKS(16, (KS*KS*16), PIXELS)
}

KERNEL depthwiseNEONk3(const depthwise_args *g) { depthwise<3>(g); }
KERNEL depthwiseNEONk5(const depthwise_args *g) { depthwise<5>(g); }
