# How long each fuzz test runs under "make fuzz".
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help build test lint format fuzz bench

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Compile every package
	go build ./...

test: ## Run every check a change must pass
	./scripts/test

lint: ## Run golangci-lint (built once into the user's cache)
	./scripts/lint

format: ## Format the code
	gofmt -w $$(go list -f '{{.Dir}}' ./...)

fuzz: ## Fuzz every decoder in turn, FUZZTIME (30s) each
	@set -e; for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; \
			go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
		done; \
	done

bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...
