// Depthwise int8 convolution for AVX2: 16 channels, two taps an instruction.
#include "avx2.h"
#include "depthwise.h"

// Weights: s16 [taps/2, up][16 channels][2].
template <int64_t MODE, int KS> INL void pixels(const depthwise_args *&g, const int8_t *&w, const float *&p, int64_t at) {
  constexpr int T = KS*KS;
  int64_t x = at;
  int8_t *c = g->c + at;
  int64_t n = g->ow;
  do {
    HIDE(g); HIDE(w); HIDE(p);
    taps<KS> tap{g, x, nullptr};
    __m256i a0 = _mm256_loadu_si256((const __m256i *)p), a1 = _mm256_loadu_si256((const __m256i *)(p + 8));
    UNROLL for (int t = 0; t < T; t += 2) {
      __m128i u = _mm_loadu_si128((const __m128i *)tap.at(t)), v = _mm_setzero_si128();
      if (t + 1 < T) v = _mm_loadu_si128((const __m128i *)tap.at(t + 1));
      __m256i lo = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(u, v)), hi = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(u, v));
      a0 = _mm256_add_epi32(a0, _mm256_madd_epi16(lo, _mm256_loadu_si256((const __m256i *)(w + 32*t))));
      a1 = _mm256_add_epi32(a1, _mm256_madd_epi16(hi, _mm256_loadu_si256((const __m256i *)(w + 32*t + 32))));
    }
    const __m256i none = _mm256_setzero_si256();
    __m256i q0 = rounded<MODE>(steps<MODE>(a0, p, 16, none), p, 16), q1 = rounded<MODE>(steps<MODE>(a1, p + 8, 16, none), p + 8, 16);
    __m256i r = _mm256_permute4x64_epi64(_mm256_packs_epi32(q0, q1), 0xd8);
    _mm_storeu_si128((__m128i *)c, _mm_packs_epi16(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1)));
    c += g->ldc; x += g->sx;
  } while (--n);
}

template <int KS> INL void depthwise(const depthwise_args *g) {
#define PIXELS(MODE) pixels<MODE, KS>(g, w, p, at)
  BLOCKS(16, ((KS*KS + 1)/2*64), PIXELS)
}

KERNEL depthwiseAVX2k3(const depthwise_args *g) { depthwise<3>(g); }
KERNEL depthwiseAVX2k5(const depthwise_args *g) { depthwise<5>(g); }
