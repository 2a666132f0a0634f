# SPDX-License-Identifier: GPL-2.0
# The module for the running kernel, and every way to use this repository.
# `make help` tells the targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
RELEASE ?= bookworm
DOM0 ?= pv


.PHONY: help module install uninstall demo check check-mutants prove fuzz lint unit lab-shell clean
.PHONY: check-all check-arm64 check-secure-boot deb rpm check-long soak hostile bench bench-check static check-debug

help:
	@echo 'See it and test it, on any Debian machine (nothing to set up before):'
	@echo '  make demo           boot Xen, confine a process and a QEMU, show what they get'
	@echo '  make check          lint, unit tests, selftests and guests on real Xen; ends in one summary'
	@echo '  make check-all      every release and kernel: build, load, selftests, QEMU, unload; a table'
	@echo '  make check-arm64    an emulated dom0 on arm64; the selftests too, with XEN=FILE, a Xen that has dm_op'
	@echo '  make check-secure-boot  a dom0 started by Secure Boot, the module signed through DKMS, a restricted QEMU'
	@echo '  make check-long     200 domains made, bound, mapped, destroyed: does anything stay behind?'
	@echo '  make soak           an hour of device models, kills and dying domains: does anything stay behind?'
	@echo '  make hostile        a device model that its guest has taken over, and its cost for others (hours)'
	@echo '  make check-debug    the selftests and a QEMU under kernels with lockdep, KASAN and their like (hours)'
	@echo '  make check-mutants  break the module in each of its checks: does a test notice?'
	@echo '  make prove          what is shown for all inputs and all interleavings (minutes)'
	@echo '  make fuzz           look for calls that break it, on Xen, and for inputs that break the decoder (SECONDS=1800)'
	@echo '  make bench          what each call costs in instructions, beside the stock driver (minutes)'
	@echo '  make bench-check    the same, and fail if a bar of selftests/bench/bars is missed'
	@echo '  make lab-shell      a root shell in a dom0 with the module loaded'
	@echo '  make static         the semantic patches of the kernel, and clang'"'"'s analyzer'
	@echo '  make lint, unit     those parts of check alone'
	@echo
	@echo 'On a dom0 (as root):'
	@echo '  make install        install the module through DKMS, and load it at every boot'
	@echo '  make uninstall      take all of that away'
	@echo
	@echo 'To install it elsewhere:'
	@echo '  make deb, make rpm  packages, in build/packages; docs/install.md tells more'
	@echo
	@echo 'For a kernel developer:'
	@echo '  make module         build it for the running kernel; KDIR= for another'
	@echo '  make clean          remove what was built, but not the lab images (scripts/lab/lab clean) and debug kernels'
	@echo
	@echo 'RELEASE=bookworm, and DOM0=pv|pvh for demo, bench, check-long, soak, hostile and lab-shell, choose what the lab boots;'
	@echo 'RELEASE is also the release for whose user space deb and rpm build.'

module:
	@test -d $(KDIR) || { echo "No kernel headers in $(KDIR); remedy: apt install linux-headers-$(KVER)" >&2; exit 1; }
	llvm=$$(packaging/llvm $(KDIR)) && $(MAKE) -C $(KDIR) M=$(CURDIR)/module $$llvm modules

install:
	@scripts/dkms-setup install

uninstall:
	@scripts/dkms-setup uninstall

demo:
	@scripts/demo --release $(RELEASE) --dom0 $(DOM0)

check:
	@scripts/check --release $(RELEASE)

check-all:
	@scripts/check-all

check-arm64:
	@scripts/check-arm64 $(if $(XEN),--xen "$(XEN)")

check-secure-boot:
	@scripts/check-secure-boot

check-long:
	@scripts/check-long --release $(RELEASE) --dom0 $(DOM0)

soak:
	@scripts/soak --release $(RELEASE) --dom0 $(DOM0)

hostile:
	@scripts/hostile --release $(RELEASE) --dom0 $(DOM0)

check-mutants:
	@scripts/check-mutants --release $(RELEASE)

prove:
	@scripts/prove

fuzz:
	@scripts/fuzz $(SECONDS)

static:
	@scripts/static

check-debug:
	@scripts/check-debug

bench:
	@scripts/bench --release $(RELEASE) --dom0 $(DOM0)

bench-check:
	@scripts/bench --check --profile build/bench/profile

lint:
	@scripts/setup build lint
	@scripts/lint

unit:
	@scripts/setup unit
	@$(MAKE) -s -C selftests/unit check
	@$(MAKE) -s -C selftests/fuzz check

lab-shell:
	@scripts/setup lab
	@scripts/lab/lab shell --release $(RELEASE) --dom0 $(DOM0)

deb:
	@scripts/package deb --release $(RELEASE)

rpm:
	@scripts/package rpm --release $(RELEASE)

clean:
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name lab ! -name debug-kernel -exec rm -rf {} +
	@test ! -d $(KDIR) || $(MAKE) -s -C $(KDIR) M=$(CURDIR)/module clean
