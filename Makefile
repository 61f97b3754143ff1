# SPDX-License-Identifier: Apache-2.0
# The daily commands; meson and ninja do the work. `make help` lists them.
# Every command first makes sure that the Debian packages it needs are there (a quick look when they are).

BUILD ?= build
MESON ?= /usr/bin/meson
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
PORT ?= 8080
SET5 ?= ../shared/testdata/set5
OUT ?= $(BUILD)/evaluation
SIZE ?= 256x256
REPS ?= 5
FUZZ_SECONDS ?= 60
CANCELS ?= 200

.PHONY: help deps deps-test build run test test-quick test-tsan test-neon test-emulated check-reference bench bench-peers train-smoke evaluate evaluate-photographs fuzz image test-image format install clean
.NOTPARALLEL:
.DEFAULT_GOAL := build

help:
	@echo 'make run [PORT=8080] [ONESHOT=1]   install, build, serve on 127.0.0.1, enlarge the sample picture'
	@echo 'make deps                          Debian packages for building and running (deps-test: and for testing)'
	@echo 'make build                         build/swin2sr, build/swin2sr-server, build/swin2sr-worker, the library'
	@echo 'make test                          everything; make test-quick: under a minute'
	@echo 'make test-tsan [CANCELS=200]       threads and cancels under ThreadSanitizer (minutes)'
	@echo 'make test-neon                     kernels and golden networks for 64-bit Arm, under qemu (half an hour)'
	@echo 'make test-emulated                 golden networks at the levels of AVX-512, on x86 with AVX2 (half an hour)'
	@echo 'make bench [SIZE=256x256] [REPS=5] the engine alone, one thread and all threads'
	@echo 'make bench-peers                   beside ONNX Runtime and PyTorch (minutes)'
	@echo 'make check-reference               every input size against the PyTorch reference in ../shared (minutes)'
	@echo 'make train-smoke                   the training programs, small, from packages to pixels (minutes)'
	@echo 'make evaluate [SET5=DIR] [OUT=DIR] quality of the default network, table and contact sheet'
	@echo 'make evaluate-photographs          the same on photographs of Debian packages (fetches 120 MB)'
	@echo 'make fuzz [FUZZ_SECONDS=60]        each libFuzzer target for so long'
	@echo 'make image                         the container of deploy/Containerfile (buildah, podman or docker)'
	@echo 'make test-image                    the same, and the API tests against it under podman'
	@echo 'make format                        clang-format over every C file'
	@echo 'make install [PREFIX=/usr/local] [DESTDIR=]'
	@echo 'make clean                         remove the build folders'

deps:
	@tools/install_packages.sh build

deps-test:
	@tools/install_packages.sh build test

$(BUILD)/build.ninja: | deps
	$(MESON) setup $(BUILD)

build: deps $(BUILD)/build.ninja
	ninja -C $(BUILD)

run: build
	@PORT='$(PORT)' ONESHOT='$(ONESHOT)' BUILD='$(BUILD)' tools/run_sample.sh

test: deps-test build
	@BUILD='$(BUILD)' MESON='$(MESON)' PYTHON='$(PYTHON)' tools/run_tests.sh full

test-quick: deps-test build
	@BUILD='$(BUILD)' MESON='$(MESON)' PYTHON='$(PYTHON)' tools/run_tests.sh quick

test-neon:
	@tools/install_packages.sh neon
	@BUILD='$(BUILD)' tools/run_neon.sh

test-emulated: deps-test build
	for level in vnni bf16; do SWIN2SR_CPU=$$level $(BUILD)/tests/golden/check_goldens_emulated tests/fixtures/goldens ../shared/goldens || exit; done

test-tsan: deps-test
	@BUILD='$(BUILD)' MESON='$(MESON)' tools/run_tsan.sh $(CANCELS)

bench: build
	$(BUILD)/swin2sr bench --size $(SIZE) --reps $(REPS) --threads 1
	$(BUILD)/swin2sr bench --size $(SIZE) --reps $(REPS)

bench-peers: build
	@tools/install_packages.sh peers
	@SWIN2SR_BUILD='$(BUILD)' bench/peers/run.py

check-reference: build
	@tools/install_packages.sh test peers
	@SWIN2SR_BUILD='$(BUILD)' tools/check_reference.py

train-smoke: build
	@tools/install_packages.sh train
	@SWIN2SR_BUILD='$(BUILD)' train/smoke.py $(BUILD)/train-smoke

evaluate: build
	@tools/install_packages.sh train
	@SWIN2SR_BUILD='$(BUILD)' train/evaluate.py $(SET5) --out $(OUT)

evaluate-photographs: build
	@tools/install_packages.sh train
	train/fetch_images.py $(BUILD)/evaluate-packages --group evaluate
	train/photographs.py $(BUILD)/evaluate-packages $(BUILD)/photographs
	@SWIN2SR_BUILD='$(BUILD)' train/evaluate.py $(BUILD)/photographs --out $(OUT)-photographs

fuzz:
	@tools/install_packages.sh build fuzz
	@BUILD='$(BUILD)' MESON='$(MESON)' tools/run_fuzz.sh $(FUZZ_SECONDS)

image:
	@tools/make_image.sh

test-image: deps-test build
	@tools/install_packages.sh image
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' tools/test_image.sh

format: deps-test
	tools/check_format.sh --fix

install: build
	$(MESON) configure $(BUILD) -Dprefix='$(PREFIX)'
	DESTDIR='$(DESTDIR)' $(MESON) install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-neon $(BUILD)-fuzz
