"""What `scripts/test` needs to install, start and stop the peers. Only the standard library."""
