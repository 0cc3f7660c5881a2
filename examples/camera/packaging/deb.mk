# make deb: Debian packages of the camera application, for the Makefile to include
# behind camera/opencv.mk.
#
# It links OpenCV, so each architecture but this machine's own needs a cross
# compiler (g++-aarch64-linux-gnu for arm64) and that architecture's libraries.
# These come from Debian into a folder of their own (mmdebstrap, about 600 MB in
# build/): installed beside this machine's by multiarch, OpenCV's would replace
# them, since its development packages are not co-installable. The packages run on
# the Debian release that they are built on.

DEB_ARCHS ?= amd64 arm64
DEB_MIRROR ?= http://deb.debian.org/debian
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4

DEB_HOST = $(shell dpkg --print-architecture)
DEB_EPOCH = $(shell git log -1 --format=%ct)
DEB_VERSION ?= $(shell git log -1 --format=0~%cd.%h --date=format:%Y%m%d)
DEB_TRIPLET_amd64 := x86_64-linux-gnu
DEB_TRIPLET_arm64 := aarch64-linux-gnu
DEB_SYSROOT = $(abspath build/sysroot-$*)
DEB_LIBS = $(DEB_SYSROOT)/usr/lib/$(DEB_TRIPLET_$*)
DEB_PROGRAM = build/deb/$*/seedge-camera

.PHONY: deb
deb: $(DEB_ARCHS:%=deb-%)

deb-%: build-deb-%
	@needed=$$(readelf -d $(DEB_PROGRAM) | sed -n 's/.*(NEEDED).*\[libopencv_\(.*\)\.so\.\([0-9]*\)\]$$/libopencv-\1\2/p' | sort | paste -sd, ); \
	libc=$$(readelf -VW $(DEB_PROGRAM) | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1); \
	test -n "$$needed" && test -n "$$libc" || { echo "readelf names no OpenCV or no C library that $(DEB_PROGRAM) needs" >&2; exit 1; }; \
	DEB_ARCH=$* DEB_VERSION=$(DEB_VERSION) DEB_DEPENDS="libc6 (>= $${libc#GLIBC_}), libstdc++6, libgcc-s1, $$needed" SOURCE_DATE_EPOCH=$(DEB_EPOCH) \
		$(GO) run $(NFPM) package --config examples/camera/packaging/nfpm.yaml --packager deb --target build/deb/

build-deb-%: deps-deb-%
	mkdir -p $(dir $(DEB_PROGRAM))
	$(if $(filter $*,$(DEB_HOST)),$(GOCV_ENV) $(GO) build $(TAGS),\
	CGO_ENABLED=1 GOARCH=$* CC="$(DEB_TRIPLET_$*)-gcc --sysroot=$(DEB_SYSROOT)" CXX="$(DEB_TRIPLET_$*)-g++ --sysroot=$(DEB_SYSROOT)" \
	CGO_CXXFLAGS="-O2 --std=c++11 -DNDEBUG -I$(CAMERA_DIR)/shim -I$(DEB_SYSROOT)/usr/include/opencv4" \
	CGO_LDFLAGS="-L$(DEB_LIBS) $(foreach d,$(DEB_LIBS) $(DEB_LIBS)/blas $(DEB_LIBS)/lapack,-Wl$(comma)-rpath-link=$d) -lopencv_videoio -lopencv_imgcodecs -lopencv_imgproc -lopencv_core" \
	$(GO) build -tags customenv$(comma)gocv_specific_modules$(comma)gocv_videoio) \
	-trimpath -ldflags "-s -w" -o $(DEB_PROGRAM) ./examples/camera

comma := ,

# The other architecture's libraries, once; its compiler's version picks those of C++.
deps-deb-%: deps-camera
	@test -n "$(DEB_TRIPLET_$*)" || { echo "no package for $*; there are amd64 and arm64" >&2; exit 1; }; \
	command -v dpkg >/dev/null || { echo "make deb wants Debian" >&2; exit 1; }; \
	want=; command -v readelf >/dev/null || want=binutils; \
	if test $* != $(DEB_HOST); then \
		command -v $(DEB_TRIPLET_$*)-g++ >/dev/null || want="$$want g++-$(subst _,-,$(DEB_TRIPLET_$*))"; \
		command -v mmdebstrap >/dev/null || want="$$want mmdebstrap"; \
	fi; \
	if test -n "$$want"; then \
		sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing $$want"; \
		install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$want"; \
		$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; } || exit 1; \
	fi; \
	if test $* != $(DEB_HOST) && ! test -e $(DEB_SYSROOT); then \
		rm -rf $(DEB_SYSROOT).new; mkdir -p build; echo "fetching libraries for $*"; \
		mmdebstrap --quiet --architectures=$* --variant=extract \
			--include=libopencv-videoio-dev,libc6-dev,libstdc++-$$($(DEB_TRIPLET_$*)-g++ -dumpversion | cut -d. -f1)-dev \
			$$(. /etc/os-release; echo $$VERSION_CODENAME) $(DEB_SYSROOT).new $(DEB_MIRROR) && mv $(DEB_SYSROOT).new $(DEB_SYSROOT); \
	fi
