// Package mobilenetv3 builds MobileNetV3-Large and -Small as nn graphs.
//
// The networks are the tables of "Searching for MobileNetV3" (Howard et al.
// 2019), one line per bneck; the weight names of training frameworks stand
// beside them. The offline flow enters here: checkpoint -> graph. The package
// may import nn and internal/checkpoint.
package mobilenetv3
