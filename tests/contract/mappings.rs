//! Event source mappings: states that take time, and messages that are taken or not.

use aws_sdk_lambda::{Client, primitives::Blob, types::FunctionCode};
use opsctl::{
    cloud::ErrorKind,
    domain::{Mapping, MappingId, MappingState},
};

use super::{
    Check,
    ground::{ACCOUNT, Ground, plain},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a mapping tells its queue, its function and its state", told),
        Check::new("a mapping is paused and resumed, and says so", paused),
        Check::new("a paused mapping takes nothing", takes_nothing),
        Check::new("a mapping that is not there is not found", not_found),
        Check::new("mappings come in pages", pages),
    ]
}

/// A zip archive without entries: nothing is to run.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn raw(ground: &Ground) -> Client {
    Client::new(&ground.raw)
}

async fn function(ground: &Ground) -> String {
    let name = ground.prefix().to_owned();
    let code = FunctionCode::builder().zip_file(Blob::new(EMPTY_ZIP)).build();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/lambda");
    let call = raw(ground).create_function().function_name(&name).role(role).code(code);
    call.runtime("nodejs22.x".into()).handler("index.handler").send().await.expect("a function");
    name
}

/// A mapping of this check's function onto the queue.
async fn mapping_of(ground: &Ground, function: &str, arn: &str, enabled: bool) -> MappingId {
    let call = raw(ground).create_event_source_mapping().function_name(function).event_source_arn(arn);
    let made = call.enabled(enabled).batch_size(5).send().await.expect("a mapping");
    MappingId(made.uuid.expect("a UUID"))
}

async fn becomes(ground: &Ground, id: &MappingId, state: MappingState) -> Mapping {
    let look = async || ground.cloud.lambda.mapping(id).await.expect("there");
    ground.eventually(state.words(), async || look().await.state == state).await;
    look().await
}

async fn told(ground: Ground) {
    let queue = ground.queue("orders", &[]).await;
    let arn = ground.arn(&queue).await;
    let function = function(&ground).await;
    let id = mapping_of(&ground, &function, arn.as_str(), true).await;
    let shown = becomes(&ground, &id, MappingState::Enabled).await;
    assert_eq!((&shown.id, shown.function.as_str(), shown.batch_size), (&id, function.as_str(), Some(5)));
    assert_eq!(shown.queue.map(|queue| queue.0), Some(format!("{}-orders", ground.prefix())));
    assert_eq!((shown.source_arn.as_str(), shown.changed_at.is_some()), (arn.as_str(), true));
    let all = ground.cloud.lambda.mappings().await.expect("listed");
    assert_eq!(all.iter().filter(|one| one.id == id).count(), 1);
}

async fn paused(ground: Ground) {
    let queue = ground.queue("orders", &[]).await;
    let id = mapping_of(&ground, &function(&ground).await, ground.arn(&queue).await.as_str(), true).await;
    becomes(&ground, &id, MappingState::Enabled).await;
    let told = ground.cloud.lambda.set_enabled(&id, false).await.expect("updated");
    assert!(matches!(told.state, MappingState::Disabling | MappingState::Disabled), "{told:?}");
    becomes(&ground, &id, MappingState::Disabled).await;
    let told = ground.cloud.lambda.set_enabled(&id, true).await.expect("updated");
    assert!(matches!(told.state, MappingState::Enabling | MappingState::Enabled), "{told:?}");
    let reason = becomes(&ground, &id, MappingState::Enabled).await.reason;
    assert_eq!(reason.as_ref().map(|reason| reason.as_str()), Some("USER_INITIATED"));
}

async fn takes_nothing(ground: Ground) {
    let queue = ground.queue("orders", &[]).await;
    let id = mapping_of(&ground, &function(&ground).await, ground.arn(&queue).await.as_str(), false).await;
    becomes(&ground, &id, MappingState::Disabled).await;
    ground.send(&queue, &[plain("kept")]).await;
    ground.wait(8).await;
    assert_eq!(ground.receive_one(&queue, 0).await.body, "kept");
}

async fn not_found(ground: Ground) {
    let nobody = MappingId("00000000-0000-4000-8000-000000000000".to_owned());
    for error in [
        ground.cloud.lambda.mapping(&nobody).await.expect_err("not there"),
        ground.cloud.lambda.set_enabled(&nobody, false).await.expect_err("not there"),
    ] {
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    }
}

async fn pages(ground: Ground) {
    let function = function(&ground).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let queue = ground.queue(&format!("orders-{number}"), &[]).await;
        made.push(mapping_of(&ground, &function, ground.arn(&queue).await.as_str(), false).await.0);
    }
    let (mut seen, mut marker, mut pages) = (Vec::new(), None, 0);
    loop {
        let call = raw(&ground).list_event_source_mappings().function_name(&function).max_items(2);
        let page = call.set_marker(marker).send().await.expect("a page");
        assert!(page.event_source_mappings().len() <= 2, "{page:?}");
        seen.extend(page.event_source_mappings().iter().filter_map(|mapping| mapping.uuid.clone()));
        pages += 1;
        marker = page.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() || pages > 9 {
            break;
        }
    }
    seen.sort();
    made.sort();
    assert_eq!((seen, pages), (made, 3));
}
