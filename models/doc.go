// Package models embeds the default network, so that sdk.OpenDefault needs no
// file. README.md is its model card: where it comes from, how it was trained and
// what accuracy was measured, how.
//
// The online flow starts here. The package imports nothing of ours.
package models
