package main

import "github.com/seedge/seedge/quant"

// score is a share of images and its 95 % confidence interval, in percent.
type score struct {
	Percent float64 `json:"percent"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Correct int     `json:"correct"`
}

func wilson(correct, n int) score {
	low, high := quant.Wilson(correct, n)
	return score{100 * float64(correct) / float64(n), low, high, correct}
}
