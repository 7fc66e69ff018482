# `make test` needs the Rust toolchain, Python 3 with pip, and apt; it installs the rest and stops what it starts.
.PHONY: test bench lint

test:
	python3 scripts/test

bench:
	cargo bench --locked

lint:
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
