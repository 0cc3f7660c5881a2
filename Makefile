# make demo    frames through OpenCV, the int8 network, labels; writes demo.png
# make test    every test; installs what is missing
# make soak    the camera application under random faults (MINUTES=10): frames after each, flat memory, no leaks
# make check   formatting, vet, staticcheck, and the sdk built for six platforms
# make build   bin/seedge, with cameras, and the examples
# make deb     build/deb/seedge-camera_*.deb for amd64 and arm64, the camera application as a service
# make model   the committed int8 default from the committed float weights (CALIBRATE=folder or zip)
# make accuracy docs/accuracy.md: what each step of the quantiser is worth (CALIBRATE=, CIFAR10_TEST=folder or zip)
# make kernels  the assembly of internal/kernel from its C++ (clang 19); building needs only Go; check-kernels compares
# make bench-arm  instructions per inference on ARM, counted under emulation
# make mca-arm  cycles of the ARM kernels' inner loops, by LLVM's models of the cores
# make bench-peers  Seedge and other runtimes side by side, installed from PyPI (several GB; THREADS=1,2)
# make goldens the reference data of the tests, made by Python (PYTHON=python3)
#
# CIFAR10_TEST=zip-or-folder adds the labelled accuracy on all 10,000 test images to make test.

.DEFAULT_GOAL := help
include camera/opencv.mk
include examples/camera/packaging/deb.mk

GO ?= go
PYTHON ?= python3
TAGS := -tags $(GOCV_TAGS)
PLATFORMS := linux/arm64 linux/arm linux/riscv64 linux/amd64 darwin/arm64 windows/amd64
CIFAR10_TEST ?=
CALIBRATE ?=

.PHONY: help demo test test-go test-arm64 check build model kernels check-kernels bench-arm mca-arm bench-peers goldens deps-qemu deps-clang deps-cc deps-gstreamer deps-mosquitto clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: deps-camera opencv-doc
	$(GOCV_ENV) $(GO) run $(TAGS) ./examples/demo -o demo.png $(OPENCV_DOC_DATA)/vtest.avi $(OPENCV_DOC_DATA)/messi5.jpg \
		$(OPENCV_DOC_DATA)/basketball1.png $(OPENCV_DOC_DATA)/apple.jpg $(OPENCV_DOC_DATA)/orange.jpg

test: deps-camera deps-gstreamer deps-mosquitto deps-chromium deps-qemu opencv-doc test-go test-arm64

# The camera's tests need its clip and its C compiler; nothing here may skip for the lack of them. They talk to servers
# and devices with short time-outs, so they have the machine to themselves.
test-go: export SEEDGE_OPENCV_DOC := $(OPENCV_DOC_DATA)
test-go: export SEEDGE_REQUIRE_DATA := 1
test-go: export SEEDGE_CIFAR10_TEST := $(if $(CIFAR10_TEST),$(abspath $(CIFAR10_TEST)))
test-go:
	$(GOCV_ENV) $(GO) test $(TAGS) ./camera
	$(GOCV_ENV) $(GO) test $(TAGS) -timeout 30m $$($(GOCV_ENV) $(GO) list $(TAGS) ./... | grep -v /camera$$) ./examples/camera
	$(GOCV_ENV) $(GO) test $(TAGS) -race -short ./sdk ./quant ./internal/engine
	$(GOCV_ENV) $(GO) test $(TAGS) -race ./camera
	$(GOCV_ENV) $(GO) test $(TAGS) -race ./examples/camera/...

# What decides the bytes of a result is also run as a 64-bit ARM program: with NEON alone (cortex-a53), with dot
# products (cortex-a76) and with matrix products (max).
test-arm64:
	CGO_ENABLED=0 GOARCH=arm64 $(GO) test -short -exec "qemu-aarch64 -cpu cortex-a53" \
		./nn ./quant ./internal/kernel ./internal/engine ./internal/preprocess
	@for cpu in cortex-a76 max; do echo "kernels on $$cpu"; \
		CGO_ENABLED=0 GOARCH=arm64 $(GO) test -short -exec "qemu-aarch64 -cpu $$cpu" ./internal/kernel ./internal/engine || exit 1; done

check:
	@bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted: $$bad"; exit 1; }
	$(GOCV_ENV) $(GO) vet $(TAGS) ./...
	$(GOCV_ENV) $(GO) vet $(TAGS),matprofile ./examples/camera
	$(GOCV_ENV) $(GO) tool staticcheck $(TAGS) ./...
	@for p in $(PLATFORMS); do echo "sdk for $$p"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./sdk || exit 1; done
	CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/seedge

build: deps-camera
	$(GOCV_ENV) $(GO) build $(TAGS) -o bin/ ./cmd/seedge ./examples/camera ./examples/classify

