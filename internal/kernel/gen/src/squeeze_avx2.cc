// Sums over pixels and scaling by a gate, for AVX2: 16 channels at a time.
#include "avx2.h"
#include "squeeze.h"

// sum[channel] += sum over pixels of a; blocks must not overlap.
KERNEL sumsAVX2(const squeeze_args *g) {
  const int8_t *block = g->a + g->first;
  __m256i *s = (__m256i *)g->sum;
  int64_t blocks = g->blocks;
  do {
    const int8_t *a = block;
    int64_t n = g->pixels;
    do {
      int64_t run = n < 255 ? n : 255;   // sums of 255 fit s16
      n -= run;
      __m256i t = _mm256_setzero_si256(), u = t;
      PLAIN for (; run >= 2; run -= 2, a += 2*g->channels) {
        t = _mm256_add_epi16(t, _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)a)));
        u = _mm256_add_epi16(u, _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + g->channels))));
      }
      if (run) {
        t = _mm256_add_epi16(t, _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)a)));
        a += g->channels;
      }
      t = _mm256_add_epi16(t, u);
      __m256i lo = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(t)), hi = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(t, 1));
      _mm256_storeu_si256(s, _mm256_add_epi32(_mm256_loadu_si256(s), lo));
      _mm256_storeu_si256(s + 1, _mm256_add_epi32(_mm256_loadu_si256(s + 1), hi));
    } while (n);
    s += 2; block += 16;
  } while (--blocks);
}

// Equation 11.
KERNEL rescaleAVX2(const squeeze_args *g) {
  int64_t at = g->first, blocks = g->blocks;
  for (;;) {
    const int8_t *a = g->a + at;
    int8_t *c = g->c + at;
    const __m256 m0 = _mm256_loadu_ps(g->gate + at), m1 = _mm256_loadu_ps(g->gate + at + 8);
    const __m256i x0 = _mm256_loadu_si256((const __m256i *)(g->in_zero + at)), x1 = _mm256_loadu_si256((const __m256i *)(g->in_zero + at + 8));
    const __m256i y0 = _mm256_loadu_si256((const __m256i *)(g->out_zero + at)), y1 = _mm256_loadu_si256((const __m256i *)(g->out_zero + at + 8));
    int64_t n = g->pixels;
    do {
      __m256i q0 = _mm256_sub_epi32(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)a)), x0);
      __m256i q1 = _mm256_sub_epi32(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(a + 8))), x1);
      q0 = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(q0), m0)), y0);
      q1 = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(q1), m1)), y1);
      __m256i r = _mm256_permute4x64_epi64(_mm256_packs_epi32(q0, q1), 0xd8);
      _mm_storeu_si128((__m128i *)c, _mm_packs_epi16(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1)));
      a += g->channels; c += g->channels;
    } while (--n);
    if (--blocks == 0) return;
    at += 16;
    if (at > g->last) at = g->last;
  }
}
