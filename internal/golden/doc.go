// Package golden holds what the tests against PyTorch share: values that Python
// and Go both compute from a name, so that golden files need not carry weights,
// and how far two results are apart.
//
// train/goldens_float.py is the other half. No flow passes through here; only
// tests import it, and it imports nothing of ours.
package golden
