//! Filter policies of subscriptions (SNS developer guide, "Amazon SNS subscription filter policies").

use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub(in crate::world) struct Policy(Map<String, Value>);

impl Policy {
    /// Reads a policy; an empty one is none.
    pub(in crate::world) fn parse(text: &str) -> Result<Option<Self>, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("failed to parse JSON. {error}"))?;
        let Value::Object(rules) = value else { return Err("Filter policy must be an object".to_owned()) };
        check(&rules)?;
        Ok((!rules.is_empty()).then_some(Self(rules)))
    }

    /// Whether it lets a message pass that has these members: attributes, or the body.
    pub(in crate::world) fn passes(&self, members: &Map<String, Value>) -> bool {
        all(&self.0, members)
    }
}

fn check(rules: &Map<String, Value>) -> Result<(), String> {
    for (name, rule) in rules {
        match rule {
            Value::Object(inside) => check(inside)?,
            Value::Array(_) => {}
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(format!("\"{name}\" must be an object or an array"));
            }
        }
    }
    Ok(())
}

fn all(rules: &Map<String, Value>, members: &Map<String, Value>) -> bool {
    rules.iter().all(|(name, rule)| {
        let member = members.get(name);
        match rule {
            Value::Array(choices) if name == "$or" => {
                choices.iter().filter_map(Value::as_object).any(|choice| all(choice, members))
            }
            Value::Object(inside) => member.and_then(Value::as_object).is_some_and(|members| all(inside, members)),
            Value::Array(choices) => choices.iter().any(|choice| fits(choice, member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    })
}

fn fits(choice: &Value, member: Option<&Value>) -> bool {
    if let Some(exists) = choice.get("exists").and_then(Value::as_bool) {
        return member.is_some() == exists;
    }
    match member {
        None => false,
        Some(Value::Array(items)) => items.iter().any(|item| one(choice, item)),
        Some(member) => one(choice, member),
    }
}

fn one(choice: &Value, member: &Value) -> bool {
    let Some((operator, operand)) = choice.as_object().and_then(|rule| rule.iter().next()) else {
        return same(choice, member);
    };
    let text = member.as_str().unwrap_or_default();
    let word = operand.as_str().unwrap_or_default();
    match operator.as_str() {
        "prefix" => member.is_string() && text.starts_with(word),
        "suffix" => member.is_string() && text.ends_with(word),
        "equals-ignore-case" => text.eq_ignore_ascii_case(word),
        "anything-but" => match operand {
            Value::Array(items) => !items.iter().any(|item| same(item, member)),
            Value::Object(_) => !one(operand, member),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => !same(operand, member),
        },
        "numeric" => member.as_f64().is_some_and(|number| lies(number, operand)),
        _ => false,
    }
}

fn same(choice: &Value, member: &Value) -> bool {
    match (choice.as_f64(), member.as_f64()) {
        (Some(choice), Some(member)) => choice == member,
        (Some(_), None) | (None, Some(_)) | (None, None) => choice == member,
    }
}

/// `[">", 0, "<=", 150]`, `["=", 7]`.
fn lies(number: f64, bounds: &Value) -> bool {
    let bounds = bounds.as_array().map(Vec::as_slice).unwrap_or_default();
    !bounds.is_empty()
        && bounds.chunks(2).all(|pair| {
            let bound = pair.get(1).and_then(Value::as_f64).unwrap_or(f64::NAN);
            match pair[0].as_str().unwrap_or_default() {
                "=" => number == bound,
                ">" => number > bound,
                ">=" => number >= bound,
                "<" => number < bound,
                "<=" => number <= bound,
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_lets_pass_what_fits_every_name() {
        let message = json!({ "store": "shop-1", "price": 120, "tags": ["a", "b"], "inside": { "kind": "x" } });
        let message = message.as_object().expect("members");
        for (policy, passes) in [
            (json!({ "store": ["shop-1"] }), true),
            (json!({ "store": ["shop-2", "shop-1"], "price": [120] }), true),
            (json!({ "store": ["shop-1"], "price": [121] }), false),
            (json!({ "store": [{ "prefix": "shop" }] }), true),
            (json!({ "store": [{ "suffix": "-2" }] }), false),
            (json!({ "store": [{ "anything-but": ["shop-1"] }] }), false),
            (json!({ "store": [{ "anything-but": { "prefix": "kiosk" } }] }), true),
            (json!({ "store": [{ "equals-ignore-case": "SHOP-1" }] }), true),
            (json!({ "price": [{ "numeric": [">", 100, "<=", 120] }] }), true),
            (json!({ "price": [{ "numeric": ["<", 100] }] }), false),
            (json!({ "tags": ["b"] }), true),
            (json!({ "none": [{ "exists": false }] }), true),
            (json!({ "none": ["x"] }), false),
            (json!({ "inside": { "kind": ["x"] } }), true),
            (json!({ "$or": [{ "store": ["other"] }, { "price": [120] }] }), true),
        ] {
            let parsed = Policy::parse(&policy.to_string()).expect("a policy").expect("not empty");
            assert_eq!(parsed.passes(message), passes, "{policy}");
        }
        assert!(Policy::parse("{}").expect("empty").is_none());
        for bad in ["[]", "{\"a\": 1}", "no JSON"] {
            assert!(Policy::parse(bad).is_err(), "{bad}");
        }
    }
}
