package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/seedge/seedge/internal/modelfile"
	"github.com/seedge/seedge/internal/preprocess"
	"github.com/seedge/seedge/nn"
)

// summary is a model as inspect shows it.
type summary struct {
	Model      string              `json:"model"`
	Name       string              `json:"name"`
	Precision  modelfile.Precision `json:"precision"`
	Input      nn.Shape            `json:"input"`
	Classes    int                 `json:"classes"`
	Features   int                 `json:"features"` // 0: none
	Nodes      []nodeSummary       `json:"nodes"`
	Total      costSummary         `json:"total"`
	SE         costSummary         `json:"squeeze_excite"`
	Preprocess preprocess.Spec     `json:"preprocess"`
	Labels     []string            `json:"labels"`
	Provenance map[string]string   `json:"provenance"`
}

type costSummary struct {
	Params int64 `json:"parameters"`
	MACs   int64 `json:"macs"`
}

type nodeSummary struct {
	Node      string   `json:"node"`
	Op        string   `json:"op"`
	Shape     nn.Shape `json:"shape"`
	Params    int64    `json:"parameters"`
	MACs      int64    `json:"macs"`
	Precision string   `json:"precision"`
}

func (a *app) inspectCommand() *cobra.Command {
	var plan bool
	c := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show a model's layers, costs, preprocessing, labels and origin",
		Long: `Lists every node with the shape of its output (height x width x channels), its
parameters, its multiply-accumulates for one image and its precision; then the
totals, the share of squeeze-and-excitation, and what else the file holds.
Parameters are weights and biases; scales and running statistics do not count.

With --plan it lists instead what this machine will run, step by step: the nodes
that a step computes at once, its kernel, the kernel's instruction set and tile,
shapes, where in the arena the output lies, bytes of activations and of packed
weights, and multiply-accumulates. SEEDGE_ISA asks for another instruction set.`,
		Example: "  seedge inspect default\n  seedge inspect int8.safetensors --json\n  seedge inspect default --plan",
		Args:    exactly("MODEL"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readModel(args[0])
			if err != nil {
				return err
			}
			if plan {
				return a.printPlan(args[0], m)
			}
			s := summarise(args[0], m)
			if a.json {
				return a.emit(s)
			}
			return a.printSummary(s)
		},
	}
	c.Flags().BoolVar(&plan, "plan", false, "list the steps that this machine runs")
	return c
}

func summarise(path string, m *modelfile.Model) summary {
	s := summary{
		Model: path, Name: m.Name, Precision: m.Precision, Input: m.Input(), Classes: m.Classes(),
		Preprocess: m.Preprocess, Labels: m.Labels, Provenance: m.Provenance,
	}
	if f, ok := m.Features(); ok {
		s.Features = f.Len()
	}
	add := func(n nodeSummary, cost nn.Cost, se bool) {
		n.Params, n.MACs = cost.Params, cost.MACs
		s.Nodes = append(s.Nodes, n)
		s.Total.Params += cost.Params
		s.Total.MACs += cost.MACs
		if se {
			s.SE.Params += cost.Params
			s.SE.MACs += cost.MACs
		}
	}
	if g := m.Graph; g != nil {
		for id, n := range g.Nodes[1:] {
			id++
			add(nodeSummary{Node: n.Name, Op: describeOp(n.Op), Shape: n.Shape, Precision: floatPrecision(m.Precision, n.Op)},
				g.Cost(id), nn.IsSqueezeExcite(n))
		}
		return s
	}
	for id, n := range m.Quantised.Nodes {
		if id == 0 {
			continue
		}
		_, se := n.Op.(*nn.QSqueezeExcite)
		add(nodeSummary{Node: n.Name, Op: describeQOp(n.Op), Shape: n.Out.Shape, Precision: intPrecision(n.Op)}, m.Quantised.Cost(id), se)
	}
	return s
}

// floatPrecision: a fp16 model stores its parameters in half; the rest is float32.
func floatPrecision(p modelfile.Precision, op nn.Op) string {
	if p == modelfile.FP16 && len(op.Params()) > 0 {
		return "fp16"
	}
	return "float32"
}

func intPrecision(op nn.QOp) string {
	switch op := op.(type) {
	case *nn.QSqueezeExcite:
		return "int8, inner int16"
	case *nn.QLinear:
		if op.Float {
			return "int8, out float32"
		}
	}
	return "int8"
}

