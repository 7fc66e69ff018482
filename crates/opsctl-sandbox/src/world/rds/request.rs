//! A request's fields, and pages.

use std::collections::BTreeMap;

use super::{Times, Xml};
use crate::world::{ApiError, Caller, call::Answered, page::page};

/// Records of a page: fewest, most, and what is answered where nothing is asked (RDS API reference).
const RECORDS: (usize, usize, usize) = (20, 100, 100);
/// Filters, values and categories of one request.
const LISTED_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) form: &'a BTreeMap<String, String>,
    pub(super) caller: &'a Caller,
    pub(super) now: i64,
    pub(super) times: Times,
}

impl Request<'_> {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// An identifier: RDS keeps them in lower case.
    pub(super) fn identifier(&self, name: &str) -> Option<String> {
        // An ARN will do as well.
        self.field(name).map(|text| text.rsplit(':').next().unwrap_or(text).to_ascii_lowercase())
    }

    pub(super) fn required(&self, name: &str) -> Answered<String> {
        self.identifier(name).ok_or_else(|| {
            ApiError::plain(400, "MissingParameter", format!("The request must contain the parameter {name}."))
        })
    }

    pub(super) fn number(&self, name: &str) -> Answered<Option<i64>> {
        let Some(text) = self.field(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("Invalid value {text} for parameter {name}")))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.field(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A list: `Prefix.1`, `Prefix.2`, ...
    pub(super) fn list(&self, prefix: &str) -> Vec<&str> {
        (1..=LISTED_MAX).map_while(|number| self.field(&format!("{prefix}.{number}"))).collect()
    }

    /// The values of the filter of that name; none: it is not asked for.
    pub(super) fn filter(&self, name: &str) -> Option<Vec<String>> {
        (1..=LISTED_MAX).find_map(|number| {
            let given = self.field(&format!("Filters.Filter.{number}.Name"))?;
            let values = || self.list(&format!("Filters.Filter.{number}.Values.Value"));
            (given == name).then(|| {
                values().iter().map(|value| value.rsplit(':').next().unwrap_or(value).to_ascii_lowercase()).collect()
            })
        })
    }

    /// The document of the page that is asked for, each item in an element; `key` tells items apart and rises.
    ///
    /// # Errors
    /// What is missing where nothing was found, and pages that there are not.
    pub(super) fn answer<T>(
        &self,
        (list, element): (&str, &str),
        items: Vec<T>,
        missing: Option<ApiError>,
        key: impl Fn(&T) -> &str,
        write: impl Fn(&mut Xml, T),
    ) -> Answered<Xml> {
        if let Some(missing) = missing.filter(|_| items.is_empty()) {
            return Err(missing);
        }
        let (page, marker) = self.page(items, key)?;
        let mut xml = Xml::default();
        xml.maybe("Marker", marker).element(list, |xml| {
            for item in page {
                xml.element(element, |xml| write(xml, item));
            }
        });
        Ok(xml)
    }

    /// The page that is asked for, and the marker of the next.
    pub(super) fn page<T>(&self, items: Vec<T>, key: impl Fn(&T) -> &str) -> Answered<(Vec<T>, Option<String>)> {
        let (fewest, most, default) = RECORDS;
        let size = match self.number("MaxRecords")? {
            None => default,
            Some(number) => {
                usize::try_from(number).ok().filter(|size| (fewest..=most).contains(size)).ok_or_else(|| {
                    invalid(format!("Invalid value {number} for MaxRecords. Must be between {fewest} and {most}"))
                })?
            }
        };
        page(items, size, self.field("Marker"), key).ok_or_else(|| invalid("Invalid marker".to_owned()))
    }
}

pub(super) fn invalid(message: String) -> ApiError {
    ApiError::plain(400, "InvalidParameterValue", message)
}
