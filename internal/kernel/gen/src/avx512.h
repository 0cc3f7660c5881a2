#pragma once
#include <immintrin.h>
#include "kernel.h"

INL __m512 constant512(int32_t bits) {
  HIDE(bits);
  return _mm512_castsi512_ps(_mm512_set1_epi32(bits));
}

// All tensors are u8, q + 128, and so are the zero points of the block p.

// u of equation 3 or 3r, for 16 channels; w is the width of the block p.
template <int64_t MODE> INL __m512 steps(__m512i acc, const float *p, int w, __m128i r) {
  __m512 u = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(p + MULTIPLIER*w));
  if (MODE == RESIDUAL) {
    __m512i d = _mm512_sub_epi32(_mm512_cvtepu8_epi32(r), _mm512_loadu_si512(p + RESIDUAL_ZERO*w));
    u = _mm512_add_ps(u, _mm512_mul_ps(_mm512_cvtepi32_ps(d), _mm512_loadu_ps(p + RESIDUAL_M*w)));
  }
  return u;
}

// Equations 4 and 5 up to the saturation.
template <int64_t MODE> INL __m512i rounded(__m512 u, const float *p, int w) {
  if (MODE == RELU6) u = _mm512_min_ps(u, _mm512_loadu_ps(p + BOUND*w));
  if (MODE == HARD_SWISH) {
    __m512 v = _mm512_add_ps(_mm512_mul_ps(u, _mm512_loadu_ps(p + BOUND*w)), constant512(0x3f000000));
    u = _mm512_mul_ps(u, _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), constant512(0x3f800000)));
  }
  return _mm512_add_epi32(_mm512_cvtps_epi32(u), _mm512_loadu_si512(p + ZERO*w));
}

// sat8, plus 128: the packing instruction takes its input for unsigned.
INL __m128i saturated(__m512i q) { return _mm512_cvtusepi32_epi8(_mm512_max_epi32(q, _mm512_setzero_si512())); }
