//! STS: who calls, and roles that are assumed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    ApiError,
    call::{Answered, Call, told},
    rds::Xml,
    service::{Protocol, ServiceDef},
};

/// Most sessions remembered; the oldest to expire goes first.
const SESSIONS_MAX: usize = 10_000;
/// Shortest, default and longest life of a session, in seconds (STS API reference, AssumeRole).
const DURATION_SECONDS: (i64, i64, i64) = (900, 3_600, 43_200);
/// The same of `GetSessionToken`.
const TOKEN_SECONDS: (i64, i64, i64) = (900, 43_200, 129_600);

/// STS over awsQuery. (AWS lets everybody ask `GetCallerIdentity`, but through an endpoint whose policy denies it.)
pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    throttled: (400, "Throttling"),
    ..ServiceDef::new(
        "sts",
        &[
            ("GetCallerIdentity", |world, call, _| Ok(world.sts.caller_identity(call).into())),
            ("AssumeRole", |world, call, input| told(world.sts.assume_role(call.time(), &input.fields))),
            ("GetSessionToken", |world, call, input| told(world.sts.get_session_token(call, &input.fields))),
        ],
    )
};

#[derive(Debug, Default)]
pub struct Sessions {
    by_access_key: BTreeMap<String, Session>,
    handed_out: u64,
    /// Accounts whose own keys are over until somebody renews them.
    over: BTreeSet<String>,
}

#[derive(Debug)]
struct Session {
    account: String,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    arn: String,
    /// `AROA...:SESSION`.
    user_id: String,
    expires_at: Timestamp,
}

/// Who calls, the same in STS, in IAM's refusals and as the sender of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) arn: String,
    pub(super) user_id: String,
}

impl Sessions {
    /// The account of a key that was handed out; `None` for other keys.
    ///
    /// # Errors
    /// `ExpiredToken` where the session is over.
    pub fn account_of(&self, now: Timestamp, access_key: &str) -> Result<Option<String>, ApiError> {
        match self.by_access_key.get(access_key) {
            Some(session) if session.expires_at <= now => Err(expired()),
            Some(session) => Ok(Some(session.account.clone())),
            None => Ok(None),
        }
    }

    /// Ends every session at once, as if its time were over.
    pub fn expire_all(&mut self, now: Timestamp) {
        for session in self.by_access_key.values_mut() {
            session.expires_at = session.expires_at.min(now);
        }
    }

    /// Ends the sessions of an account, and what its own key stands for, a login of one's own: it answers nothing but
    /// `GetSessionToken`, which is the login.
    pub fn expire(&mut self, now: Timestamp, account: &str) {
        let of_account = self.by_access_key.values_mut().filter(|session| session.account == account);
        of_account.for_each(|session| session.expires_at = session.expires_at.min(now));
        self.over.insert(account.to_owned());
    }

    /// Logs in again: the account's own key counts from now on.
    pub fn renew(&mut self, account: &str) {
        self.over.remove(account);
    }

    /// Whether a call with an account's own key is refused.
    ///
    /// # Errors
    /// `ExpiredToken` where it is over.
    pub(crate) fn check_own(&self, account: &str, action: &str) -> Answered<()> {
        match self.over.contains(account) && action != "GetSessionToken" {
            true => Err(expired()),
            false => Ok(()),
        }
    }

    /// Who signs with an access key: the session that it was handed out for, or else the account's one user.
    pub(super) fn identity(&self, account: &str, access_key: &str) -> Identity {
        match self.by_access_key.get(access_key) {
            Some(session) => Identity { arn: session.arn.clone(), user_id: session.user_id.clone() },
            None => Identity {
                arn: format!("arn:aws:iam::{account}:user/sandbox"),
                user_id: format!("AIDASANDBOX{account:0>12}"),
            },
        }
    }

    fn caller_identity(&self, call: Call) -> Xml {
        let account = &call.caller.account;
        let Identity { arn, user_id } = self.identity(account, call.access_key);
        let mut xml = Xml::default();
        xml.text("UserId", user_id).text("Account", account).text("Arn", arn);
        xml
    }

