//! [`Sizes`]: how many tasks each service had before it was put to sleep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Remembered, store::Remember};
use crate::domain::{RunId, ServiceId};

/// Sizes of an account's services in a region.
pub type Sizes = Remembered<Size>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub desired: u32,
    pub at: Timestamp,
    pub run: RunId,
}

impl Remember for Size {
    type Of = ServiceId;

    const FOLDER: &'static str = "sizes";

    fn replaces(&self, _known: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::AccountId, journal::StateFolder};

    #[test]
    fn sizes_are_remembered_and_a_broken_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path());
        let account = AccountId("111111111111".to_owned());
        let read = || Sizes::read(&state, &account, "af-south-1");
        let service = ServiceId::new("main", "api");
        assert_eq!(read().expect("none yet").of(&service), None);
        let size = Size { desired: 3, at: Timestamp::UNIX_EPOCH, run: RunId::new(Timestamp::UNIX_EPOCH, 7) };
        let change = |change: &dyn Fn(&mut Sizes)| Sizes::change(&state, &account, "af-south-1", |sizes| change(sizes));
        change(&|sizes| sizes.remember(&service, size.clone())).expect("written");
        assert_eq!(read().expect("there").of(&service), Some(&size));
        change(&|sizes| sizes.forget(&service)).expect("written");
        assert_eq!(read().expect("there").of(&service), None);
        std::fs::write(Sizes::path(&state, &account, "af-south-1"), "{").expect("written");
        assert!(read().is_err() && change(&|sizes| sizes.forget(&service)).is_err());
    }

    #[test]
    fn two_that_remember_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(folder.path());
        let account = AccountId("111111111111".to_owned());
        let service = |number: usize| ServiceId::new("main", &format!("api-{number}"));
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (state, account) = (&state, &account);
                scope.spawn(move || {
                    let size =
                        Size { desired: 1, at: Timestamp::UNIX_EPOCH, run: RunId::new(Timestamp::UNIX_EPOCH, 7) };
                    Sizes::change(state, account, "x", |sizes| sizes.remember(&service(number), size))
                        .expect("written");
                });
            }
        });
        let sizes = Sizes::read(&state, &account, "x").expect("there");
        assert!((0..16).all(|number| sizes.of(&service(number)).is_some()), "{sizes:?}");
    }
}
