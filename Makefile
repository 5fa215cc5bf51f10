# The commands of the project. `make help` lists them.

GO         ?= go
BIN        := bin
TOOLS      := $(BIN)/tools

# The race detector covers everything but the SQLite translated from C and the arithmetic
# of crypto. The former has one goroutine per connection, and instrumenting its 200 000
# lines doubles the time that a clean machine compiles; the latter becomes ten times slower,
# and a test of the API signs hundreds of requests. Nobody runs a debugger over the tests:
# without its tables the compiler takes an eighth less time, the linker a third. Vet, linters
# and tests share these flags, so that each package is compiled once. RACE= turns the
# detector off.
exempt     = '-gcflags=$1=-race=false -dwarf=false'
RACE       ?= -race -gcflags=all=-dwarf=false $(call exempt,modernc.org/...) $(call exempt,crypto/internal/fips140/...)
LINK       := -ldflags=-w

# What is built without the race detector is built as the program for users is: so what
# tools, tests and that program have in common is compiled once.
RELEASED   := CGO_ENABLED=0 GOFLAGS='$(filter-out -trimpath,$(shell $(GO) env GOFLAGS)) -trimpath'
UNRACED    := $(if $(RACE),,$(RELEASED))

# The size of the long steps. `make crash` and `make fuzz` run longer.
CRASH_KILLS ?= 6
FUZZTIME    ?= 3s

# The packages whose tests run at the same time: many of them wait for disks and clocks.
BESIDE     ?= 3

# A test that runs longer than this has failed.
TIMEOUT    ?= 10m

# The steps of `make test` are ended after this time.
LIMIT      ?= 24m

# Tests read third-party specifications from this folder, as package specs says.
# Where the folder exists, a test that does not find its file fails.
SPECS      := $(wildcard $(or $(SAMLA_SPECS),../shared/specs))
ifneq ($(SPECS),)
export SAMLA_SPECS_REQUIRED := 1
endif

# A check counts by its exit status, a test by the events that it prints.
CHECKS := fmt vet lint imports
TESTS  := e2e unit | packaging-test crash-short households tools-test ops-test foreign-test fuzz-short

.DEFAULT_GOAL := help
.PHONY: help build licences coverage package image test check clean crash fuzz deps ready house short $(CHECKS) $(filter-out |,$(TESTS))

## The daily commands

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/samla, stripped
	$(RELEASED) $(GO) build -ldflags='-s -w' -o $(BIN)/samla ./cmd/samla

check: $(TOOLS)/gotestsum ## the quick half: format, vet, linters, import rules, short tests on SQLite
	@RACE= sh tools/steps.sh $(LIMIT) "$(CHECKS)" "tools-test short"

test: $(TOOLS)/gotestsum ## everything; the last line is "N passed, N failed"
	@SAMLA_TEST_POSTGRES_FSYNC=off SAMLA_TEST_REQUIRE_POSTGRES=1 SAMLA_TEST_REQUIRE_GENERATORS=1 SAMLA_TEST_REQUIRE_FOREIGN=1 SAMLA_TEST_REQUIRE_BROWSER=1 \
		MEANWHILE=ready AROUND=$(BIN)/withpg sh tools/steps.sh $(LIMIT) "$(CHECKS)" "$(TESTS)"

crash: deps $(BIN)/withpg ## the long crash test: 100 kills on each store
	SAMLA_TEST_REQUIRE_POSTGRES=1 SAMLA_CRASH_KILLS=100 $(BIN)/withpg \
		$(GO) test -count=1 -timeout 2h -v -run TestCrash ./test/crash

fuzz: $(TOOLS)/gotestsum ## every fuzz target for a minute
	@FUZZTIME=1m sh tools/steps.sh 6h "" fuzz-short

licences: build | $(TOOLS) ## the licences of all software that bin/samla carries, in bin/licences.txt
	@$(RELEASED) $(GO) -C tools build -o ../$(TOOLS)/licences ./cmd/licences
	@$(TOOLS)/licences $(BIN)/samla >$(BIN)/licences.txt.new
	@mv $(BIN)/licences.txt.new $(BIN)/licences.txt
	@echo "$(BIN)/licences.txt"

coverage: ## docs/coverage.md, from the profiles of banks
	@$(GO) generate ./internal/profile

package: licences ## a Debian package of bin/samla, in bin
	@$(RELEASED) $(GO) -C packaging build -o ../$(TOOLS)/pack ./cmd/pack
	@$(TOOLS)/pack deb

image: build | $(TOOLS) ## an OCI image of bin/samla in a tar file, in bin
	@$(RELEASED) $(GO) -C packaging build -o ../$(TOOLS)/pack ./cmd/pack
	@$(TOOLS)/pack image

clean: ## remove what was built
	rm -rf $(BIN)

## The steps of make test; each also works by itself

fmt:
	@bad=$$(gofmt -l clients cmd examples internal ops packaging test tools); test -z "$$bad" || { echo "not formatted by gofmt:"; echo "$$bad"; exit 1; }

vet:
	@$(UNRACED) $(GO) vet $(RACE) ./...

