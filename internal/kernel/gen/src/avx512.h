#pragma once
#include <immintrin.h>
#include "kernel.h"

// HIDE for vectors. Such barriers keep their order: what is loaded through a pointer that is hidden
// after a vector is loaded after the vector was computed, so that fewer registers are in use.
template <int N> INL void hide(__m512i (&v)[N]) {
  UNROLL for (int i = 0; i < N; i++) asm volatile("" : "+v"(v[i]));
}

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

// What hard_swish clamps with. Registers that are set before a loop: set in it, they would compete with
// the shuffles.
struct clamp { __m512 half, one; };
template <int64_t MODE> INL clamp clamp_of() {
  if (MODE != HARD_SWISH) return {_mm512_setzero_ps(), _mm512_setzero_ps()};
  return {constant512(0x3f000000), constant512(0x3f800000)};
}

// Equations 4 and 5 up to the saturation.
template <int64_t MODE> INL __m512i rounded(__m512 u, const float *p, int w, const clamp &k) {
  if (MODE == RELU6) u = _mm512_min_ps(u, _mm512_loadu_ps(p + BOUND*w));
  if (MODE == HARD_SWISH) {
    __m512 v = _mm512_add_ps(_mm512_mul_ps(u, _mm512_loadu_ps(p + BOUND*w)), k.half);
    u = _mm512_mul_ps(u, _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), k.one));
  }
  return _mm512_add_epi32(_mm512_cvtps_epi32(u), _mm512_loadu_si512(p + ZERO*w));
}

// sat8, plus 128: the packing instruction takes its input for unsigned.
INL __m128i saturated(__m512i q) { return _mm512_cvtusepi32_epi8(_mm512_max_epi32(q, _mm512_setzero_si512())); }