func describeOp(op nn.Op) string {
	switch op := op.(type) {
	case *nn.Conv2D:
		return describeWindow(op.Window)
	case *nn.SqueezeExcite:
		return fmt.Sprintf("%s %d, %v", op.Kind(), op.Squeezed, op.Gate)
	case *nn.Activation:
		return op.Func.String()
	}
	return op.Kind()
}

func describeQOp(op nn.QOp) string {
	switch op := op.(type) {
	case *nn.QConv:
		s := describeWindow(op.Window)
		if op.Residual {
			s += " + residual"
		}
		return s + describeAct(op.Act)
	case *nn.QLinear:
		return op.Kind() + describeAct(op.Act)
	case *nn.QAdd:
		return op.Kind() + describeAct(op.Act)
	case *nn.QSqueezeExcite:
		return fmt.Sprintf("%s %d, %v", op.Kind(), op.Squeezed, op.Gate)
	}
	return op.Kind()
}

func describeAct(f nn.Func) string {
	if f == nn.Identity {
		return ""
	}
	return ", " + f.String()
}

// describeWindow: "depthwise 5x5 /2" is a depthwise 5x5 convolution at stride 2.
func describeWindow(w nn.Window) string {
	kind := "conv"
	switch {
	case w.Groups > 1 && w.Groups == w.In && w.In == w.Out:
		kind = "depthwise"
	case w.Groups > 1:
		kind = fmt.Sprintf("conv in %d groups", w.Groups)
	}
	s := fmt.Sprintf("%s %s", kind, pair(w.KernelH, w.KernelW, true))
	if w.StrideH != 1 || w.StrideW != 1 {
		s += " /" + pair(w.StrideH, w.StrideW, false)
	}
	if w.DilationH != 1 || w.DilationW != 1 {
		s += " dilated " + pair(w.DilationH, w.DilationW, false)
	}
	return s
}

// pair writes 3x5, and 2 for 2x2 unless both are wanted.
func pair(h, w int, both bool) string {
	if h == w && !both {
		return fmt.Sprint(h)
	}
	return fmt.Sprintf("%dx%d", h, w)
}

func (a *app) printSummary(s summary) error {
	w := a.table()
	fmt.Fprintln(w, "node\top\tshape\tparameters\tMACs\tprecision")
	fmt.Fprintf(w, "input\timage\t%s\t\t\t\n", s.Input)
	for _, n := range s.Nodes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(n.Node), n.Op, n.Shape, dash(n.Params), dash(n.MACs), n.Precision)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.printf("\n%s, %s\n", printable(s.Name), s.Precision)
	return a.printFacts(s)
}

// printFacts shows what belongs to no single node.
func (a *app) printFacts(s summary) error {
	w := a.table()
	fact := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	fact("total", "%s parameters, %s MACs", thousands(s.Total.Params), thousands(s.Total.MACs))
	fact("squeeze-excite", "%s parameters (%s), %s MACs (%s)", thousands(s.SE.Params), percent(s.SE.Params, s.Total.Params),
		thousands(s.SE.MACs), percent(s.SE.MACs, s.Total.MACs))
	fact("embedding", "%s", orNone(s.Features, "values"))
	p := s.Preprocess
	resize := "no resizing"
	if p.Resize != 0 {
		resize = fmt.Sprintf("shorter side to %d, %s", p.Resize, p.Interpolation)
	}
	fact("preprocessing", "%s; centre crop %dx%d; mean %v, std %v", resize, p.Height, p.Width, p.Mean, p.Std)
	fact("classes", "%d, labels: %s", s.Classes, someLabels(s.Labels))
	for _, k := range slices.Sorted(maps.Keys(s.Provenance)) {
		fmt.Fprintf(w, "%s\t%s\n", printable(k), printable(s.Provenance[k]))
	}
	return w.Flush()
}

// printable keeps text from a model file from steering the terminal or the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func dash(n int64) string {
	if n == 0 {
		return "-"
	}
	return thousands(n)
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

func orNone(n int, unit string) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// someLabels shows as many as fit on a line.
func someLabels(labels []string) string {
	const most = 10
	switch {
	case len(labels) == 0:
		return "none"
	case len(labels) > most:
		return printable(strings.Join(labels[:most], ", ")) + ", …"
	}
	return printable(strings.Join(labels, ", "))
}
