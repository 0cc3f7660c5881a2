#pragma once
#include "kernel.h"

// Mirrored by gemmArgs in gemm.go: fields of 8 bytes only.
struct gemm_args {
  const int8_t *a;   // m rows of inputs, lda bytes apart
  int64_t lda;
  const int8_t *b;   // one packed panel of weights
  const float *p;    // the panel's parameters, kernel.h
  int8_t *c;         // output, ldc bytes apart; float in mode FLOAT
  int64_t ldc;
  const int8_t *r;   // residual, ldc bytes apart
  int64_t m;         // rows; at least the tile's
  int64_t k;         // depth of a segment, in units of the kernel's step
  int64_t segments;  // of the depth
  int64_t skip;      // bytes from the end of a segment to the next, in a
  int64_t mode;
  uint64_t mask;     // columns to store, bit j for column j
  const int8_t *ahead;  // what to bring into the cache, ahead_lines of 64 bytes with each tile
  int64_t ahead_lines;
};

// Runs the tile over all rows. The last tile overlaps the one before, so that no
// row needs a mask.
#define ROWS(MR, TILE) \
  const int8_t *a = g->a, *r = g->r; \
  int8_t *c = g->c; \
  int64_t m = g->m; \
  for (;;) { \
    TILE; \
    m -= MR; \
    if (m <= 0) return; \
    int64_t step = m < MR ? m : MR; \
    a += step * g->lda; c += step * g->ldc; r += step * g->ldc; \
    m = m < MR ? MR : m; \
  }

// Calls FINISH(mode) with the mode as a constant.
#define BY_MODE(FINISH) \
  switch (g->mode) { \
  case IDENTITY: FINISH(IDENTITY); break; \
  case RELU6: FINISH(RELU6); break; \
  case HARD_SWISH: FINISH(HARD_SWISH); break; \
  case RESIDUAL: FINISH(RESIDUAL); break; \
  default: FINISH(FLOAT); \
  }
