//! Whose credentials these are, asked once more in the middle of a run: somebody may have logged in elsewhere meanwhile.

use std::time::Duration;

use super::Context;
use crate::{
    cloud::ErrorKind,
    domain::Text,
    journal::{Journal, JournalError, Record},
    operations::transfer::Stop,
};

/// Tries where STS is not reached, and where it throttles.
const ATTEMPTS_MAX: u32 = 10;
const THROTTLED_ATTEMPTS_MAX: u32 = 30;

/// Asks STS, and writes down what it said.
///
/// # Errors
/// [`Stop::WrongAccount`]; or it can't be known, or not be written down.
pub(super) async fn account(context: &Context, journal: &Journal, account: &str) -> Result<(), Stop> {
    let (verified, written) = ask(context, journal, account).await?;
    written.map_err(|error| Stop::Journal(Text::line(&error.to_string())))?;
    verified
}

/// [`account`], though the answer can't be written down: on the way back a full disk must not keep anything paused.
///
/// # Errors
/// [`Stop::WrongAccount`]; or it can't be known.
pub(super) async fn account_on_the_way_back(context: &Context, journal: &Journal, account: &str) -> Result<(), Stop> {
    ask(context, journal, account).await?.0
}

/// Whether it is that account, and whether that is written down.
async fn ask(
    context: &Context,
    journal: &Journal,
    account: &str,
) -> Result<(Result<(), Stop>, Result<(), JournalError>), Stop> {
    let mut attempt = 0;
    let caller = loop {
        match context.cloud.identity().caller().await {
            Ok(caller) => break caller,
            Err(error) => {
                let throttled = error.kind == ErrorKind::Throttled;
                let attempts_max = if throttled { THROTTLED_ATTEMPTS_MAX } else { ATTEMPTS_MAX };
                if !error.is_passing() || attempt >= attempts_max || context.cancel.is_cancelled() {
                    return Err(Stop::Failed(error));
                }
                attempt += 1;
                let millis = (100_u64 << attempt.min(6)).min(5_000);
                context.cloud.clock().sleep(Duration::from_millis(millis)).await;
            }
        }
    };
    let verified = Record::Verified { account: caller.account.clone(), arn: Text::line(&caller.arn) };
    let written = journal.write(vec![verified], Vec::new()).await;
    let is_it = caller.account.0 == account;
    Ok((if is_it { Ok(()) } else { Err(Stop::WrongAccount { actual: caller.account }) }, written))
}
