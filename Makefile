# make run    sets up what is missing, builds, and runs the main job: a rectified flow, with a report
# make test   sets up what is missing, builds, and runs the tests (release configuration)
SWIFT ?= swift
CONFIGURATION ?= release
ARGUMENTS ?=

.PHONY: run test test-threads build bench docs format setup clean

run: build
	.build/$(CONFIGURATION)/fluxion run rectified-flow $(ARGUMENTS)

test: setup
	scripts/test.sh -c $(CONFIGURATION) $(ARGUMENTS)

# The suite under the thread sanitizer (a build of its own).
test-threads: setup
	scripts/test.sh -c $(CONFIGURATION) --sanitize=thread --scratch-path .build/threads $(ARGUMENTS)

build: setup
	$(SWIFT) build -c $(CONFIGURATION) --product fluxion

# Times of the small programs the documentation quotes.
bench: setup
	$(SWIFT) run -c release --package-path Benchmarks Measure $(ARGUMENTS)

# One documentation archive per module, under .build/docs.
docs: setup
	scripts/docs.sh

format:
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Examples Package.swift

setup:
	@scripts/setup.sh

clean:
	rm -rf .build
