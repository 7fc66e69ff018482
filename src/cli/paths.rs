//! Where opsctl keeps what it writes for itself.

use std::path::PathBuf;

use etcetera::{BaseStrategy, base_strategy::Xdg};

/// Which world something belongs to: what happens in the sandbox is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm {
    /// AWS.
    Aws,
    /// The sandbox.
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

/// Folder of journals and snapshots: `$XDG_STATE_HOME/opsctl`.
pub fn state(realm: Realm) -> Option<PathBuf> {
    let home = Xdg::new().ok()?;
    Some(home.state_dir().unwrap_or_else(|| home.data_dir()).join(realm.folder()))
}

/// Folder of what can be found out again: `$XDG_CACHE_HOME/opsctl`.
pub fn cache(realm: Realm) -> Option<PathBuf> {
    Some(Xdg::new().ok()?.cache_dir().join(realm.folder()))
}
