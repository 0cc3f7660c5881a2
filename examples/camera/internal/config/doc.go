// Package config says what the camera application does: from a YAML file, from
// flags, or both, checked as a whole before anything is opened.
//
// It knows the options of camera and sdk by their values only and imports
// neither; unknown keys are errors.
package config
