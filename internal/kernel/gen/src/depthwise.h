#pragma once
#include "kernel.h"

// Mirrored by depthwiseArgs in depthwise_simd.go: fields of 8 bytes only.
struct depthwise_args {
  const int8_t *const *rows;  // for each row of taps, the first tap's pixel of the first output
  int64_t dx;                 // bytes from tap to tap
  int64_t sx;                 // bytes from output to output, in the input
  const int8_t *w;            // packed blocks of weights
  const float *p;             // their parameters, kernel.h
  int8_t *c;                  // first output's pixel
  int64_t ldc;                // bytes from output to output
  int64_t ow;                 // outputs
  int64_t first;              // channel of the first block
  int64_t last;               // channel of the row's last block, which may overlap the one before
  int64_t blocks;
  int64_t mode;
};

// Runs PIXELS(MODE) for each block of CB channels, WB bytes of weights each.
#define BLOCKS(CB, WB, PIXELS) \
  int64_t at = g->first, n = g->blocks; \
  const int8_t *w = g->w; \
  const float *p = g->p; \
  for (;;) { \
    switch (g->mode) { \
    case RELU6: PIXELS(RELU6); break; \
    case HARD_SWISH: PIXELS(HARD_SWISH); break; \
    default: PIXELS(IDENTITY); \
    } \
    if (--n == 0) return; \
    w += WB; p += 6*CB; \
    at += CB; \
    if (at > g->last) at = g->last; \
  }

// Walks over the taps of one output in order: at(t) must be called for t = 0, 1, 2 and so on. One
// pointer at a time is alive, since there are not the registers for all.
template <int KS> struct taps {
  const depthwise_args *&g;
  int64_t x;
  const int8_t *q;
  inline __attribute__((always_inline)) const int8_t *at(int t) {
    if (t % KS == 0) {
      HIDE(g);
      q = g->rows[t / KS] + x;
    } else {
      q += g->dx;
    }
    HIDE(q);
    return q;
  }
};
