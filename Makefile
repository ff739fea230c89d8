# `make` alone lists the targets. Every target sets up what it needs; a second run of it does nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help deps build samples clean-shards nightly install eval-samples test stress-kill test-peers fuzz fuzz-mutations sanitize lint peers bench bench-labels bench-quality bench-training bench-scale bench-throughput clean

# One set of flags for the build and the tests, so that nothing is compiled twice.
SWIFT_FLAGS = -c release -Xswiftc -enable-testing $(DEBUG_FORMAT)
# Nobody reads where each instruction comes from but the sanitizers, and writing it down takes time.
DEBUG_FORMAT := -debug-info-format none
BIN := .build/release
DATA := Samples/data
DEBS := openclipart-svg openclipart-png tuxpaint-stamps-default
PACKAGES := libarchive-dev liblzma-dev libzstd-dev libopenblas-dev libturbojpeg0-dev libspng-dev libwebp-dev \
  libxxhash-dev pkg-config zstd python3 python3-venv
KILLS := 100
# Share of captions to swap: `make samples SWAP=0.3` builds that variant too.
SWAP :=

# The recipes read these from the environment, so that paths may hold spaces.
export CORPUS OUT

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

deps: ## Install what is missing of the system libraries (apt).
	@missing=(); \
	for package in $(PACKAGES); do \
	  state=$$(dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>&1 || true); \
	  [[ $$state == installed ]] || missing+=("$$package"); \
	done; \
	if (( $${#missing[@]} )); then \
	  if (( EUID == 0 )); then as_root=(env); \
	  elif sudo -n true 2> /dev/null; then as_root=(sudo -n env); \
	  else \
	    echo "Missing Debian packages: $${missing[*]}" >&2; \
	    echo "Install them, then run make again:  sudo apt-get install $${missing[*]}" >&2; \
	    exit 1; \
	  fi; \
	  echo "Installing $${missing[*]}" >&2; \
	  "$${as_root[@]}" apt-get update -q < /dev/null; \
	  "$${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qy --no-install-recommends "$${missing[@]}" < /dev/null; \
	fi
	@command -v swift > /dev/null || { \
	  echo "swift is not on the PATH: install Swift 6.3 (swift.org/install), then run make again" >&2; \
	  exit 1; }

build: deps ## Build the winnow command.
	swift build $(SWIFT_FLAGS) --product winnow

# For cron and systemd, which find no Swift: its libraries are in the command; what it needs beside them is Debian's.
PREFIX := /usr/local

install: deps ## Install the winnow command into PREFIX=/usr/local (bin), whole in itself but for Debian's libraries.
	swift build -c release --static-swift-stdlib --scratch-path .build-install -Xlinker -s --product winnow
	install -D -m 755 .build-install/release/winnow "$(DESTDIR)$(PREFIX)/bin/winnow"

samples: $(DATA)/corpus/000000.tar $(if $(SWAP),$(DATA)/swap-$(SWAP)/000000.tar) ## Build the sample corpus; SWAP=F adds a variant with known mismatches.

# The first 4,000 pairs of the sample corpus (any prefix represents the whole): minutes, where all 8,903 take twice that.
SAMPLE := $(DATA)/corpus/{000000..000003}.tar

clean-shards: build $(if $(CORPUS),,samples) ## Clean CORPUS=dir (default: 4,000 sample pairs) into OUT=dir; WINNOW_FLAGS= passes options.
	@sample='$(SAMPLE)'; default="$${CORPUS:+$${CORPUS%/}-clean}"; \
	status=0; \
	$(BIN)/winnow clean "$${CORPUS:-$$sample}" --out "$${OUT:-$${default:-$(DATA)/corpus-clean}}" \
	  $(WINNOW_FLAGS) || status=$$?; \
	$(tolerate-unread-shards)

nightly: build $(if $(CORPUS),,samples) ## Clean what is new in CORPUS=dir since the last time, into OUT=dir, with a log and figures beside it.
	@sample='$(SAMPLE)'; corpus="$${CORPUS:-$$sample}"; out="$${OUT:-$${CORPUS:-$(DATA)/corpus}}"; \
	out="$${out%/}"; [[ -n "$${OUT:-}" ]] || out="$$out-clean"; status=0; \
	$(BIN)/winnow clean "$$corpus" --pipeline Pipelines/nightly.yaml --out "$$out" \
	  --log "$$out.jsonl" --metrics "$$out.prom" $(WINNOW_FLAGS) || status=$$?; \
	$(tolerate-unread-shards)

eval-samples: build $(DATA)/swap-0.3/000000.tar ## Clean the variant with 30 % of captions swapped and say how well that went.
	@rm -rf $(DATA)/swap-0.3-clean
	@status=0; \
	$(BIN)/winnow clean $(DATA)/swap-0.3 --out $(DATA)/swap-0.3-clean $(WINNOW_FLAGS) > /dev/null \
	  || status=$$?; \
	$(tolerate-unread-shards)
	@$(BIN)/winnow eval noise --truth $(DATA)/swap-0.3/truth.tsv --out $(DATA)/swap-0.3-clean

# Which seeds and cells, and how often (a) sees each pair; see Tests/Benchmarks/README.md.
BENCH_SEEDS := 0,1,2
BENCH_CELLS :=
BENCH_EPOCHS := 10
# How set (b) is cleaned (pipeline file); empty is winnow clean's default.
BENCH_CLEANING :=
TEXT := $(DATA)/text

bench-training: build $(DATA)/swap-0.3/000000.tar $(TEXT) ## What cleaning is worth to a trained model; BENCH_SEEDS=, BENCH_CELLS=, BENCH_EPOCHS=, BENCH_CLEANING=.
	swift build $(SWIFT_FLAGS) --product bench-training
	$(BIN)/bench-training --corpus $(DATA)/swap-0.3 --out $(DATA)/bench-training \
	  --pipeline Tests/Benchmarks/Training/training.yaml --text $(TEXT)/glosses.txt --text $(TEXT)/packages.txt \
	  --seeds '$(BENCH_SEEDS)' --cells '$(BENCH_CELLS)' --epochs $(BENCH_EPOCHS) $(if $(BENCH_CLEANING),--cleaning $(BENCH_CLEANING))

# Which seeds and cells; QUALITY_FLAGS=--full is the whole corpus and the default judges.
QUALITY_SEEDS := 1,2,3
QUALITY_CELLS :=
QUALITY_FLAGS :=

bench-quality: build $(DATA)/debs ## What judges, estimate and cut find, against the alternatives; QUALITY_SEEDS=, QUALITY_CELLS=, QUALITY_FLAGS=--full.
	swift build $(SWIFT_FLAGS) --product build-samples
	swift build $(SWIFT_FLAGS) --product bench-quality
	$(BIN)/bench-quality --packages $(DATA)/debs/usr/share --out $(DATA)/bench-quality \
	  --folder Tests/Benchmarks/Quality --ecl Pipelines/ecl.yaml \
	  --seeds '$(QUALITY_SEEDS)' --cells '$(QUALITY_CELLS)' $(QUALITY_FLAGS)

test: deps lint .venv/consumers/.complete ## Lint, build (a warning is an error), run every test.
	WINNOW_PYTHON="$(CURDIR)/.venv/consumers/bin/python" swift test $(SWIFT_FLAGS)

stress-kill: deps ## Kill runs at KILLS=100 random moments and hold what the next ones leave to an uninterrupted one.
	WINNOW_KILLS=$(KILLS) swift test $(SWIFT_FLAGS) --filter KillTests

test-peers: peers $(DATA)/debs ## Hold Winnow to the originals: transformers, open_clip, PyTorch (minutes).
	WINNOW_PEERS_PYTHON="$(CURDIR)/.venv/peers/bin/python" swift test $(SWIFT_FLAGS) --filter PeersTests

# Seconds for each reader of strangers' bytes, and which of them; see Tests/Fuzz.
FUZZ_SECONDS := 600
FUZZ_FLAGS :=
FUZZ_TARGETS := shards passages jpeg png webp safetensors npy npz tokenizers captions pipeline
MUTATIONS := 100000
LEAKS := suppressions=$(CURDIR)/Tests/Sanitizers/leaks.txt:print_suppressions=0

fuzz: deps ## Fuzz every reader (libFuzzer, address sanitizer), FUZZ_SECONDS= each; FUZZ_TARGETS= picks some.
	WINNOW_FUZZ=1 swift build -c release --scratch-path .build-fuzz --product winnow-fuzz \
	  -Xswiftc -sanitize=fuzzer,address
	@cd .build-fuzz; \
	export SWIFT_BACKTRACE=enable=no LSAN_OPTIONS='$(LEAKS)'; \
	release/winnow-fuzz --seeds seeds; \
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p found/$$target; \
	  echo "fuzzing $$target" >&2; \
	  release/winnow-fuzz $$target found/$$target seeds/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=20 \
	    -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 -verbosity=0 -artifact_prefix=$$target- $(FUZZ_FLAGS); \
	done

fuzz-mutations: deps ## Damage small files of every format MUTATIONS= times (100,000); make test tries some thousands.
	WINNOW_MUTATIONS=$(MUTATIONS) swift test $(SWIFT_FLAGS) --filter FuzzTests

SCRATCH_address := asan
SCRATCH_thread := tsan

# Without the tests in Python: its process isn't one of ours. Tests of memory or of the time that work takes are left out.
sanitize-%: DEBUG_FORMAT :=
sanitize-%: deps
	WINNOW_SANITIZED=1 SWIFT_BACKTRACE=enable=no LSAN_OPTIONS='$(LEAKS)' \
	  TSAN_OPTIONS='suppressions=$(CURDIR)/Tests/Sanitizers/races.txt' \
	  swift test $(SWIFT_FLAGS) --disable-xctest --sanitize=$* --scratch-path .build-$(SCRATCH_$*)

sanitize: sanitize-address sanitize-thread ## Run the tests under the address and the thread sanitizer (an hour).

lint: deps ## Check the format of the Swift sources.
	swift format lint --strict --recursive Sources Tests Samples/BuildSamples Package.swift

peers: deps .venv/peers/.complete ## Set up the Python packages that Winnow is compared with (PyTorch).

bench: build samples .venv/peers/.complete ## Compare our speed with PyTorch's, in turns; BENCH_FLAGS= passes options.
	swift build $(SWIFT_FLAGS) --product winnow-bench
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	.venv/peers/bin/python Tests/Peers/bench.py $(BIN)/winnow-bench $(DATA)/corpus "$$scratch" $(BENCH_FLAGS)

bench-labels: build .venv/peers/.complete ## Compare winnow labels with cleanlab, in turns (9 GB of scratch); BENCH_FLAGS= passes options.
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	.venv/peers/bin/python Tests/Peers/bench_labels.py $(BIN)/winnow "$$scratch" $(BENCH_FLAGS)

# Pairs of the corpora that bench-scale generates (3 GB a million); SCALE_FLAGS= and THROUGHPUT_FLAGS= pass options.
SCALE_SIZES := 1000,100000,1000000

bench-scale: build ## Memory and cost of a pair at growing sizes, and with hostile images; SCALE_SIZES=, SCALE_FLAGS=.
	swift build $(SWIFT_FLAGS) --product bench-corpus
	python3 Tests/Peers/bench_scale.py $(BIN)/winnow $(BIN)/bench-corpus Tests/Benchmarks/Scale/judges.yaml \
	  $(DATA)/bench-scale --sizes '$(SCALE_SIZES)' $(SCALE_FLAGS)

bench-throughput: build samples .venv/peers/.complete ## Scaling, filter pass and reading against their peers, in turns; THROUGHPUT_FLAGS=.
	swift build $(SWIFT_FLAGS) --product bench-corpus
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	.venv/peers/bin/python Tests/Peers/bench_throughput.py $(BIN)/winnow $(BIN)/bench-corpus \
	  Tests/Benchmarks/Scale/judges.yaml $(DATA)/corpus "$$scratch" $(THROUGHPUT_FLAGS)

clean: ## Remove everything made here: build, virtual environments, sample corpora and their results.
	rm -rf .build .build-* .venv $(DATA)

# Exit status 3 of winnow: done, but a shard could not be read to its end, or a published file is damaged.
define tolerate-unread-shards
if (( status == 3 )); then \
  echo "warning: a shard could not be read to its end, or a published file is damaged; it is named above" >&2; \
elif (( status != 0 )); then exit $$status; fi
endef

# Fetches Debian packages into a new folder and leaves the shell in it; it becomes the target when it is whole, so that
# an interrupted download starts again.
define fetch-debs
part="$(CURDIR)/$@.partial"; rm -rf "$$part"; mkdir -p "$$part"; trap 'rm -rf "$$part"' EXIT; \
cd "$$part"; \
echo "Downloading $(1)" >&2; \
download() { apt-get -o APT::Sandbox::User=root download -q $(1) < /dev/null; }; \
if ! download; then \
  if (( EUID == 0 )); then apt-get update -q < /dev/null || true; \
  else sudo -n apt-get update -q < /dev/null || true; fi; \
  download || { \
    echo "Cannot download $(1): check the network and run 'apt-get update' as root." >&2; \
    echo "Your own shards need none of this: make clean-shards CORPUS=dir OUT=dir" >&2; \
    exit 1; }; \
fi; \
for deb in *.deb; do dpkg-deb -x "$$deb" . && rm "$$deb"; done
endef

$(DATA)/debs: | deps
	@$(call fetch-debs,$(DEBS)); mv "$$part" "$(CURDIR)/$@"

# Unpaired text, a passage a line: WordNet's glosses, and what Debian's package lists say in a line.
$(TEXT): | deps
	@$(call fetch-debs,wordnet-base); \
	awk -F ' [|] ' '/^[0-9]/ { sub(/ +$$/, "", $$2); print $$2 }' usr/share/wordnet/data.* > glosses.txt; \
	apt-cache dumpavail | sed -n 's/^Description\(-en\)\?: //p' | LC_ALL=C sort -u > packages.txt; \
	rm -r usr; wc -l *.txt >&2; mv "$$part" "$(CURDIR)/$@"

build-samples = trap 'rm -rf $(DATA)/.*.partial' EXIT; \
  swift build $(SWIFT_FLAGS) --product build-samples && \
  $(BIN)/build-samples --openclipart $(DATA)/debs/usr/share/openclipart \
    --stamps $(DATA)/debs/usr/share/tuxpaint/stamps --out $(@D)

$(DATA)/corpus/000000.tar: | deps $(DATA)/debs
	$(build-samples)

$(DATA)/swap-%/000000.tar: | deps $(DATA)/debs
	$(build-samples) --swap $*

.venv/%/.complete: Tests/Peers/requirements-%.txt | deps
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check -r $< < /dev/null
	touch $@
