// Package report shows what quantising did to a network.
//
// It stands at the end of the offline flow, behind quant: measure.go runs the
// float network and the int8 one side by side and keeps what each layer lost,
// advice.go says in words what is wrong, plot.go draws and page.go writes it all as
// one HTML file that loads nothing.
//
// The package may import nn and quant; plots are gonum's.
package report
