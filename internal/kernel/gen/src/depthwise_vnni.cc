// Depthwise int8 convolution for AVX-512VL VNNI: 32 channels of u8 (q + 128, and so the
// zero points), four taps an instruction.
#include "avx2.h"
#include "depthwise.h"

// Weights: s8 [taps/4, up][4 quarters][8 channels][4]. Lane l, element e of quarter j is channel
// 16*l + 4*j + e.
template <int64_t MODE, int KS> INL void pixels(const depthwise_args *&g, const int8_t *&w, const float *&p, int64_t at) {
  constexpr int T = KS*KS;
  int64_t x = at;
  int8_t *c = g->c + at;
  int64_t n = g->ow;
  do {
    HIDE(g); HIDE(w); HIDE(p);
    taps<KS> tap{g, x, nullptr};
    __m256i acc[4];
    UNROLL for (int j = 0; j < 4; j++) acc[j] = _mm256_loadu_si256((const __m256i *)(p + 8*j));
    UNROLL for (int t = 0; t < T; t += 4) {
      __m256i v[4];
      UNROLL for (int i = 0; i < 4; i++)
        v[i] = t + i < T ? _mm256_loadu_si256((const __m256i *)(tap.at(t + i))) : _mm256_setzero_si256();
      __m256i l01 = _mm256_unpacklo_epi8(v[0], v[1]), h01 = _mm256_unpackhi_epi8(v[0], v[1]);
      __m256i l23 = _mm256_unpacklo_epi8(v[2], v[3]), h23 = _mm256_unpackhi_epi8(v[2], v[3]);
      const __m256i *wp = (const __m256i *)(w + 32*t);
      acc[0] = _mm256_dpbusd_epi32(acc[0], _mm256_unpacklo_epi16(l01, l23), _mm256_loadu_si256(wp));
      acc[1] = _mm256_dpbusd_epi32(acc[1], _mm256_unpackhi_epi16(l01, l23), _mm256_loadu_si256(wp + 1));
      acc[2] = _mm256_dpbusd_epi32(acc[2], _mm256_unpacklo_epi16(h01, h23), _mm256_loadu_si256(wp + 2));
      acc[3] = _mm256_dpbusd_epi32(acc[3], _mm256_unpackhi_epi16(h01, h23), _mm256_loadu_si256(wp + 3));
    }
    const __m256i none = _mm256_setzero_si256();
    __m256i q[4];
    UNROLL for (int j = 0; j < 4; j++) q[j] = rounded<MODE>(steps<MODE>(acc[j], p + 8*j, 32, none), p + 8*j, 32);
    _mm256_storeu_si256((__m256i *)c, _mm256_packus_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3])));
    c += g->ldc; x += g->sx;
  } while (--n);
}

template <int KS> INL void depthwise(const depthwise_args *g) {
#define PIXELS(MODE) pixels<MODE, KS>(g, w, p, at)
  BLOCKS(32, ((KS*KS + 3)/4*128), PIXELS)
}

KERNEL depthwiseVNNIk3(const depthwise_args *g) { depthwise<3>(g); }
KERNEL depthwiseVNNIk5(const depthwise_args *g) { depthwise<5>(g); }
