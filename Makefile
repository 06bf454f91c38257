# Everything a developer types. `make help` lists it.
#
#   BAZEL        the bazel to use, with startup options (default: bazel)
#   BAZEL_FLAGS  more options for its commands, such as --config=asan
BAZEL ?= bazel
export BAZEL BAZEL_FLAGS

.DEFAULT_GOAL := help
.PHONY: help run test test-cephfs bench check format setup

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## build rmail and serve a demo account from ./run in the foreground
	@tools/run/run

test: ## build everything and run every test
	@tools/setup/setup test
	$(BAZEL) test $(BAZEL_FLAGS) //...

test-cephfs: setup ## two stores, each on its own client of a CephFS on this machine (as root)
	@tests/cephfs/run

bench: setup ## measure the engine, how fast mail is made durable, and IMAP
	$(BAZEL) run -c opt $(BAZEL_FLAGS) //tools/bench:engine
	$(BAZEL) run -c opt $(BAZEL_FLAGS) //tools/bench:sync
	$(BAZEL) run -c opt $(BAZEL_FLAGS) //tools/bench:imap

check: ## every formatter and linter; fails on a difference
	@tools/setup/setup check
	@tools/check/check

format: ## let the formatters rewrite the files
	@tools/setup/setup check
	@tools/check/check --write

setup: ## install what is missing (Debian packages)
	@tools/setup/setup
