//! SSM parameters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Caller,
    call::{Answered, Call, given, told},
    error::error,
    secrets::Secrets,
    service::{JSON_1_1, Protocol, ServiceDef, does},
};

/// Most names of a `GetParameters`, and most parameters on a page (SSM API reference).
const PAGE_MAX: usize = 10;

/// Under these names it shows secrets of Secrets Manager (Systems Manager User Guide, "Referencing Secrets Manager secrets").
const SECRETS: &str = "/aws/reference/secretsmanager/";

#[derive(Debug, Default)]
pub struct Parameters {
    by_place: BTreeMap<(String, String), BTreeMap<String, Parameter>>,
}

#[derive(Debug, Clone)]
struct Parameter {
    value: String,
    kind: String,
    version: u64,
    modified_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParametersByPath {
    path: String,
    #[serde(default)]
    recursive: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutParameter {
    name: String,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AmazonSSM", content_type: JSON_1_1, shapes: None },
    ..ServiceDef::new(
        "ssm",
        &[
            ("GetParameter", |world, call, input| told(world.ssm.get_one(call, input.read()?, &world.secrets))),
            ("GetParameters", |world, call, input| told(world.ssm.get_named(call, input.read()?, &world.secrets))),
            ("GetParametersByPath", does!(ssm.get_by_path)),
            ("PutParameter", does!(ssm.put_one)),
        ],
    )
};

impl Parameters {
    /// Sets a parameter, whether it is there or not; answers its version.
    pub fn put(&mut self, now: Timestamp, account: &str, region: &str, name: &str, value: &str) -> u64 {
        let place = self.by_place.entry((account.to_owned(), region.to_owned())).or_default();
        set(place, now, name, value, None)
    }

    /// A parameter's value.
    pub fn value(&self, account: &str, region: &str, name: &str) -> Option<&str> {
        let place = self.by_place.get(&(account.to_owned(), region.to_owned()))?;
        place.get(name).map(|parameter| parameter.value.as_str())
    }

    fn get_one(&self, call: Call, request: GetParameter, secrets: &Secrets) -> Answered<Value> {
        let found = self.find(call.caller, &request.name, secrets).ok_or_else(|| error("ParameterNotFound", ""))?;
        Ok(json!({ "Parameter": found }))
    }

    fn get_named(&self, call: Call, request: GetParameters, secrets: &Secrets) -> Answered<Value> {
        if request.names.is_empty() || request.names.len() > PAGE_MAX {
            let length =
                if request.names.is_empty() { "greater than or equal to 1" } else { "less than or equal to 10" };
            let names = request.names.join(", ");
            return Err(error(
                "ValidationException",
                format!(
                    "1 validation error detected: Value '[{names}]' at 'names' failed to satisfy constraint: \
                     Member must have length {length}"
                ),
            ));
        }
        let find = |name: &str| self.find(call.caller, name, secrets);
        let found: Vec<_> = request.names.iter().filter_map(|name| find(name)).collect();
        let missing: Vec<_> = request.names.iter().filter(|name| find(name).is_none()).collect();
        Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
    }

    fn get_by_path(&self, call: Call, request: GetParametersByPath) -> Answered<Value> {
        if !request.path.starts_with('/') {
            let message = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".";
            return Err(error("ValidationException", message));
        }
        let folder = format!("{}/", request.path.trim_end_matches('/'));
        let below =
            |name: &str| name.strip_prefix(&folder).is_some_and(|rest| request.recursive || !rest.contains('/'));
        let after = request.next_token.as_deref().unwrap_or_default();
        let page_max = request.max_results.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut found = self.place(call.caller).filter(|(name, _)| below(name) && name.as_str() > after);
        let names: Vec<_> = found.by_ref().take(page_max).collect();
        let next_token = found.next().and_then(|_| names.last()).map(|(name, _)| name.as_str());
        let parameters: Vec<_> = names.iter().map(|(name, parameter)| shown(call.caller, name, parameter)).collect();
        Ok(given(json!({ "NextToken": next_token, "Parameters": parameters })))
    }

    fn put_one(&mut self, call: Call, request: PutParameter) -> Answered<Value> {
        let Caller { account, region, .. } = call.caller;
        let place = self.by_place.entry((account.clone(), region.clone())).or_default();
        if place.contains_key(&request.name) && !request.overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
            return Err(error("ParameterAlreadyExists", message));
        }
        let version = set(place, call.time(), &request.name, &request.value, request.kind.as_deref());
        Ok(json!({ "Tier": "Standard", "Version": version }))
    }

    fn place(&self, caller: &Caller) -> impl Iterator<Item = (&String, &Parameter)> {
        self.by_place.get(&(caller.account.clone(), caller.region.clone())).into_iter().flatten()
    }

    fn find(&self, caller: &Caller, name: &str, secrets: &Secrets) -> Option<Value> {
        if let Some(id) = name.strip_prefix(SECRETS) {
            let value = secrets.value(&caller.account, &caller.region, id)?.to_owned();
            let modified_at = Timestamp::UNIX_EPOCH;
            let kind = "SecureString".to_owned();
            return Some(shown(caller, name, &Parameter { value, kind, version: 0, modified_at }));
        }
        let place = self.by_place.get(&(caller.account.clone(), caller.region.clone()))?;
        place.get(name).map(|parameter| shown(caller, name, parameter))
    }
}

fn set(place: &mut BTreeMap<String, Parameter>, now: Timestamp, name: &str, value: &str, kind: Option<&str>) -> u64 {
    let before = place.get(name);
    let version = before.map_or(0, |parameter| parameter.version) + 1;
    let kind = kind.or(before.map(|parameter| parameter.kind.as_str())).unwrap_or("String").to_owned();
    place.insert(name.to_owned(), Parameter { value: value.to_owned(), kind, version, modified_at: now });
    version
}

fn shown(caller: &Caller, name: &str, parameter: &Parameter) -> Value {
    let Caller { account, region, .. } = caller;
    json!({
        "ARN": format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/')),
        "DataType": "text",
        "LastModifiedDate": parameter.modified_at.as_millisecond() as f64 / 1_000.0,
        "Name": name,
        "Type": parameter.kind,
        "Value": parameter.value,
        "Version": parameter.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    fn call(world: &mut World, action: &str, body: &Value) -> Answered<Value> {
        let caller = Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() };
        world.ask_json(Timestamp::UNIX_EPOCH, &caller, ("ssm", action), body.clone())
    }

    fn world() -> World {
        World::new(7, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn pages_by_path_hold_ten() {
        let mut world = world();
        for count in 0..23 {
            world.ssm.put(Timestamp::UNIX_EPOCH, "1", "r", &format!("/storo/dev/{count:02}"), "x");
        }
        world.ssm.put(Timestamp::UNIX_EPOCH, "1", "r", "/storo/dev/deep/er", "x");
        let mut sizes = Vec::new();
        let mut request = json!({ "Path": "/storo/dev" });
        loop {
            let page = call(&mut world, "GetParametersByPath", &request).expect("a page");
            sizes.push(page["Parameters"].as_array().map_or(0, Vec::len));
            let Some(token) = page["NextToken"].as_str() else { break };
            request["NextToken"] = json!(token);
        }
        assert_eq!(sizes, [10, 10, 3]);
    }

    #[test]
    fn missing_names_are_told_and_eleven_are_too_many() {
        let mut world = world();
        call(&mut world, "PutParameter", &json!({"Name": "/a", "Value": "1", "Type": "String"})).expect("put");
        let answer = call(&mut world, "GetParameters", &json!({"Names": ["/a", "/b"]})).expect("got");
        assert_eq!((&answer["Parameters"][0]["Value"], &answer["InvalidParameters"]), (&json!("1"), &json!(["/b"])));
        let eleven: Vec<String> = (0..11).map(|count| format!("/{count}")).collect();
        let error = call(&mut world, "GetParameters", &json!({ "Names": eleven })).expect_err("too many");
        assert_eq!(error.code, "ValidationException");
        let again = call(&mut world, "PutParameter", &json!({"Name": "/a", "Value": "2"})).expect_err("there");
        assert_eq!(again.code, "ParameterAlreadyExists");
    }
}
