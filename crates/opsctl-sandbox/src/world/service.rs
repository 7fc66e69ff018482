//! The services that the world simulates, one row each. Another one is its files, its row in [`SERVICES`], and tests.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    ApiError, Caller, World, autoscaling,
    call::{Answer, Call, Input},
    cloudwatch, data_api, ecs, eventbridge, lambda, load_balancers, logs, rds, secrets, sns, sqs, ssm, sts,
};

pub const SERVICES: &[&ServiceDef] = &[
    &sqs::SERVICE,
    &ecs::SERVICE,
    &rds::SERVICE,
    &cloudwatch::SERVICE,
    &logs::SERVICE,
    &lambda::SERVICE,
    &eventbridge::SERVICE,
    &secrets::SERVICE,
    &data_api::SERVICE,
    &autoscaling::SERVICE,
    &load_balancers::SERVICE,
    &ssm::SERVICE,
    &sts::SERVICE,
    &sns::SERVICE,
];

/// What stands for a service over awsJson that the world does not know.
pub static OTHER_JSON: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "", content_type: JSON_1_1, shapes: None },
    ..ServiceDef::new("", &[])
};
/// What stands for a service over awsQuery that the world does not know.
pub static OTHER_QUERY: ServiceDef = ServiceDef {
    protocol: Protocol::Query { version: "", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    ..ServiceDef::new("", &[])
};

pub(super) const JSON_1_0: &str = "application/x-amz-json-1.0";
pub(super) const JSON_1_1: &str = "application/x-amz-json-1.1";

/// What does a call with a document: the method of the world, or of a part of it, that takes both.
macro_rules! does {
    ($($part:ident).+) => {
        |world, call, input| $crate::world::call::told(world.$($part).+(call, input.read()?))
    };
}
pub(super) use does;

pub(super) type Handler = fn(&mut World, Call<'_>, &Input) -> Result<Answer, ApiError>;

#[derive(Debug)]
pub struct ServiceDef {
    /// What IAM's actions begin with; faults and denials go by it, too.
    pub prefix: &'static str,
    /// The service in the credential scope of signatures.
    pub signing: &'static str,
    /// First label of its endpoints' names.
    pub endpoint: &'static str,
    pub protocol: Protocol,
    /// How older SDKs speak to a service that was awsQuery before.
    pub form: Option<&'static Form>,
    /// Status and code of a throttle.
    pub throttled: (u16, &'static str),
    /// The name of what a call is about (a queue, a database, a mapping), by which faults and denials tell calls apart.
    pub(crate) subject: fn(&Input) -> Option<String>,
    /// ARN of what a call is about, where refusals name it.
    pub(super) resource: Option<fn(&Caller, &Input) -> String>,
    /// What comes before every call.
    pub(super) prepare: fn(&mut World, Call<'_>) -> Result<(), ApiError>,
    pub(super) calls: &'static [(&'static str, Handler)],
}

#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    /// awsJson, or rpcv2Cbor under the same name.
    Json {
        /// `X-Amz-Target: TARGET.Action`, `/service/TARGET/operation/Action`.
        target: &'static str,
        content_type: &'static str,
        /// Namespace of the shapes of a service that was awsQuery before: its errors carry the codes of both.
        shapes: Option<&'static str>,
    },
    Query {
        /// The form's `Version`, which tells services apart.
        version: &'static str,
        /// Of the answer's document.
        namespace: &'static str,
    },
    Rest {
        routes: &'static [Route],
    },
}

/// awsQuery of a service whose calls are documents: what its forms and its XML call otherwise.
#[derive(Debug)]
pub struct Form {
    /// What a form's `Version` may be.
    pub versions: &'static [&'static str],
    pub namespace: &'static str,
    /// Lists and maps that are flattened; all others are `Name.member.1` and `Name.entry.1.key`.
    pub flattened: &'static [Flat],
    /// Members that are numbers, `List.Member` where others of that name are not; all else is text.
    pub numbers: &'static [&'static str],
    /// Members that are true or false.
    pub flags: &'static [&'static str],
    /// Members that are times; documents have them in seconds since 1970.
    pub times: &'static [&'static str],
    /// Operations whose answer has no result.
    pub silent: &'static [&'static str],
    /// Errors that are worded otherwise, by code.
    pub wordings: &'static [(&'static str, &'static str)],
}

/// A list or map whose entries stand beside one another, each under a name of its own.
#[derive(Debug, Clone, Copy)]
pub struct Flat {
    /// Name in a document: `Attributes`.
    pub document: &'static str,
    /// Name of an entry in a form: `Attribute`, as in `Attribute.1.Name`; `*` stands for the operation.
    pub entry: &'static str,
    /// Of a map, the names of key and value.
    pub map: Option<(&'static str, &'static str)>,
}

impl Flat {
    pub(super) const fn list(document: &'static str, entry: &'static str) -> Self {
        Self { document, entry, map: None }
    }

    pub(super) const fn map(document: &'static str, entry: &'static str, key: &'static str) -> Self {
        Self { document, entry, map: Some((key, "Value")) }
    }

    /// The name of an entry in this operation.
    pub fn entry_of(&self, action: &str) -> String {
        self.entry.replace('*', action)
    }
}

/// An operation of restJson1, as its model writes it.
#[derive(Debug)]
pub struct Route {
    /// `GET`.
    pub method: &'static str,
    /// `/2015-03-31/functions/{FunctionName}`.
    pub path: &'static str,
    pub action: &'static str,
    pub status: u16,
}

