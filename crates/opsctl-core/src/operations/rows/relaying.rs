//! Whether anybody sends what is ready again: asked when the plan is made.

use crate::{
    cloud::Cloud,
    domain::{Outbox, Relay, SeenLock, Try},
    observe::parts::outboxes::{Relaying, relaying_now},
    operations::plan::{Plan, Remark},
    outboxes::{Deed, gone_now},
};

/// Says who sends the rows, and how whoever sleeps is woken.
pub(super) async fn tell(plan: &mut Plan, cloud: &Cloud, outbox: &Outbox, deed: Deed, lock: Option<SeenLock>) {
    let relaying = relaying_now(cloud, outbox, lock.clone()).await;
    plan.fact("relay", relaying.words());
    match deed {
        Deed::Replay | Deed::Release => {}
        Deed::ReleaseGone => match gone_now(cloud, outbox, lock).await {
            Ok(words) => plan.fact("relay is gone", words),
            Err(words) => plan.block(format!("claims that have not run out can't be freed: {words}")),
        },
        // Whether it runs is no matter for rows that it passes over.
        Deed::Park | Deed::Aside => return,
    }
    let environment = cloud.environment();
    match &relaying {
        Relaying::Awake(_) => {}
        Relaying::Unknown(words) if outbox.relay == Relay::Nobody => {
            plan.warn(format!("nothing sends the rows by itself: {words}"));
        }
        Relaying::Unknown(words) => plan.warn(format!("it is not known whether the relay runs: {words}")),
        Relaying::Asleep(words, waking) => {
            let wake = waking.command(environment).map(|line| Try::UseOther.says(format!("`{line}` wakes it")));
            plan.warn(Remark::new(format!("the relay is asleep, so the rows only wait: {words}"), wake));
        }
    }
}
