//! An AWS underneath the SDK: a pure in-memory [`world`] behind one handler that speaks AWS's protocols ([`wire`]).
//!
//! ```text
//! Sandbox::new(world, clock, options) ── http_client()  the SDK's HTTP client, no sockets
//!                                     └─ serve(listener) the same on loopback, for other programs
//! ```

pub mod endpoint;
pub mod join;
pub mod serve;
pub mod wire;
pub mod world;

pub use world::fleet;

pub(crate) use opsctl_domain::{self as domain, clock};

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::clock::Clock;
use world::World;

/// Account of callers whose access key names none.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// A world that answers calls. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    /// Whether this one only looks, and nothing that goes wrong hits it.
    observes: bool,
}

/// Answers what is asked of whoever leads a drill: a document for a document.
pub type Control = Arc<dyn Fn(&str) -> String + Send + Sync>;

struct Shared {
    world: Mutex<World>,
    /// Told after every call that may have made a message receivable.
    changed: Notify,
    /// Counts requests: their ids are made of it.
    requests: AtomicU64,
    clock: Clock,
    options: Options,
    control: OnceLock<Control>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Time from a request to its answer, on the sandbox's clock.
    pub latency: Duration,
    /// Seed of the world; a reset starts from it again.
    pub seed: u64,
    /// How many times as fast as real time the clock runs; told to those who join.
    pub speed: f64,
    /// Account of callers whose access key is neither a twelve-digit account id nor one that `AssumeRole` handed out.
    pub default_account: String,
    /// Whether `POST /moto-api/reset` empties the world.
    pub reset: Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Refused,
    /// They may: test-suites start from an empty world.
    Allowed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            seed: 7,
            speed: 1.0,
            default_account: DEFAULT_ACCOUNT.to_owned(),
            reset: Reset::Refused,
        }
    }
}

impl Sandbox {
    pub fn new(world: World, clock: Clock, options: Options) -> Self {
        let shared = Shared {
            world: Mutex::new(world),
            changed: Notify::new(),
            requests: AtomicU64::new(0),
            clock,
            options,
            control: OnceLock::new(),
        };
        Self { shared: Arc::new(shared), observes: false }
    }

    /// The same world for somebody who only looks: no fault, denial, throttle or latency hits that, and nobody counts it.
    #[must_use]
    pub fn observer(&self) -> Self {
        Self { observes: true, ..self.clone() }
    }

    /// Lets other programs ask whoever leads the drill; once.
    pub fn lead(&self, control: Control) {
        drop(self.shared.control.set(control));
    }

    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Looks at the world or changes it, at this moment of its clock; long polls look again afterwards.
    pub fn with<T>(&self, change: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let now = self.shared.clock.now();
        let answer = change(&mut self.lock(), now);
        self.shared.changed.notify_waiters();
        answer
    }

    /// An HTTP client for the SDK that answers in process.
    pub fn http_client(&self) -> SharedHttpClient {
        wire::connector::http_client(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A panic in one call leaves the world as it was found by it: tests still want to look at it.
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A world may hold a million messages.
        formatter.debug_struct("Sandbox").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
