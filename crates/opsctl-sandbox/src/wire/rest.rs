//! restJson1: method and path name the operation; path and query hold fields beside the document.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::call::{Call, Service};

/// What Lambda's paths begin with.
pub(super) const LAMBDA: &str = "/2015-03-31/";

/// A call to Lambda; none: no operation that the sandbox knows.
pub(super) fn lambda(method: &Method, path: &str, query: Option<&str>, body: Bytes) -> Option<Call> {
    let mut form: BTreeMap<String, String> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let rest = path.strip_prefix(LAMBDA)?.trim_end_matches('/');
    let (collection, name) = rest.split_once('/').map_or((rest, None), |(collection, name)| (collection, Some(name)));
    let (action, field) = match (collection, method, name) {
        ("event-source-mappings", &Method::GET, None) => ("ListEventSourceMappings", None),
        ("event-source-mappings", &Method::POST, None) => ("CreateEventSourceMapping", None),
        ("event-source-mappings", &Method::GET, Some(id)) => ("GetEventSourceMapping", Some(("UUID", id))),
        ("event-source-mappings", &Method::PUT, Some(id)) => ("UpdateEventSourceMapping", Some(("UUID", id))),
        ("event-source-mappings", &Method::DELETE, Some(id)) => ("DeleteEventSourceMapping", Some(("UUID", id))),
        ("functions", &Method::GET, None) => ("ListFunctions", None),
        ("functions", &Method::POST, None) => ("CreateFunction", None),
        ("functions", &Method::GET, Some(name)) => ("GetFunction", Some(("FunctionName", name))),
        _ => return None,
    };
    if let Some((field, value)) = field {
        form.insert(field.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned());
    }
    Some(Call { service: Service::Lambda, action: action.to_owned(), body, form })
}

/// The status of a success (service model, `responseCode`).
pub(super) fn lambda_status(action: &str) -> StatusCode {
    match action {
        "CreateEventSourceMapping" | "UpdateEventSourceMapping" | "DeleteEventSourceMapping" => StatusCode::ACCEPTED,
        "CreateFunction" => StatusCode::CREATED,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_and_path_name_the_operation() {
        for (method, path, expected) in [
            (Method::GET, "/2015-03-31/event-source-mappings", Some("ListEventSourceMappings")),
            (Method::GET, "/2015-03-31/event-source-mappings/", Some("ListEventSourceMappings")),
            (Method::PUT, "/2015-03-31/event-source-mappings/a-b", Some("UpdateEventSourceMapping")),
            (Method::DELETE, "/2015-03-31/event-source-mappings/a-b", Some("DeleteEventSourceMapping")),
            (Method::GET, "/2015-03-31/functions/orders", Some("GetFunction")),
            (Method::POST, "/2015-03-31/functions/orders/invocations", None),
            (Method::GET, "/2014-11-13/functions", None),
        ] {
            let call = lambda(&method, path, None, Bytes::new());
            assert_eq!(call.as_ref().map(|call| call.action.as_str()), expected, "{method} {path}");
        }
    }

    #[test]
    fn path_and_query_hold_fields() {
        let path = "/2015-03-31/functions/arn%3Aaws%3Alambda";
        let call = lambda(&Method::GET, path, Some("Marker=a%20b&MaxItems=3"), Bytes::new()).expect("a call");
        assert_eq!(call.form["FunctionName"], "arn:aws:lambda");
        assert_eq!((&*call.form["Marker"], &*call.form["MaxItems"]), ("a b", "3"));
    }
}
