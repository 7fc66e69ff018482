# `make test` needs the Rust toolchain, Python 3 with pip, and apt-get as root where PostgreSQL or MariaDB is missing. It says what it
# installs, installs it, and stops what it starts.
.PHONY: test bench lint screenshots kills

test:
	python3 scripts/test

# With a private PostgreSQL for the outboxes. `cargo bench --locked` says which figures it skips without one.
bench:
	cargo bench --locked --no-run
	python3 scripts/test --postgres cargo bench --locked

# The pictures of README.md, of the real console in a real terminal.
screenshots:
	cargo test --locked --test main pictures -- --ignored

lint:
	cargo fmt --all --check
	cargo clippy --all-targets --locked -- -D warnings

# 3,000 times `kill -9`, in every operation and its resumes; prints what was found, and a table. Takes most of an hour.
kills:
	OPSCTL_TEST_KILLS=3000 cargo test --locked --test main killed_on_the_sandbox -- --nocapture
