//! One look at an environment, as the lists of the command line make it: the console's.

use crate::{
    cli::{error::CliError, world::Site},
    cloud::CloudError,
    observe::{Once, Snapshot, Wanted, once},
};

/// Looks; where what `failed` names did not come, there is nothing to show.
pub(super) async fn look(
    site: &Site,
    wanted: &Wanted<'_>,
    failed: fn(&Snapshot) -> Option<&CloudError>,
) -> Result<Once, CliError> {
    site.read(|cloud| async move {
        let seen = once(cloud, wanted).await;
        match failed(&seen.snapshot) {
            Some(error) => Err(CliError::cloud(error, &site.environment)),
            None => Ok(seen),
        }
    })
    .await
}
