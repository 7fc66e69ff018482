//! Whose credentials these are, asked once more in the middle of a run: somebody may have logged in elsewhere meanwhile.

use super::Context;
use crate::{
    domain::Text,
    journal::{Journal, JournalError, Record},
    operations::transfer::{Stop, attempts_max, pause_after},
};

/// Asks STS, and writes down what it said.
///
/// # Errors
/// [`Stop::WrongAccount`]; or it can't be known, or not be written down.
pub(super) async fn account(context: &Context, journal: &Journal, account: &str) -> Result<(), Stop> {
    let (verified, written) = ask(context, journal, account).await?;
    written.map_err(Stop::unwritten)?;
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
        match context.cloud.identity.caller().await {
            Ok(caller) => break caller,
            Err(error) => {
                let is_over = attempt >= attempts_max(&error) || context.cancel.is_cancelled();
                if !error.is_passing() || is_over {
                    return Err(Stop::Failed(error));
                }
                attempt += 1;
                context.cloud.clock().sleep(pause_after(attempt)).await;
            }
        }
    };
    let verified = Record::Verified { account: caller.account.clone(), arn: Text::line(&caller.arn) };
    let written = journal.write(vec![verified], Vec::new()).await;
    let is_it = caller.account.0 == account;
    Ok((if is_it { Ok(()) } else { Err(Stop::WrongAccount { actual: caller.account }) }, written))
}
