// Package throttle notices that the processor runs slower than it could, because
// it is hot or short of power, from what Linux tells under /sys. Labels come later
// then, and nothing else says why.
//
// It stands beside the online flow: the page shows its warning, the log has it
// once. It imports nothing of the module.
package throttle
