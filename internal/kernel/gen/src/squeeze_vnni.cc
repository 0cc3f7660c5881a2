// Sums over pixels and scaling by a gate, for AVX-512: any number of channels of u8 (q + 128).
#include "avx512.h"
#include "squeeze.h"

// sum[channel] += sum over pixels of a, as int8; 32 channels at a time.
KERNEL sumsVNNI(const squeeze_args *g) {
  const __m512i offset = _mm512_set1_epi32((int32_t)(g->pixels * -128));
  const int8_t *block = g->a;
  int32_t *sum = g->sum;
  int64_t left = g->channels;
  for (;;) {
    const __mmask32 keep = left < 32 ? ~0u >> (32 - left) : ~0u;
    const int8_t *a = block;
    int64_t n = g->pixels;
    __m512i lo = offset, hi = offset;
    do {
      int64_t run = n < 256 ? n : 256;   // sums of 256 fit u16
      n -= run;
      __m512i t = _mm512_setzero_si512();
      PLAIN do {
        t = _mm512_add_epi16(t, _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(keep, a)));
        a += g->channels;
      } while (--run);
      lo = _mm512_add_epi32(lo, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(t)));
      hi = _mm512_add_epi32(hi, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(t, 1)));
    } while (n);
    __mmask16 first = keep, second = keep >> 16;
    _mm512_mask_storeu_epi32(sum, first, _mm512_add_epi32(lo, _mm512_maskz_loadu_epi32(first, sum)));
    _mm512_mask_storeu_epi32(sum + 16, second, _mm512_add_epi32(hi, _mm512_maskz_loadu_epi32(second, sum + 16)));
    left -= 32;
    if (left <= 0) return;
    sum += 32; block += 32;
  }
}

INL __m128i scaled(__m128i a, __m512i x, __m512 m, __m512i y) {
  __m512 d = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(a), x));
  return saturated(_mm512_cvtps_epi32(_mm512_mul_ps(d, m)), y);
}

// Equation 11, 32 channels at a time.
KERNEL rescaleVNNI(const squeeze_args *g) {
  int64_t at = 0, left = g->channels;
  for (;;) {
    const __mmask32 keep = left < 32 ? ~0u >> (32 - left) : ~0u;
    const __mmask16 k0 = keep, k1 = keep >> 16;
    const int8_t *a = g->a + at;
    int8_t *c = g->c + at;
    const __m512 m0 = _mm512_maskz_loadu_ps(k0, g->gate + at), m1 = _mm512_maskz_loadu_ps(k1, g->gate + at + 16);
    const __m512i x0 = _mm512_maskz_loadu_epi32(k0, g->in_zero + at), x1 = _mm512_maskz_loadu_epi32(k1, g->in_zero + at + 16);
    const __m512i y0 = _mm512_maskz_loadu_epi32(k0, g->out_zero + at), y1 = _mm512_maskz_loadu_epi32(k1, g->out_zero + at + 16);
    int64_t n = g->pixels;
    PLAIN do {
      _mm_mask_storeu_epi8(c, k0, scaled(_mm_maskz_loadu_epi8(k0, a), x0, m0, y0));
      _mm_mask_storeu_epi8(c + 16, k1, scaled(_mm_maskz_loadu_epi8(k1, a + 16), x1, m1, y1));
      a += g->channels; c += g->channels;
    } while (--n);
    left -= 32;
    if (left <= 0) return;
    at += 32;
  }
}
