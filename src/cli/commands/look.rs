//! One look at each environment, as the lists of the command line make it: the console's.

use futures_util::future::join_all;

use crate::{
    cli::{
        error::CliError,
        failed::{Failed, sort_out},
        world::{Site, World},
    },
    cloud::CloudError,
    observe::{Lack, Once, Snapshot, Wanted, once},
};

/// Looks at every environment; where what `failed` names did not come, there is nothing to show.
pub(super) async fn look_at<'w>(
    world: &'w World,
    wanted: &Wanted<'_>,
    failed: fn(&Snapshot) -> Option<&CloudError>,
) -> (Vec<(&'w Site, Once)>, Failed<'w>) {
    let answers = join_all(world.sites.iter().map(|site| look(site, wanted, failed))).await;
    sort_out(world, answers)
}

/// The same at one.
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

pub(super) fn not_all(what: &str, lack: &Lack) -> String {
    let why = lack.error.as_ref().map_or_else(|| lack.words.to_string(), ToString::to_string);
    format!("{what} are not all known: {why}")
}
