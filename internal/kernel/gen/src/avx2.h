#pragma once
#include <immintrin.h>
#include "kernel.h"

INL __m256 constant256(int32_t bits) {
  HIDE(bits);
  return _mm256_castsi256_ps(_mm256_set1_epi32(bits));
}

// u of equation 3 or 3r, for 8 channels; w is the width of the block p, r the
// residual.
template <int64_t MODE> INL __m256 steps(__m256i acc, const float *p, int w, __m256i r) {
  __m256 u = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(p + MULTIPLIER*w));
  if (MODE == RESIDUAL) {
    __m256i d = _mm256_sub_epi32(r, _mm256_loadu_si256((const __m256i *)(p + RESIDUAL_ZERO*w)));
    u = _mm256_add_ps(u, _mm256_mul_ps(_mm256_cvtepi32_ps(d), _mm256_loadu_ps(p + RESIDUAL_M*w)));
  }
  return u;
}

// Equations 4 and 5 up to sat8.
template <int64_t MODE> INL __m256i rounded(__m256 u, const float *p, int w) {
  if (MODE == RELU6) u = _mm256_min_ps(u, _mm256_loadu_ps(p + BOUND*w));
  if (MODE == HARD_SWISH) {
    __m256 v = _mm256_add_ps(_mm256_mul_ps(u, _mm256_loadu_ps(p + BOUND*w)), constant256(0x3f000000));
    u = _mm256_mul_ps(u, _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), constant256(0x3f800000)));
  }
  return _mm256_add_epi32(_mm256_cvtps_epi32(u), _mm256_loadu_si256((const __m256i *)(p + ZERO*w)));
}
