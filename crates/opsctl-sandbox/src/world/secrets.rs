//! Secrets Manager on the pure world: secrets with their versions. Facts and texts are the API reference's.

mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApiError, Caller,
    call::{Answered, Call, given},
    error::error,
    page::page,
    service::{JSON_1_1, Protocol, ServiceDef, does},
};

/// Secrets on a page at most (API reference, `MaxResults`).
const PAGE_MAX: usize = 100;
/// Versions that are kept: the one that counts, and the one before it.
const VERSIONS_MAX: usize = 2;
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// Letters that Secrets Manager puts behind a name in an ARN, with the hyphen.
const SUFFIX: usize = 7;

#[derive(Default)]
pub struct Secrets {
    places: BTreeMap<(String, String), BTreeMap<String, Secret>>,
}

struct Secret {
    arn: String,
    description: Option<String>,
    created_at: i64,
    /// The latest first.
    versions: Vec<Version>,
    put: u64,
    /// When it is gone for good, of one that was deleted.
    deleted_at: Option<i64>,
}

struct Version {
    id: String,
    value: String,
    created_at: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    values: Vec<String>,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "secretsmanager", content_type: JSON_1_1, shapes: None },
    subject: |input| {
        let id = input.document.as_ref().ok()?.get("SecretId")?.as_str()?;
        Some(id.split_once(":secret:").map_or(id, |(_, name)| name).to_owned())
    },
    ..ServiceDef::new(
        "secretsmanager",
        &[
            ("GetSecretValue", does!(secrets.get_value)),
            ("DescribeSecret", does!(secrets.describe)),
            ("ListSecrets", does!(secrets.list)),
            ("CreateSecret", does!(secrets.create)),
            ("PutSecretValue", does!(secrets.update)),
            ("UpdateSecret", does!(secrets.update)),
            ("DeleteSecret", does!(secrets.delete)),
            ("RestoreSecret", does!(secrets.restore)),
        ],
    )
};

impl Secrets {
    /// Sets a secret's value, as a rotation does; the value before stays as `AWSPREVIOUS`. `suffix` are the six letters that its ARN
    /// ends with.
    pub fn put(&mut self, now: Timestamp, (account, region): (&str, &str), name: &str, suffix: &str, value: &str) {
        let now = now.as_millisecond();
        let place = self.places.entry((account.to_owned(), region.to_owned())).or_default();
        let secret = place.entry(name.to_owned()).or_insert_with(|| Secret {
            arn: format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}"),
            description: None,
            created_at: now,
            versions: Vec::new(),
            put: 0,
            deleted_at: None,
        });
        secret.put += 1;
        let own = super::hash(secret.arn.bytes());
        let id = format!("{:08x}-5ec7-4000-8000-{:012x}", own >> 32, secret.put);
        secret.versions.insert(0, Version { id, value: value.to_owned(), created_at: now });
        secret.versions.truncate(VERSIONS_MAX);
    }

    /// The value of a secret, named by its name or ARN.
    pub fn value(&self, account: &str, region: &str, id: &str) -> Option<&str> {
        let (_, secret) = self.find(account, region, id).filter(|(_, secret)| secret.deleted_at.is_none())?;
        secret.versions.first().map(|version| version.value.as_str())
    }

    fn get_value(&self, call: Call, request: GetValue) -> Answered<Value> {
        let (name, secret) = self.found(call.caller, &request.secret_id)?;
        let stage = request.version_stage.as_deref().unwrap_or(CURRENT);
        let (index, version) = match &request.version_id {
            Some(id) => secret.versions.iter().enumerate().find(|(_, version)| version.id == *id),
            None => {
                let index = [CURRENT, PREVIOUS].iter().position(|known| *known == stage);
                index.and_then(|index| Some((index, secret.versions.get(index)?)))
            }
        }
        .ok_or_else(|| match &request.version_id {
            Some(id) => not_found(&format!("secret value for VersionId: {id}")),
            None => not_found(&format!("secret value for staging label: {stage}")),
        })?;
        Ok(json!({
            "ARN": secret.arn,
            "Name": name,
            "VersionId": version.id,
            "SecretString": version.value,
            "VersionStages": [if index == 0 { CURRENT } else { PREVIOUS }],
            "CreatedDate": seconds(version.created_at),
        }))
    }

    fn describe(&self, call: Call, request: Describe) -> Answered<Value> {
        let (name, secret) = self.any(call.caller, &request.secret_id)?;
        Ok(secret.shown(name, "VersionIdsToStages"))
    }

    fn list(&self, call: Call, request: List) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        if let Some(filter) = request.filters.iter().find(|filter| filter.key != "name") {
            return Err(error("InvalidParameterException", format!("Invalid filter key {}", filter.key)));
        }
        let wanted = |name: &str| {
            request.filters.iter().all(|filter| filter.values.iter().any(|value| name.starts_with(value.as_str())))
        };
        let place = self.places.get(&(account.clone(), region.clone()));
        let secrets = place.into_iter().flatten().filter(|(name, secret)| wanted(name) && secret.deleted_at.is_none());
        let size = request.max_results.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let page = page(secrets, size, request.next_token.as_deref(), |(name, _)| name);
        let (secrets, next) = page.ok_or_else(|| error("InvalidNextTokenException", "Invalid NextToken"))?;
        let secrets: Vec<Value> =
            secrets.into_iter().map(|(name, secret)| secret.shown(name, "SecretVersionsToStages")).collect();
        Ok(given(json!({ "SecretList": secrets, "NextToken": next })))
    }

    fn find(&self, account: &str, region: &str, id: &str) -> Option<(&String, &Secret)> {
        let place = self.places.get(&(account.to_owned(), region.to_owned()))?;
        // By name, by ARN, or by an ARN without its last letters.
        place.iter().find(|(name, secret)| {
            *name == id || secret.arn == id || secret.arn.get(..secret.arn.len() - SUFFIX) == Some(id)
        })
    }

    /// A secret, deleted or not.
    fn any(&self, caller: &Caller, id: &str) -> Answered<(&String, &Secret)> {
        self.find(&caller.account, &caller.region, id).ok_or_else(|| not_found("secret."))
    }

    fn found(&self, caller: &Caller, id: &str) -> Answered<(&String, &Secret)> {
        let found = self.any(caller, id)?;
        if found.1.deleted_at.is_some() {
            return Err(write::scheduled("perform this operation on the secret because it was marked for deletion."));
        }
        Ok(found)
    }
}

