package kernel

import "golang.org/x/sys/cpu"

var levels = []level{
	{NEON, true}, // Go itself needs it
	{DotProd, cpu.ARM64.HasASIMDDP},
	{I8MM, cpu.ARM64.HasASIMDDP && cpu.ARM64.HasI8MM},
}
