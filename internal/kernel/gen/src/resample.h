#pragma once
#include "kernel.h"

// Mirrored by acrossArgs in resample_simd.go: fields of 8 bytes only. Two rows are resized at a time.
struct across_args {
  const uint8_t *a, *b;   // rows
  int64_t groups;         // of four outputs
  const int32_t *offset;  // of every output's first tap in its row, in bytes
  const int32_t *coef;    // of every output, for every four taps: as the instruction set takes them
  int64_t chunks;         // of four taps, of every output
  int64_t step;           // bytes of four pixels
  const uint8_t *shuffle; // takes four pixels to what is multiplied
  uint8_t *c, *d;         // outputs: 12 bytes of every group, and 4 more are written
};

// Mirrored by mixArgs.
struct mix_args {
  const uint8_t *const *rows; // an even number of them
  const int32_t *coef;        // for every two rows: as the instruction set takes them
  int64_t pairs;
  int64_t bytes;              // of a row, at least one block
  uint8_t *c;
};

enum { PRECISION = 22, SPLIT = 11 };
