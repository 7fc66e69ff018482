//! [`Spot`]: a value, and where in the file it was written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// A value, and where in the file it stands (byte offsets).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot<T>(toml::Spanned<T>);

impl<T> Spot<T> {
    /// What was written.
    pub fn value(&self) -> &T {
        self.0.get_ref()
    }

    /// Where.
    pub fn span(&self) -> std::ops::Range<usize> {
        self.0.span()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Spanned::deserialize(deserializer).map(Self)
    }
}

/// In the schema, where a value stands makes no difference.
impl<T: JsonSchema> JsonSchema for Spot<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
