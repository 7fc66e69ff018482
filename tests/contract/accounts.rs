//! Identity and parameters.

use aws_sdk_ssm::types::ParameterType;
use opsctl::domain::AccountId;

use super::{
    Check,
    ground::{ACCOUNT, Ground},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("the caller's account is told", caller),
        Check::new("parameters come by name, and what is missing stays out", parameters),
    ]
}

async fn caller(ground: Ground) {
    let caller = ground.cloud.identity.caller().await.expect("told");
    assert_eq!(caller.account, AccountId(ACCOUNT.into()));
    assert!(caller.arn.starts_with("arn:aws:"), "{}", caller.arn);
    if let Some(skew) = ground.cloud.identity.clock_skew() {
        assert!(skew.as_secs().abs() <= 2, "{skew}");
    }
}

async fn parameters(ground: Ground) {
    let client = aws_sdk_ssm::Client::new(&ground.raw);
    // Parameter names allow letters, digits and a few signs.
    let prefix: String = ground.prefix().chars().filter(char::is_ascii_alphanumeric).collect();
    let mut names = Vec::new();
    for index in 0..12 {
        let name = format!("/{prefix}/p{index}");
        let kind = if index % 2 == 0 { ParameterType::String } else { ParameterType::SecureString };
        let request = client.put_parameter().name(&name).value(format!("v{index}")).r#type(kind);
        request.send().await.expect("put");
        names.push(name);
    }
    names.push(format!("/{prefix}/missing"));
    let values = ground.cloud.parameters.get(&names).await.expect("got");
    assert_eq!(values.len(), 12);
    assert_eq!(values.get(&names[7]).map(String::as_str), Some("v7"));
    assert!(!values.contains_key(&names[12]));
}