    fn assume_role(&mut self, now: Timestamp, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let field = |name: &str| form.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let role = field("RoleArn").ok_or_else(|| required("roleArn"))?;
        let session_name = field("RoleSessionName").ok_or_else(|| required("roleSessionName"))?;
        let (account, role_name) = role_parts(role).ok_or_else(|| invalid(format!("{role} is invalid")))?;
        if !is_session_name(session_name) {
            let constraint = "Member must satisfy regular expression pattern: [\\w+=,.@-]*";
            return Err(invalid(format!(
                "1 validation error detected: Value '{session_name}' at 'roleSessionName' failed to satisfy constraint: {constraint}"
            )));
        }
        let expires_at =
            now.checked_add(SignedDuration::from_secs(duration(field("DurationSeconds"))?)).unwrap_or(Timestamp::MAX);
        self.handed_out += 1;
        self.make_room(now);
        // AWS's keys carry their account as well, if less plainly.
        let access_key = format!("ASIA{account}{:04X}", self.handed_out & 0xffff);
        let session = Session {
            account: account.to_owned(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}"),
            user_id: format!("AROASANDB{account}:{session_name}"),
            expires_at,
        };
        let document = assumed(&session, &access_key, self.handed_out);
        self.by_access_key.insert(access_key, session);
        Ok(document)
    }

    fn get_session_token(&mut self, call: Call, form: &BTreeMap<String, String>) -> Answered<Xml> {
        let (shortest, default, longest) = TOKEN_SECONDS;
        let seconds = match form.get("DurationSeconds").map(|text| text.parse::<i64>()) {
            None => default,
            Some(Ok(seconds)) if (shortest..=longest).contains(&seconds) => seconds,
            Some(_) => return Err(invalid("The requested DurationSeconds is out of range.".to_owned())),
        };
        if self.by_access_key.contains_key(call.access_key) {
            return Err(ApiError::plain(403, "AccessDenied", "Cannot call GetSessionToken with session credentials"));
        }
        let account = &call.caller.account;
        let Identity { arn, user_id } = self.identity(account, call.access_key);
        self.renew(account);
        let expires_at = call.time().checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        self.handed_out += 1;
        self.make_room(call.time());
        let access_key = format!("ASIA{account}{:04X}", self.handed_out & 0xffff);
        let session = Session { account: account.clone(), arn, user_id, expires_at };
        let mut xml = Xml::default();
        write_credentials(&mut xml, &session, &access_key, self.handed_out);
        self.by_access_key.insert(access_key, session);
        Ok(xml)
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.by_access_key.len() < SESSIONS_MAX {
            return;
        }
        self.by_access_key.retain(|_, session| session.expires_at > now);
        let first = self.by_access_key.iter().min_by_key(|(_, session)| session.expires_at).map(|(key, _)| key.clone());
        if let Some(key) = first.filter(|_| self.by_access_key.len() >= SESSIONS_MAX) {
            self.by_access_key.remove(&key);
        }
    }
}

fn assumed(session: &Session, access_key: &str, count: u64) -> Xml {
    let mut xml = Xml::default();
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &session.user_id).text("Arn", &session.arn);
    });
    write_credentials(&mut xml, session, access_key, count);
    xml
}

fn write_credentials(xml: &mut Xml, session: &Session, access_key: &str, count: u64) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", access_key)
            .text("SecretAccessKey", format!("sandbox-{count}"))
            .text("SessionToken", format!("sandbox-session-{count}"))
            .text("Expiration", session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"));
    });
}

/// Account and name of `arn:aws:iam::ACCOUNT:role/path/NAME`.
fn role_parts(arn: &str) -> Option<(&str, &str)> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some((account, name))
}

fn is_session_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (2..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn duration(text: Option<&str>) -> Answered<i64> {
    let (shortest, default, longest) = DURATION_SECONDS;
    let Some(text) = text else { return Ok(default) };
    match text.parse() {
        Ok(seconds) if (shortest..=longest).contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => {
            Err(invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned()))
        }
    }
}

