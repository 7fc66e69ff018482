//! Looks: whether they tell that they saw all that lies in a queue.

use opsctl::{
    domain::Protection,
    leave,
    operations::sample,
    sandbox::world::{Fault, FaultKind},
};

use super::orders;
use crate::support::stage::Stage;

#[tokio::test(start_paused = true)]
async fn a_look_is_whole_only_where_nothing_more_came_and_nothing_failed() {
    for (messages_max, throttled_from, is_whole) in [(200, None, true), (20, None, false), (200, Some(2), false)] {
        let stage = Stage::new(Protection::Confirm, &orders(30));
        let cloud = stage.cloud().await;
        let url = cloud.sqs.url("orders-dlq").await.expect("a queue");
        let queue = cloud.sqs.describe(&url).await.expect("described");
        if let Some(nth) = throttled_from {
            let call = "ReceiveMessage".to_owned();
            stage.fault(Fault { call, queue: None, nth, times: 1_000, kind: FaultKind::Throttled });
        }
        let leave = leave::allow_sampling(cloud.environment()).expect("leave");
        let sample = sample::look(&cloud, &queue, messages_max, leave).await.expect("a look");
        assert_eq!(sample.is_whole, is_whole, "{messages_max} {throttled_from:?}");
        assert_eq!(sample.messages.len() == 30, is_whole, "{messages_max} {throttled_from:?}");
    }
}
