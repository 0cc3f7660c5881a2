package kernel

import "golang.org/x/sys/cpu"

var levels = []level{
	{AVX2, cpu.X86.HasAVX2},
	{VNNI, cpu.X86.HasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI},
}