pub(super) fn required(member: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn invalid(message: String) -> ApiError {
    ApiError::plain(400, "ValidationError", message)
}

/// The error of credentials whose time is over, by the protocol's two names.
pub fn expired() -> ApiError {
    let message = "The security token included in the request is expired";
    ApiError::coded(403, "ExpiredTokenException", "ExpiredToken", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Caller;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn caller() -> Caller {
        Caller { account: "111111111111".to_owned(), region: "af-south-1".to_owned(), origin: String::new() }
    }

    fn assume(sessions: &mut Sessions, role: &str) -> Result<String, ApiError> {
        let form = [("RoleArn", role), ("RoleSessionName", "on-call")];
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        sessions.assume_role(NOW, &form).map(Xml::into_string)
    }

    #[test]
    fn an_assumed_role_is_its_account_until_it_expires() {
        let mut sessions = Sessions::default();
        let answer = assume(&mut sessions, "arn:aws:iam::333333333333:role/ops/operator").expect("assumed");
        let key = answer.split("<AccessKeyId>").nth(1).and_then(|rest| rest.split('<').next()).expect("a key");
        assert_eq!(sessions.account_of(NOW, key), Ok(Some("333333333333".to_owned())));
        let call = Call { caller: &caller(), access_key: key, action: "GetCallerIdentity", now: 0, poll_until: None };
        let identity = sessions.caller_identity(call).into_string();
        assert!(identity.contains("arn:aws:sts::333333333333:assumed-role/operator/on-call"), "{identity}");
        let later = NOW + SignedDuration::from_secs(3_600);
        assert_eq!(sessions.account_of(later, key), Err(expired()));
    }

    #[test]
    fn a_role_that_is_none_is_refused() {
        let error = assume(&mut Sessions::default(), "arn:aws:iam::33:role/operator").expect_err("refused");
        assert_eq!(error.code, "ValidationError");
    }

    #[test]
    fn a_login_that_is_over_answers_nothing_until_it_is_renewed() {
        let mut sessions = Sessions::default();
        let own = "333333333333";
        let caller = Caller { account: own.to_owned(), ..caller() };
        let call =
            |access_key| Call { caller: &caller, access_key, action: "GetSessionToken", now: 0, poll_until: None };
        let key = |answer: String| {
            let key = answer.split("<AccessKeyId>").nth(1).and_then(|rest| rest.split('<').next());
            key.expect("a key").to_owned()
        };
        let before = key(assume(&mut sessions, "arn:aws:iam::333333333333:role/ops").expect("assumed"));
        let other = key(assume(&mut sessions, "arn:aws:iam::111111111111:role/ops").expect("assumed"));
        sessions.expire(NOW, own);
        assert_eq!(sessions.check_own(own, "ReceiveMessage"), Err(expired()));
        assert_eq!(sessions.check_own("111111111111", "ReceiveMessage"), Ok(()), "another account's");
        assert_eq!(sessions.account_of(NOW, &before), Err(expired()), "what was handed out is over, too");
        assert!(sessions.account_of(NOW, &other).is_ok());
        assert_eq!(sessions.check_own(own, "GetSessionToken"), Ok(()));
        let after = key(sessions.get_session_token(call(own), &BTreeMap::new()).expect("a login").into_string());
        assert_eq!(sessions.check_own(own, "ReceiveMessage"), Ok(()));
        assert_eq!(sessions.account_of(NOW, &after), Ok(Some(own.to_owned())));
        let error = sessions.get_session_token(call(&after), &BTreeMap::new()).expect_err("refused");
        assert_eq!(error.code, "AccessDenied", "a session can't renew itself");
        let form = BTreeMap::from([("DurationSeconds".to_owned(), "1".to_owned())]);
        assert_eq!(sessions.get_session_token(call(own), &form).expect_err("refused").code, "ValidationError");
    }
}
