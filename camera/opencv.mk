# What package camera needs to build and to be tested, for the Makefile to
# include. It defines
#
#   GOCV_TAGS        build tags
#   GOCV_ENV         environment of the go command
#   OPENCV_DOC_DATA  folder with vtest.avi, messi5.jpg, ... of Debian's opencv-doc
#   deps-camera      target: install the packages that are missing
#   opencv-doc       target: fetch OPENCV_DOC_DATA
#
# so that a rule reads
#
#   test: deps-camera opencv-doc
#   	$(GOCV_ENV) SEEDGE_OPENCV_DOC=$(OPENCV_DOC_DATA) go test -tags $(GOCV_TAGS) ./camera

CAMERA_DIR := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# pkg-config knows opencv4 where all of OpenCV is installed (libopencv-dev, or
# a build of one's own); then gocv needs no help. Otherwise the smallest set of
# packages does, with gocv's own flags replaced (customenv) and its umbrella
# header narrowed down (shim).
OPENCV_FULL := $(shell pkg-config --exists opencv4 2>/dev/null && echo yes)
ifeq ($(OPENCV_FULL),yes)
GOCV_TAGS := gocv_specific_modules,gocv_videoio
GOCV_ENV := CGO_ENABLED=1
OPENCV_HEADER :=
OPENCV_WINDOWS := $(shell pkg-config --libs opencv4 | grep -o opencv_highgui)
else
GOCV_TAGS := customenv,gocv_specific_modules,gocv_videoio
OPENCV_WINDOWS := $(wildcard /usr/include/opencv4/opencv2/highgui.hpp)
GOCV_ENV := CGO_ENABLED=1 \
	CGO_CXXFLAGS="-O2 -g --std=c++11 -DNDEBUG -I$(CAMERA_DIR)/shim -I/usr/include/opencv4" \
	CGO_LDFLAGS="$(if $(OPENCV_WINDOWS),-lopencv_highgui )-lopencv_videoio -lopencv_imgcodecs -lopencv_imgproc -lopencv_core"
OPENCV_HEADER := /usr/include/opencv4/opencv2/videoio.hpp
endif

# camera.Window comes along wherever OpenCV's window module is installed.
ifneq ($(OPENCV_WINDOWS),)
GOCV_TAGS := $(GOCV_TAGS),gocv_highgui
endif

OPENCV_DOC_CACHE := $(dir $(CAMERA_DIR))build/opencv-doc
OPENCV_DOC_DATA := $(OPENCV_DOC_CACHE)/data

.PHONY: deps-camera opencv-doc

# Lists that are missing or stale make the first install fail: update, once.
deps-camera:
	@set -e; want=; \
	test -z "$(OPENCV_HEADER)" || test -e "$(OPENCV_HEADER)" || want="$$want libopencv-videoio-dev"; \
	command -v g++ >/dev/null || want="$$want g++"; \
	test -n "$$want" || exit 0; \
	command -v apt-get >/dev/null || { echo "cameras need$$want, and there is no apt-get here to install them" >&2; exit 1; }; \
	sudo=; if test "$$(id -u)" != 0; then \
		command -v sudo >/dev/null || { echo "cameras need$$want: as root, apt-get install --no-install-recommends$$want" >&2; exit 1; }; \
		sudo=sudo; fi; \
	echo "installing$$want"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0$$want"; \
	log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	$$install >$$log 2>&1 || { $$sudo apt-get update -qq >$$log 2>&1 && $$install >$$log 2>&1; } || { cat $$log >&2; exit 1; }

opencv-doc: $(OPENCV_DOC_DATA)/vtest.avi

# Only the examples' data is kept of the package: pictures and a short video.
$(OPENCV_DOC_DATA)/vtest.avi:
	@set -e; rm -rf "$(OPENCV_DOC_CACHE)"; mkdir -p "$(OPENCV_DOC_CACHE)/new"; cd "$(OPENCV_DOC_CACHE)/new"; \
	echo "fetching the pictures and the video of Debian's opencv-doc"; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; \
	get="apt-get download -qq -o APT::Sandbox::User=root opencv-doc"; \
	$$get >log 2>&1 || { $$sudo apt-get update -qq >log 2>&1 && $$get >log 2>&1; } || { cat log >&2; exit 1; }; \
	dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -x --wildcards '*/examples/data/*'; \
	video=$$(find . -path '*/examples/data/vtest.avi*' | head -n 1); \
	test -n "$$video" || { echo "opencv-doc holds no examples/data/vtest.avi" >&2; exit 1; }; \
	data=$$(dirname "$$video"); find "$$data" -name '*.gz' -exec gunzip {} +; \
	touch "$$data"/*; mv "$$data" "$(OPENCV_DOC_DATA)"; cd ..; rm -rf new