WEIGHTS := models/mobilenet_v3_large-cifar10
model:
	@test -n "$(CALIBRATE)" || { echo "say CALIBRATE=cifar10-train.zip (or any folder of training images)"; exit 1; }
	CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/seedge
	mkdir -p build
	bin/seedge import $(WEIGHTS).safetensors -o build/float.safetensors --input 80 --preprocess whole --labels models/cifar10.txt
	bin/seedge quantise build/float.safetensors -o $(WEIGHTS).int8.safetensors --calibrate $(CALIBRATE) --images 1000

accuracy:
	@test -n "$(CALIBRATE)" -a -n "$(CIFAR10_TEST)" || { echo "say CALIBRATE=cifar10-train.zip CIFAR10_TEST=cifar10-test.zip"; exit 1; }
	CGO_ENABLED=0 $(GO) run ./cmd/accuracy -calibrate $(CALIBRATE) -test $(CIFAR10_TEST) -o docs/accuracy.md

goldens:
	$(PYTHON) train/goldens_float.py
	$(PYTHON) train/goldens_resize.py
	$(PYTHON) train/goldens_checkpoint.py
	$(PYTHON) train/goldens_npy.py

# The counted program is the arm64 one; the model is made by this machine's, since emulation is slow.
ARM_MODEL := build/mobilenet_v3_large-224.int8.safetensors
bench-arm: deps-qemu deps-cc
	mkdir -p build
	$(CC) -O2 -Wall -shared -fPIC -o build/icount.so bench/arm/icount/icount.c
	CGO_ENABLED=0 $(GO) build -o build/bench-arm-host ./bench/arm
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -o build/bench-arm ./bench/arm
	build/bench-arm-host make $(ARM_MODEL)
	build/bench-arm-host count $(ARM_MODEL)

mca-arm: deps-clang
	CGO_ENABLED=0 $(GO) run ./bench/arm mca

# Everything is made once, in build/peers; make bench-peers again measures again.
PEERS := build/peers
THREADS ?= 1,2,4
bench-peers: $(PEERS)/failed.json
	CGO_ENABLED=0 $(GO) build -o $(PEERS)/server ./bench/peers/server
	$(PEERS)/venv/bin/python bench/peers/run.py $(PEERS) $(PEERS)/server --threads $(THREADS) --json $(PEERS)/results.json

$(PEERS)/failed.json: $(PEERS)/venv/installed bench/peers/make.py
	CGO_ENABLED=0 $(GO) build -o $(PEERS)/seedge ./cmd/seedge
	$(PEERS)/venv/bin/python bench/peers/make.py $(PEERS) $(PEERS)/seedge

$(PEERS)/venv/installed: bench/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)/venv
	$(PEERS)/venv/bin/pip install --quiet --requirement bench/peers/requirements.txt
	touch $@

kernels: deps-clang
	cd internal/kernel/gen && $(GO) vet . && $(GO) test . && $(GO) run . -o ..

# The committed assembly must be what its sources compile to.
check-kernels: deps-clang
	cd internal/kernel/gen && $(GO) vet . && $(GO) test . && new=$$(mktemp -d) && $(GO) run . -o $$new && \
		for f in $$new/*.s; do cmp $$f ../$$(basename $$f) || exit 1; done && rm -r $$new

deps-clang:
	@command -v clang++-19 >/dev/null && command -v llvm-objdump-19 >/dev/null && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing clang-19 and llvm-19"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends clang-19 llvm-19"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

deps-cc:
	@command -v $(CC) >/dev/null && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing gcc"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends gcc libc6-dev"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

deps-qemu:
	@command -v qemu-aarch64 >/dev/null && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing qemu-user"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends qemu-user"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

# The tests of CSI cameras run their pipeline with a test picture.
deps-gstreamer:
	@ls /usr/lib/*/gstreamer-1.0/libgstvideotestsrc.so >/dev/null 2>&1 && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing gstreamer1.0-plugins-base"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends gstreamer1.0-plugins-base"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

# Its build counts OpenCV's matrices.
MINUTES ?= 10
.PHONY: soak
soak: deps-camera deps-cc opencv-doc
	$(GOCV_ENV) SEEDGE_OPENCV_DOC=$(OPENCV_DOC_DATA) $(GO) test $(TAGS),matprofile -count=1 -timeout 0 -v -run '^TestSoak$$' \
		./examples/camera -args -minutes $(MINUTES)

# The camera application's page is tested in a browser.
.PHONY: deps-chromium
deps-chromium:
	@command -v chromium >/dev/null && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing chromium"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

# The broker that the camera application's tests publish to, each on a port of its own.
deps-mosquitto:
	@test -x /usr/sbin/mosquitto && exit 0; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; echo "installing mosquitto"; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mosquitto"; \
	$$install >/dev/null 2>&1 || { $$sudo apt-get update -qq && $$install >/dev/null; }

clean:
	rm -rf bin build demo.png
