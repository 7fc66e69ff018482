//! SSM parameters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{ApiError, Caller};

/// Most names of a `GetParameters`, and most parameters on a page (SSM API reference).
const PAGE_MAX: usize = 10;

/// Every account's and region's parameters.
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

/// A parameter as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    #[serde(rename = "ARN")]
    arn: String,
    data_type: &'static str,
    last_modified_date: f64,
    name: &'a str,
    #[serde(rename = "Type")]
    kind: &'a str,
    value: &'a str,
    version: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    parameters: Vec<Shown<'a>>,
}

impl Parameters {
    /// Sets a parameter, whether it is there or not; answers its version.
    pub fn put(&mut self, now: Timestamp, account: &str, region: &str, name: &str, value: &str) -> u64 {
        let place = self.by_place.entry((account.to_owned(), region.to_owned())).or_default();
        set(place, now, name, value, None)
    }

    /// One call: `body` is its awsJson1_1 document, and so is the answer.
    ///
    /// # Errors
    /// As SSM words them: unknown action, unreadable body, missing parameter.
    pub fn call(&mut self, now: Timestamp, caller: &Caller, action: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match action {
            "GetParameter" => self.get_one(caller, &read(body)?),
            "GetParameters" => self.get_named(caller, &read(body)?),
            "GetParametersByPath" => self.get_by_path(caller, &read(body)?),
            "PutParameter" => self.put_one(now, caller, &read(body)?),
            _ => Err(error("UnknownOperationException", String::new())),
        }
    }

    fn get_one(&self, caller: &Caller, request: &GetParameter) -> Result<Vec<u8>, ApiError> {
        let found = self.find(caller, &request.name).ok_or_else(|| error("ParameterNotFound", String::new()))?;
        write(&serde_json::json!({ "Parameter": found }))
    }

    fn get_named(&self, caller: &Caller, request: &GetParameters) -> Result<Vec<u8>, ApiError> {
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
        let found: Vec<_> = request.names.iter().filter_map(|name| self.find(caller, name)).collect();
        let missing: Vec<_> = request.names.iter().filter(|name| self.find(caller, name).is_none()).collect();
        write(&serde_json::json!({ "Parameters": found, "InvalidParameters": missing }))
    }

    fn get_by_path(&self, caller: &Caller, request: &GetParametersByPath) -> Result<Vec<u8>, ApiError> {
        if !request.path.starts_with('/') {
            let message = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".";
            return Err(error("ValidationException", message.to_owned()));
        }
        let folder = format!("{}/", request.path.trim_end_matches('/'));
        let below =
            |name: &str| name.strip_prefix(&folder).is_some_and(|rest| request.recursive || !rest.contains('/'));
        let after = request.next_token.as_deref().unwrap_or_default();
        let page_max = request.max_results.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut found = self.place(caller).filter(|(name, _)| below(name) && name.as_str() > after);
        let names: Vec<_> = found.by_ref().take(page_max).collect();
        let next_token = found.next().and_then(|_| names.last()).map(|(name, _)| name.as_str());
        let parameters = names.iter().map(|(name, parameter)| shown(caller, name, parameter)).collect();
        write(&Page { next_token, parameters })
    }

    fn put_one(&mut self, now: Timestamp, caller: &Caller, request: &PutParameter) -> Result<Vec<u8>, ApiError> {
        let place = self.by_place.entry((caller.account.clone(), caller.region.clone())).or_default();
        if place.contains_key(&request.name) && !request.overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
            return Err(error("ParameterAlreadyExists", message.to_owned()));
        }
        let version = set(place, now, &request.name, &request.value, request.kind.as_deref());
        write(&serde_json::json!({ "Tier": "Standard", "Version": version }))
    }

    fn place(&self, caller: &Caller) -> impl Iterator<Item = (&String, &Parameter)> {
        self.by_place.get(&(caller.account.clone(), caller.region.clone())).into_iter().flatten()
    }

    fn find<'a>(&'a self, caller: &Caller, name: &'a str) -> Option<Shown<'a>> {
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

fn shown<'a>(caller: &Caller, name: &'a str, parameter: &'a Parameter) -> Shown<'a> {
    let Caller { account, region, .. } = caller;
    Shown {
        arn: format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/')),
        data_type: "text",
        last_modified_date: parameter.modified_at.as_millisecond() as f64 / 1_000.0,
        name,
        kind: &parameter.kind,
        value: &parameter.value,
        version: parameter.version,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|_| error("SerializationException", String::new()))
}

fn write(document: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(document).map_err(|problem| error("InternalServerError", problem.to_string()))
}

fn error(code: &'static str, message: String) -> ApiError {
    ApiError { status: if code == "InternalServerError" { 500 } else { 400 }, code, query_code: None, message }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn call(parameters: &mut Parameters, action: &str, body: &Value) -> Result<Value, ApiError> {
        let caller = Caller { account: "1".to_owned(), region: "r".to_owned(), origin: String::new() };
        let answer = parameters.call(Timestamp::UNIX_EPOCH, &caller, action, body.to_string().as_bytes())?;
        Ok(serde_json::from_slice(&answer).expect("JSON"))
    }

    #[test]
    fn pages_by_path_hold_ten() {
        let mut parameters = Parameters::default();
        for count in 0..23 {
            parameters.put(Timestamp::UNIX_EPOCH, "1", "r", &format!("/storo/dev/{count:02}"), "x");
        }
        parameters.put(Timestamp::UNIX_EPOCH, "1", "r", "/storo/dev/deep/er", "x");
        let mut sizes = Vec::new();
        let mut request = json!({ "Path": "/storo/dev" });
        loop {
            let page = call(&mut parameters, "GetParametersByPath", &request).expect("a page");
            sizes.push(page["Parameters"].as_array().map_or(0, Vec::len));
            let Some(token) = page["NextToken"].as_str() else { break };
            request["NextToken"] = json!(token);
        }
        assert_eq!(sizes, [10, 10, 3]);
    }

    #[test]
    fn missing_names_are_told_and_eleven_are_too_many() {
        let mut parameters = Parameters::default();
        call(&mut parameters, "PutParameter", &json!({"Name": "/a", "Value": "1", "Type": "String"})).expect("put");
        let answer = call(&mut parameters, "GetParameters", &json!({"Names": ["/a", "/b"]})).expect("got");
        assert_eq!((&answer["Parameters"][0]["Value"], &answer["InvalidParameters"]), (&json!("1"), &json!(["/b"])));
        let eleven: Vec<String> = (0..11).map(|count| format!("/{count}")).collect();
        let error = call(&mut parameters, "GetParameters", &json!({ "Names": eleven })).expect_err("too many");
        assert_eq!(error.code, "ValidationException");
        let again = call(&mut parameters, "PutParameter", &json!({"Name": "/a", "Value": "2"})).expect_err("there");
        assert_eq!(again.code, "ParameterAlreadyExists");
    }
}