# The step vet runs the analyzers of govet over this module; they take long.
lint: $(TOOLS)/golangci-lint ## all linters
	@$(or $(UNRACED),GOFLAGS="$$($(GO) env GOFLAGS) $(RACE)") $(TOOLS)/golangci-lint run --disable govet ./...
	@cd tools && $(RELEASED) ../$(TOOLS)/golangci-lint run --config ../.golangci.yml ./...
	@cd packaging && $(RELEASED) ../$(TOOLS)/golangci-lint run --config ../.golangci.yml ./...
	@cd ops && $(RELEASED) ../$(TOOLS)/golangci-lint run --config ../.golangci.yml ./...
	@cd test/foreign && $(RELEASED) ../../$(TOOLS)/golangci-lint run --config ../../.golangci.yml ./...

imports: $(TOOLS)/go-arch-lint
	@out=$$($(TOOLS)/go-arch-lint check --project-path . --output-color=false) || { \
		echo "$$out"; echo "An import is allowed in .go-arch-lint.yml, a new package has a line there and in ARCHITECTURE.md."; exit 1; }
	@$(RELEASED) $(GO) -C tools build -o ../$(TOOLS)/house ./cmd/house
	@$(TOOLS)/house .

# The quick linters: the rules of our own.
house: imports $(TOOLS)/golangci-lint ## the import rules and the quick linters
	@$(TOOLS)/golangci-lint run --enable-only forbidigo,godox,revive ./...

tools-test: $(TOOLS)/golangci-lint $(TOOLS)/go-arch-lint $(TOOLS)/gotestsum
	@$(RELEASED) SAMLA_TOOLS=$(abspath $(TOOLS)) $(GO) -C tools test -json ./...

ops-test: ## the dashboard and the alert rules, with Prometheus itself
	@$(RELEASED) $(GO) -C ops test -json ./...

packaging-test:
	@$(RELEASED) $(GO) -C packaging test -json ./...

foreign-test: ## the programs of others that tests of connectors run
	@$(RELEASED) $(GO) -C test/foreign test -json ./...

# Most packages take no time, and the race detector waits a second at the end of each.
unit:
	@$(UNRACED) $(GO) test $(RACE) $(LINK) -p $$((2 * $(BESIDE))) -json -vet=off -timeout $(TIMEOUT) ./clients/... ./cmd/... ./internal/...

# The suites that wait longest for clocks begin first, so that none is left alone at the end.
# What computes runs beside them, and after them the step unit.
LONG := e2e faulty cases sources browser api
e2e:
	@$(UNRACED) $(GO) test $(RACE) $(LINK) -p $(BESIDE) -json -vet=off -count=1 -timeout $(TIMEOUT) $(LONG:%=./test/%) \
		$$($(GO) list ./test/... | grep -v -x -E 'samla/test/(crash|$(subst $(eval) ,|,$(LONG)))')

# Without the race detector: it kills and restarts the program as it is released.
crash-short:
	@$(RELEASED) SAMLA_CRASH_KILLS=$(CRASH_KILLS) $(GO) test $(LINK) -json -vet=off -count=1 -timeout $(TIMEOUT) -run TestCrash ./test/crash

# Without the race detector: with it, ten thousand households would take minutes, and the
# step unit makes one thousand. Whose accounts are one is compared for two thousand; the
# figures of docs/figures.md are of ten thousand, by the command there.
households:
	@$(RELEASED) SAMLA_HOUSEHOLDS=10000 $(GO) test $(LINK) -json -vet=off -count=1 -timeout $(TIMEOUT) ./internal/sandbox/household
	@$(RELEASED) SAMLA_HOUSEHOLDS=2000 $(GO) test $(LINK) -json -vet=off -count=1 -timeout $(TIMEOUT) ./internal/account

fuzz-short: | $(TOOLS)
	@$(RELEASED) $(GO) -C tools build -o ../$(TOOLS)/fuzz ./cmd/fuzz
	@$(RELEASED) $(TOOLS)/fuzz -time $(FUZZTIME)

short:
	@$(RELEASED) $(GO) test $(LINK) -json -short -vet=off -timeout $(TIMEOUT) ./...

## What the steps need

deps:
	@sh tools/deps.sh

# They need no processor for long: they are made while the checks compile.
ready: deps $(BIN)/withpg

$(BIN)/withpg: $(wildcard internal/testpg/*.go internal/testpg/withpg/*.go) | $(TOOLS)
	@$(RELEASED) $(GO) build -o $@ ./internal/testpg/withpg

# Third-party tools, at the versions of tools/go.mod.
$(TOOLS)/go-arch-lint: tools/go.mod tools/go.sum | $(TOOLS)
	@$(RELEASED) $(GO) -C tools build -o ../$@ github.com/fe3dback/go-arch-lint

$(TOOLS)/gotestsum: tools/go.mod tools/go.sum | $(TOOLS)
	@$(RELEASED) $(GO) -C tools build -o ../$@ gotest.tools/gotestsum

$(TOOLS)/golangci-lint: tools/go.mod tools/go.sum | $(TOOLS)
	@$(RELEASED) $(GO) -C tools build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(TOOLS):
	@mkdir -p $@
