//! Where opsctl keeps what it writes for itself.

use std::path::PathBuf;

use etcetera::{BaseStrategy, base_strategy::Xdg};

/// Which world something belongs to: what happens in the sandbox is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm {
    Aws,
    Sandbox,
}

impl Realm {
    fn folder(self) -> &'static str {
        match self {
            Self::Aws => "opsctl",
            Self::Sandbox => "opsctl/sandbox",
        }
    }
}

/// Folder of journals and snapshots of what happens in AWS: `$XDG_STATE_HOME/opsctl`.
pub fn state() -> Option<PathBuf> {
    let home = Xdg::new().ok()?;
    Some(home.state_dir().unwrap_or_else(|| home.data_dir()).join(Realm::Aws.folder()))
}

/// The same of the served sandbox whose process is `pid`; without one, of a world that ends with this command.
///
/// Each world has its own: an unfinished run in a world that is gone must not hold up the next.
pub fn sandbox_state(pid: Option<u32>) -> Option<PathBuf> {
    match pid {
        Some(pid) => Some(state()?.join("sandbox").join(pid.to_string())),
        None => Some(std::env::temp_dir().join(format!("opsctl-sandbox-{}", std::process::id()))),
    }
}

/// Folder of what can be found out again: `$XDG_CACHE_HOME/opsctl`.
pub fn cache(realm: Realm) -> Option<PathBuf> {
    Some(Xdg::new().ok()?.cache_dir().join(realm.folder()))
}
