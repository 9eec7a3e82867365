# make run    sets up what is missing, builds, and runs the main job: a rectified flow, with a report
# make test   sets up what is missing, builds, and runs the tests (release configuration)
# make test-xla runs what needs XLA: operations, meshes and a system on its CPU backend, which it fetches
# make matrix fills the table of every operation under every transform and writes its page
SWIFT ?= swift
CONFIGURATION ?= release
ARGUMENTS ?=

.PHONY: run test test-full test-threads test-xla xla-cpu-plugin matrix agreement accuracy build bench docs format setup clean

run: build
	.build/$(CONFIGURATION)/fluxion run rectified-flow $(ARGUMENTS)

test: setup
	scripts/test.sh -c $(CONFIGURATION) $(ARGUMENTS)

# The same with every cell of the matrix of operations, of which `make test` runs a sample, and with conversions of all patterns of 32 bits.
test-full: setup
	FLUXION_MATRIX=full scripts/test.sh -c $(CONFIGURATION) $(ARGUMENTS)

# XLA's own CPU backend as a plugin for tests; prints its path. Fetches some 270 MB the first time.
xla-cpu-plugin:
	scripts/xla/build-cpu-plugin.sh

# The client, the operations with their derivatives, meshes, and a system, through XLA on that plugin.
test-xla: setup
	scripts/xla/test.sh -c $(CONFIGURATION) $(ARGUMENTS)

# Every operation × transform × element type × sample × engine, written to the documentation; fails if a cell does.
matrix: setup
	$(SWIFT) build -c release --product FluxionMatrix
	.build/release/FluxionMatrix --page Sources/Fluxion/Documentation.docc/OperationMatrix.md $(ARGUMENTS)

# Random programs in Fluxion and in JAX: values, gradients, Hessian-vector products.
agreement: setup
	scripts/agreement/run.sh $(ARGUMENTS)

# The errors of the elementary kernels over all f32 arguments and 10⁷ f64 ones, and of the special functions, written to the documentation;
# fails if a bound is broken.
accuracy: setup
	scripts/accuracy/run.sh $(ARGUMENTS)

# The suite under the thread sanitizer (a build of its own). A test asks for more memory than there is; the sanitizer's allocator
# answers as others do only when told.
test-threads: setup
	TSAN_OPTIONS="allocator_may_return_null=1 $$TSAN_OPTIONS" scripts/test.sh -c $(CONFIGURATION) --sanitize=thread --scratch-path .build/threads $(ARGUMENTS)

build: setup
	$(SWIFT) build -c $(CONFIGURATION) --product fluxion

# The works of `fluxion bench` beside JAX and PyTorch, by turns; a table under Benchmarks/results. FLUXION_PEERS=python names an
# interpreter that has the peers; else an environment of their own is made under .build.
bench: setup
	$(SWIFT) build -c release --product fluxion
	Benchmarks/run.sh $(ARGUMENTS)

# One documentation archive per module, under .build/docs.
docs: setup
	scripts/docs.sh

format:
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Examples Package.swift

setup:
	@scripts/setup.sh

clean:
	rm -rf .build
