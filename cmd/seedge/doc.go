// Command seedge is the SDK on the command line: it imports and quantises
// models (the offline flow: checkpoint -> graph -> fold BN -> calibrate ->
// quantise -> model file), looks into them and measures them, and runs them on
// images and cameras (the online flow: camera -> preprocess -> engine ->
// labels).
//
// One file per command. It may import every other package of the module;
// nothing imports it. Results go to standard output, everything else to
// standard error. Any failure is one line there that begins with "seedge:", and
// exit status 1; a file that was to be written is then not there, and one that
// was there before still is.
package main
