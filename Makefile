# `make test` needs the Rust toolchain, Python 3 with pip, and apt-get as root where PostgreSQL or MariaDB is missing. It says what it
# installs, installs it, and stops what it starts.
.PHONY: test bench lint screenshots

test:
	python3 scripts/test

bench:
	cargo bench --locked

# The pictures of README.md, of the real console in a real terminal.
screenshots:
	cargo test --locked --test main pictures -- --ignored

lint:
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
