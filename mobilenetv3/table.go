package mobilenetv3

import "github.com/seedge/seedge/nn"

// bneck is one line of the paper's tables 1 and 2.
type bneck struct {
	kernel    int
	expansion int // channels after the expansion, the table's "exp size"
	out       int
	se        bool
	nl        nn.Func
	stride    int
}

// variant is a whole table.
type variant struct {
	stem   int // channels of the first convolution, 3x3, stride 2, h-swish
	bnecks []bneck
	hidden int // width of the layer before the classifier
	// late is the first of the bnecks that torchvision's dilated variant
	// dilates by 2 instead of striding.
	late int
}

const (
	re = nn.ReLU
	hs = nn.HardSwish
)

// large is table 1: MobileNetV3-Large.
var large = variant{
	stem: 16,
	bnecks: []bneck{
		// kernel, exp size, #out, SE, NL, stride
		{3, 16, 16, false, re, 1},
		{3, 64, 24, false, re, 2},
		{3, 72, 24, false, re, 1},
		{5, 72, 40, true, re, 2},
		{5, 120, 40, true, re, 1},
		{5, 120, 40, true, re, 1},
		{3, 240, 80, false, hs, 2},
		{3, 200, 80, false, hs, 1},
		{3, 184, 80, false, hs, 1},
		{3, 184, 80, false, hs, 1},
		{3, 480, 112, true, hs, 1},
		{3, 672, 112, true, hs, 1},
		{5, 672, 160, true, hs, 2},
		{5, 960, 160, true, hs, 1},
		{5, 960, 160, true, hs, 1},
	},
	hidden: 1280,
	late:   12,
}

// small is table 2: MobileNetV3-Small.
var small = variant{
	stem: 16,
	bnecks: []bneck{
		// kernel, exp size, #out, SE, NL, stride
		{3, 16, 16, true, re, 2},
		{3, 72, 24, false, re, 2},
		{3, 88, 24, false, re, 1},
		{5, 96, 40, true, hs, 2},
		{5, 240, 40, true, hs, 1},
		{5, 240, 40, true, hs, 1},
		{5, 120, 48, true, hs, 1},
		{5, 144, 48, true, hs, 1},
		{5, 288, 96, true, hs, 2},
		{5, 576, 96, true, hs, 1},
		{5, 576, 96, true, hs, 1},
	},
	hidden: 1024,
	late:   8,
}
