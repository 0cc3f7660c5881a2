// Package steady keeps labels from flickering. Probabilities are averaged over
// time, each class by itself, and the label has hysteresis: one that is shown
// stays until it is clearly no longer the best.
//
// It takes predictions of sdk and gives one label; it imports sdk only.
package steady
