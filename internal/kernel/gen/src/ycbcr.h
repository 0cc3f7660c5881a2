#pragma once
#include "kernel.h"

// Mirrored by ycbcrArgs in ycbcr_simd.go: fields of 8 bytes only.
struct ycbcr_args {
  const uint8_t *y, *cb, *cr; // NV12: cb holds the pairs; YUYV: y holds all
  int64_t n;                  // pixels: at least 16, and even where two share a colour
  const int32_t *k;           // as below, eight times each
  const uint8_t *pack;        // drops every fourth byte
  uint8_t *c;                 // 3 n bytes
};

// c.r = clip8((KY y + RV cr + R) >> 16), c.g with GU cb + GV cr + G, c.b with BU cb + B.
enum { KY = 0, RV = 8, GU = 16, GV = 24, BU = 32, R = 40, G = 48, B = 56 };

enum layout { FULL, HALF, NV12, YUYV };