impl Secret {
    fn shown(&self, name: &str, stages: &str) -> Value {
        let versions = self.versions.iter().zip([CURRENT, PREVIOUS]);
        let of_versions: serde_json::Map<String, Value> =
            versions.map(|(version, stage)| (version.id.clone(), json!([stage]))).collect();
        let changed_at = self.versions.first().map(|version| seconds(version.created_at));
        given(json!({
            "ARN": self.arn,
            "Name": name,
            "Description": self.description,
            "CreatedDate": seconds(self.created_at),
            "LastChangedDate": changed_at,
            "DeletedDate": self.deleted_at.map(seconds),
            stages: of_versions,
        }))
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

fn not_found(what: &str) -> ApiError {
    error("ResourceNotFoundException", format!("Secrets Manager can't find the specified {what}"))
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never a value.
        let names: Vec<&String> = self.places.values().flat_map(BTreeMap::keys).collect();
        formatter.debug_struct("Secrets").field("names", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    const ARN: &str = "arn:aws:secretsmanager:r:1:secret:bank/rds-a1b2c3";

    fn call(world: &mut World, action: &str, body: Value) -> Answered<Value> {
        let caller = Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() };
        world.ask_json(Timestamp::UNIX_EPOCH, &caller, ("secretsmanager", action), body)
    }

    fn world() -> World {
        let mut world = World::new(7, Timestamp::UNIX_EPOCH);
        for value in ["first", "second", "third"] {
            world.secrets.put(Timestamp::UNIX_EPOCH, ("1", "r"), "bank/rds", "a1b2c3", value);
        }
        world
    }

    #[test]
    fn a_secret_is_found_by_name_and_by_arn_and_keeps_the_value_before() {
        let mut world = world();
        for id in ["bank/rds", ARN, &ARN[..ARN.len() - SUFFIX]] {
            let got = call(&mut world, "GetSecretValue", json!({ "SecretId": id })).expect("a secret");
            assert_eq!((&got["SecretString"], &got["ARN"]), (&json!("third"), &json!(ARN)), "{id}");
        }
        let before = json!({ "SecretId": ARN, "VersionStage": "AWSPREVIOUS" });
        let before = call(&mut world, "GetSecretValue", before).expect("a secret");
        assert_eq!(before["SecretString"], "second");
        let by_version = json!({ "SecretId": ARN, "VersionId": before["VersionId"] });
        assert_eq!(call(&mut world, "GetSecretValue", by_version), Ok(before));
        let described = call(&mut world, "DescribeSecret", json!({ "SecretId": ARN })).expect("a secret");
        assert_eq!(described["VersionIdsToStages"].as_object().map(serde_json::Map::len), Some(2));
        assert!(!format!("{world:?}").contains("third"), "no value in a debug text");
    }

    #[test]
    fn what_is_not_there_is_missed() {
        let mut world = world();
        for body in [json!({ "SecretId": "other" }), json!({ "SecretId": ARN, "VersionStage": "OTHER" })] {
            assert_eq!(call(&mut world, "GetSecretValue", body).expect_err("none").code, "ResourceNotFoundException");
        }
        let listed = call(&mut world, "ListSecrets", json!({ "Filters": [{ "Key": "name", "Values": ["bank"] }] }));
        assert_eq!(listed.map(|listed| listed["SecretList"][0]["Name"].clone()), Ok(json!("bank/rds")));
        assert_eq!(
            call(&mut world, "ListSecrets", json!({ "NextToken": "x" })).expect_err("no token").code,
            "InvalidNextTokenException"
        );
    }
}