impl ServiceDef {
    /// A service that is named alike everywhere; the rest as most over awsJson have it.
    pub(super) const fn new(name: &'static str, calls: &'static [(&'static str, Handler)]) -> Self {
        Self {
            prefix: name,
            signing: name,
            endpoint: name,
            protocol: Protocol::Json { target: "", content_type: JSON_1_1, shapes: None },
            form: None,
            throttled: (400, "ThrottlingException"),
            subject: |_| None,
            resource: None,
            prepare: |_, _| Ok(()),
            calls,
        }
    }

    /// The service whose IAM actions begin so.
    pub fn named(prefix: &str) -> Option<&'static Self> {
        SERVICES.iter().copied().find(|service| service.prefix == prefix)
    }

    /// The service of that name on the wire, in targets and in paths of rpcv2Cbor.
    pub fn of_target(name: &str) -> Option<&'static Self> {
        let is_it = |service: &&Self| matches!(service.protocol, Protocol::Json { target, .. } if target == name);
        SERVICES.iter().copied().find(is_it)
    }

    /// The service whose forms have this `Version`.
    pub fn of_version(asked: &str) -> Option<&'static Self> {
        let is_it = |service: &&Self| match service.protocol {
            Protocol::Query { version, .. } => version == asked,
            Protocol::Json { .. } | Protocol::Rest { .. } => {
                service.form.is_some_and(|form| form.versions.contains(&asked))
            }
        };
        SERVICES.iter().copied().find(is_it)
    }

    /// The operation at a path of restJson1, and the fields that the path holds, still percent-encoded.
    pub fn of_path(
        method: &str,
        path: &str,
    ) -> Option<(&'static Self, &'static Route, BTreeMap<&'static str, String>)> {
        let routes =
            SERVICES.iter().copied().flat_map(|service| service.routes().iter().map(move |route| (service, route)));
        let mut fitting = routes.filter(|(_, route)| route.method == method);
        fitting.find_map(|(service, route)| Some((service, route, route.fields(path)?)))
    }

    fn routes(&self) -> &'static [Route] {
        match self.protocol {
            Protocol::Rest { routes } => routes,
            Protocol::Json { .. } | Protocol::Query { .. } => &[],
        }
    }

    pub fn status(&self, action: &str) -> u16 {
        self.routes().iter().find(|route| route.action == action).map_or(200, |route| route.status)
    }

    pub fn actions(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.calls.iter().map(|(name, _)| *name)
    }

    /// An operation: its name, and what does it.
    pub(super) fn find(&self, action: &str) -> Option<(&'static str, Handler)> {
        self.calls.iter().find(|(name, _)| *name == action).copied()
    }

    /// What refuses the call of `who`, an ARN.
    pub(super) fn denied(&self, who: &str, caller: &Caller, action: &str, input: &Input) -> ApiError {
        let status = match self.protocol {
            Protocol::Json { shapes: None, .. } => 400,
            Protocol::Json { shapes: Some(_), .. } | Protocol::Query { .. } | Protocol::Rest { .. } => 403,
        };
        let action = format!("{}:{action}", self.prefix);
        let resource = self.resource.map(|resource| resource(caller, input));
        ApiError::denied(status, who, &action, resource.as_deref(), "identity-based")
    }

    pub(super) fn throttled(&self) -> ApiError {
        let (status, code) = self.throttled;
        ApiError::plain(status, code, "Rate exceeded")
    }

    pub fn unknown(&self, action: &str) -> ApiError {
        let (unknown, invalid) = ("UnknownOperationException", "InvalidAction");
        match self.protocol {
            Protocol::Json { shapes: Some(_), .. } => {
                let message = format!("The action {action} is not valid for this endpoint.");
                ApiError::coded(400, unknown, invalid, message)
            }
            Protocol::Json { shapes: None, .. } => ApiError::plain(400, unknown, ""),
            Protocol::Query { version, .. } => {
                let message = format!("Could not find operation {action} for version {version}");
                ApiError::plain(400, invalid, message)
            }
            Protocol::Rest { .. } => ApiError::plain(404, unknown, ""),
        }
    }
}

impl Route {
    /// The fields that a path holds; none: it is another's.
    fn fields(&self, path: &str) -> Option<BTreeMap<&'static str, String>> {
        let mut given = path.trim_end_matches('/').split('/');
        let mut fields = BTreeMap::new();
        for wanted in self.path.split('/') {
            let part = given.next()?;
            match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => drop(fields.insert(name, part.to_owned())),
                None if wanted == part => {}
                None => return None,
            }
        }
        given.next().is_none().then_some(fields)
    }
}

/// A caller whose clock is half an hour ahead; AWS lets five minutes pass (SigV4 documentation, troubleshooting).
pub(super) fn clock_skew(now: i64) -> ApiError {
    let at = |seconds: i64| Timestamp::from_millisecond(now + seconds * 1_000).unwrap_or(Timestamp::MAX);
    let text = |seconds| at(seconds).strftime("%Y%m%dT%H%M%SZ").to_string();
    let (signed, now, latest) = (text(1_800), text(0), text(300));
    let message = format!("Signature not yet current: {signed} is still later than {latest} ({now} + 5 min.)");
    ApiError::coded(403, "InvalidSignatureException", "SignatureDoesNotMatch", message)
}

pub(super) fn server_error(status: u16) -> ApiError {
    let (code, query_code, message) = match status {
        503 => ("ServiceUnavailableException", "ServiceUnavailable", "Service is temporarily unavailable."),
        _ => ("InternalFailure", "InternalFailure", "We encountered an internal error. Please try again."),
    };
    ApiError::coded(status.clamp(500, 599), code, query_code, message)
}
