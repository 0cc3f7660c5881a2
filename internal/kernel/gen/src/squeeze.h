#pragma once
#include "kernel.h"

// Mirrored by squeezeArgs in squeeze_simd.go: fields of 8 bytes only.
struct squeeze_args {
  const int8_t *a;      // pixels of channels
  int64_t channels;     // bytes from pixel to pixel, in c too
  int64_t pixels;
  int64_t first;        // channel of the first block of 16
  int64_t last;         // channel of the last block, which may overlap the one before
  int64_t blocks;
  int32_t *sum;         // of the first block's channels
  const float *gate;    // of all channels
  const int32_t *in_zero, *out_zero;
  int8_t *c;
  int16_t *v;           // a vector between the layers
  const float *m;       // multipliers, or what is to be rounded
  float *f;             // result of the gate
};
