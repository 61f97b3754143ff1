# SPDX-License-Identifier: Apache-2.0
# Commands around meson and ninja. `make help` lists the daily ones, CONTRIBUTING.md those for maintainers.
# Each command first checks that the Debian packages it needs are installed, and installs what is missing.

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
MINUTES ?=
HELM ?= helm

.PHONY: help deps deps-test build run test test-quick faults soak hostile-mix test-tsan test-neon test-vulkan test-cluster test-emulated test-page page check-reference bench bench-peers train-smoke evaluate evaluate-photographs fuzz image chart deb dist test-ship format install clean
.NOTPARALLEL:
.DEFAULT_GOAL := build

help:
	@echo 'make run [PORT=8080] [ONESHOT=1]    install, build, serve on 127.0.0.1, enlarge the sample picture'
	@echo 'make deps                           install the Debian packages for building and running'
	@echo 'make build                          build/swin2sr, build/swin2sr-server, build/swin2sr-worker, the library'
	@echo 'make test-quick                     format, layers, unit tests, kernels: one or two minutes'
	@echo 'make test                           all tests'
	@echo 'make bench [SIZE=256x256] [REPS=5]  time the engine, with one thread and with all'
	@echo 'make format                         run clang-format over every C file'
	@echo 'make image                          build and save the container (buildah, podman or docker)'
	@echo 'make install [PREFIX=/usr/local] [DESTDIR=]'
	@echo 'make clean                          remove the build folders'
	@echo 'CONTRIBUTING.md lists the targets for maintainers.'

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

faults: deps-test build
	@tools/install_packages.sh faults
	@SWIN2SR_BUILD='$(BUILD)' SWIN2SR_LONG_TESTS=1 $(PYTHON) -m pytest -q -p no:cacheprovider -rs $$(tests/faults/catalogue.py)

soak: deps-test build
	@SWIN2SR_BUILD='$(BUILD)' $(PYTHON) tests/faults/soak.py $(or $(MINUTES),30)

hostile-mix: deps-test build
	@tools/install_packages.sh faults
	@SWIN2SR_BUILD='$(BUILD)' $(PYTHON) tests/faults/hostile_mix.py $(or $(MINUTES),10)

test-neon:
	@tools/install_packages.sh neon
	@BUILD='$(BUILD)' tools/run_neon.sh

# The GPU device on a software device of Vulkan: kernels, planted errors, memory and faults; under the validation layers
# all of these and all goldens; Set5; the service; a build without Vulkan.
test-vulkan: deps-test
	@tools/install_packages.sh vulkan
	$(MESON) setup --reconfigure -Dvulkan=enabled '$(BUILD)'
	ninja -C '$(BUILD)'
	SWIN2SR_NEEDS_VULKAN=1 $(MESON) test -C '$(BUILD)' 'kernels vulkan' 'goldens vulkan' 'engine vulkan cache' 'engine vulkan device'
	SWIN2SR_NEEDS_VULKAN=1 SWIN2SR_LONG_TESTS=1 SWIN2SR_BUILD='$(BUILD)' $(PYTHON) -m pytest -q -p no:cacheprovider -rsP tests/kernels tests/cli/test_device.py tests/faults/test_gpu_faults.py tests/project/test_shaders.py tests/project/test_without_vulkan.py

test-emulated: deps-test build
	for level in vnni bf16 amx; do SWIN2SR_CPU=$$level $(BUILD)/tests/golden/check_goldens_emulated --kernels $$level tests/fixtures/goldens ../shared/goldens || exit; done

test-tsan: deps-test
	@BUILD='$(BUILD)' MESON='$(MESON)' tools/run_tsan.sh $(CANCELS)

bench: build
	$(BUILD)/swin2sr bench --size $(SIZE) --reps $(REPS) --threads 1
	$(BUILD)/swin2sr bench --size $(SIZE) --reps $(REPS)

bench-peers: build
	@tools/install_packages.sh peers
	@SWIN2SR_BUILD='$(BUILD)' bench/peers/run.py

page:
	cd web && npm ci --no-audit --no-fund --ignore-scripts && node build.mjs

test-page: deps-test build
	@tools/install_packages.sh page pictures
	SWIN2SR_LONG_TESTS=1 SWIN2SR_BUILD='$(BUILD)' $(PYTHON) -m pytest -q -p no:cacheprovider -s tests/page

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
	@OUT='$(BUILD)/image' PYTHON='$(PYTHON)' tools/make_image.sh

chart:
	@BUILD='$(BUILD)' HELM='$(HELM)' tools/make_chart.sh

deb:
	@tools/install_packages.sh build deb
	@BUILD='$(BUILD)' tools/make_deb.sh

dist:
	@BUILD='$(BUILD)' tools/make_dist.sh

# Several servers that share their jobs.
test-cluster: deps-test build
	@tools/install_packages.sh cluster
	$(MESON) setup --reconfigure -Dcluster=enabled '$(BUILD)'
	ninja -C '$(BUILD)'
	SWIN2SR_LONG_TESTS=1 SWIN2SR_BUILD='$(BUILD)' $(PYTHON) -m pytest -q -p no:cacheprovider -rs tests/cluster

test-ship: deps-test build
	@tools/install_packages.sh image image-root deb ship
	$(MESON) setup --reconfigure -Dcluster=enabled '$(BUILD)'
	ninja -C '$(BUILD)'
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' tools/get_ship_tools.sh
	SWIN2SR_LONG_TESTS=1 SWIN2SR_BUILD='$(BUILD)' $(PYTHON) -m pytest -q -p no:cacheprovider -rsP tests/ship

format: deps-test
	tools/check_format.sh --fix

install: build
	$(MESON) configure $(BUILD) -Dprefix='$(PREFIX)'
	DESTDIR='$(DESTDIR)' $(MESON) install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-neon $(BUILD)-fuzz $(BUILD)-without-vulkan
