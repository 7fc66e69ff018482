//! Functions and mappings as Lambda's documents show them.

use serde_json::{Value, json};

use super::{Caller, Function, Mapping, given};

pub(super) fn function_arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

pub(super) fn mapping(caller: &Caller, id: &str, mapping: &Mapping) -> Value {
    let Caller { account, region, .. } = caller;
    given(json!({
        "UUID": id,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window_seconds,
        "EventSourceArn": mapping.source,
        "FunctionArn": function_arn(account, region, &mapping.function),
        "LastModified": mapping.modified_at as f64 / 1_000.0,
        "State": mapping.state,
        "StateTransitionReason": mapping.reason,
        "FunctionResponseTypes": [],
        "EventSourceMappingArn": format!("arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"),
        "LastProcessingResult": mapping.last_result,
        "ScalingConfig": mapping.concurrency_max.map(|most| json!({ "MaximumConcurrency": most })),
    }))
}

pub(super) fn function(caller: &Caller, name: &str, function: &Function) -> Value {
    let modified = jiff::Timestamp::from_millisecond(function.modified_at).unwrap_or_default();
    json!({
        "FunctionName": name,
        "FunctionArn": function_arn(&caller.account, &caller.region, name),
        "Runtime": function.runtime, "Role": function.role, "Handler": function.handler,
        "CodeSize": 1_024, "Description": "", "Timeout": function.timeout_seconds, "MemorySize": 128,
        "LastModified": modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(),
        "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Version": "$LATEST",
        "State": "Active", "LastUpdateStatus": "Successful", "PackageType": "Zip",
    })
}
