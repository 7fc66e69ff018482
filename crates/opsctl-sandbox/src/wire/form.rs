//! Forms of awsQuery as the documents that the same calls are in a service's newer protocol.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use crate::world::service::{Flat, Form};

/// Deeper names than `MetricData.member.1.Dimensions.member.1.Value` there are few of.
const DEPTH_MAX: usize = 16;

/// What stands under a name: a text, or more names.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    inside: BTreeMap<String, Node>,
}

struct Reader<'a> {
    form: &'a Form,
    action: &'a str,
}

/// The document that a form's fields stand for.
pub(super) fn document(form: &Form, action: &str, fields: &BTreeMap<String, String>) -> Value {
    let mut root = Node::default();
    for (name, text) in fields.iter().filter(|(name, _)| name.split('.').count() <= DEPTH_MAX) {
        let mut node = &mut root;
        for part in name.split('.') {
            node = node.inside.entry(part.to_owned()).or_default();
        }
        node.text = Some(text.clone());
    }
    Reader { form, action }.structure("", &root)
}

impl Reader<'_> {
    /// The members of a structure; `of` names the list or member whose it is.
    fn structure(&self, of: &str, node: &Node) -> Value {
        let members = node.inside.iter().map(|(name, inside)| match self.flat(name) {
            Some(&Flat { document, map: None, .. }) => {
                let items = items(inside).into_iter().map(|item| self.value(of, document, item));
                (document.to_owned(), Value::Array(items.collect()))
            }
            Some(&Flat { document, map: Some((key, value)), .. }) => {
                (document.to_owned(), self.map(document, &items(inside), key, value))
            }
            None => (name.clone(), self.nothing(name, inside).unwrap_or_else(|| self.value(of, name, inside))),
        });
        Value::Object(members.collect())
    }

    /// Which flattened list or map an entry of this name belongs to. `QueueUrl` is one in answers and a name in requests.
    fn flat(&self, name: &str) -> Option<&Flat> {
        let asked = |flat: &&Flat| flat.entry != "QueueUrl" && flat.entry_of(self.action) == name;
        self.form.flattened.iter().find(asked)
    }

    /// A flattened list or map without entries, which SDKs write by its own name.
    fn nothing(&self, name: &str, node: &Node) -> Option<Value> {
        let flat = self.form.flattened.iter().find(|flat| flat.document == name)?;
        let is_empty = node.inside.is_empty() && node.text.as_deref().unwrap_or_default().is_empty();
        is_empty.then(|| if flat.map.is_some() { Value::Object(Map::new()) } else { Value::Array(Vec::new()) })
    }

    fn value(&self, of: &str, name: &str, node: &Node) -> Value {
        if node.inside.is_empty() {
            return self.leaf(of, name, node.text.clone().unwrap_or_default());
        }
        if let Some(members) = node.inside.get("member") {
            return items(members).into_iter().map(|item| self.value(of, name, item)).collect();
        }
        if let Some(entries) = node.inside.get("entry") {
            let entries = items(entries);
            let is_named = entries.iter().all(|entry| entry.inside.contains_key("Name"));
            let (key, value) = if is_named { ("Name", "Value") } else { ("key", "value") };
            return self.map(name, &entries, key, value);
        }
        self.structure(name, node)
    }

    fn map(&self, name: &str, entries: &[&Node], key: &str, value: &str) -> Value {
        let mut members = Map::new();
        for entry in entries {
            let key = entry.inside.get(key).and_then(|node| node.text.clone()).unwrap_or_default();
            let value = entry
                .inside
                .get(value)
                .map_or_else(|| Value::String(String::new()), |node| self.value(name, value, node));
            members.insert(key, value);
        }
        Value::Object(members)
    }

    /// What is no number stays text, and is refused where a number is wanted.
    fn leaf(&self, of: &str, name: &str, text: String) -> Value {
        let is_number = |wanted: &&str| match wanted.split_once('.') {
            Some((whose, member)) => whose == of && member == name,
            None => *wanted == name,
        };
        if self.form.numbers.iter().any(is_number) {
            let whole = text.parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| text.parse().ok().and_then(Number::from_f64));
            return number.map_or(Value::String(text), Value::Number);
        }
        match text.as_str() {
            "true" | "false" if self.form.flags.contains(&name) => Value::Bool(text == "true"),
            _ => Value::String(text),
        }
    }
}

/// The entries of a list by their numbers; without numbers it is one entry, as the oldest SDKs write it.
fn items(node: &Node) -> Vec<&Node> {
    let mut numbered: Vec<(u64, &Node)> =
        node.inside.iter().filter_map(|(number, item)| Some((number.parse().ok()?, item))).collect();
    if numbered.is_empty() {
        let is_empty = node.inside.is_empty() && node.text.as_deref().unwrap_or_default().is_empty();
        return if is_empty { Vec::new() } else { vec![node] };
    }
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::service::ServiceDef;

    fn read(service: &str, action: &str, form: &str) -> Value {
        let fields: BTreeMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let form = ServiceDef::named(service).and_then(|service| service.form).expect("a service with forms");
        document(form, action, &fields)
    }

    #[test]
    fn flattened_lists_and_maps_are_read_in_the_order_of_their_numbers() {
        for (action, form, expected) in [
            (
                "ReceiveMessage",
                "AttributeName.1=All&MaxNumberOfMessages=10",
                json!({"AttributeNames": ["All"], "MaxNumberOfMessages": 10}),
            ),
            ("ReceiveMessage", "AttributeName=All", json!({"AttributeNames": ["All"]})),
            ("SetQueueAttributes", "Attribute.Name=Policy&Attribute.Value=", json!({"Attributes": {"Policy": ""}})),
            (
                "DeleteMessage",
                "QueueUrl=http://h/1/q&ReceiptHandle=x",
                json!({"QueueUrl": "http://h/1/q", "ReceiptHandle": "x"}),
            ),
            ("ReceiveMessage", "MaxNumberOfMessages=many", json!({"MaxNumberOfMessages": "many"})),
            (
                "SendMessage",
                "MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=7",
                json!({"MessageAttributes": {"n": {"DataType": "Number", "StringValue": "7"}}}),
            ),
            (
                "DeleteMessageBatch",
                "DeleteMessageBatchRequestEntry.10.Id=b&DeleteMessageBatchRequestEntry.2.Id=a",
                json!({"Entries": [{"Id": "a"}, {"Id": "b"}]}),
            ),
            ("SendMessageBatch", "Entries=", json!({"Entries": []})),
            ("TagQueue", "Tag.1.Key=team&Tag.1.Value=a", json!({"Tags": {"team": "a"}})),
        ] {
            assert_eq!(read("sqs", action, form), expected, "{form}");
        }
    }

    #[test]
    fn other_lists_have_members() {
        let form = "Namespace=x&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5\
                    &MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=2";
        let expected = json!({"Namespace": "x", "MetricData": [
            {"MetricName": "m", "Value": 1.5, "Dimensions": [{"Name": "d", "Value": "2"}]}]});
        assert_eq!(read("cloudwatch", "PutMetricData", form), expected);
    }

    #[test]
    fn a_name_that_goes_too_deep_is_not_read() {
        assert_eq!(read("sqs", "SendMessage", &"a.".repeat(40)), json!({}));
    }
}
