// gocv includes OpenCV's umbrella header, which names every module. This one
// stands before it in the include path and names only what package camera
// uses, so that the development packages of all other modules can be left out.
#pragma once
#include "opencv2/core.hpp"
#include "opencv2/imgproc.hpp"
#include "opencv2/imgcodecs.hpp"
#include "opencv2/videoio.hpp"
#if __has_include("opencv2/highgui.hpp")
#include "opencv2/highgui.hpp"
#endif
