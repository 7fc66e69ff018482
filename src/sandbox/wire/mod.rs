//! AWS's protocols on the world: one handler, mounted in process as the SDK's HTTP client and served on loopback.
