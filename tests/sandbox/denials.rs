//! Denials as the SDK's own clients read them, of services that tell them in three ways.

use aws_sdk_sts::error::ProvideErrorMetadata;
use opsctl::sandbox::world::Denial;

use super::{in_process, sandbox};

#[tokio::test]
async fn denials_of_ssm_and_sts_have_an_effect() {
    let sandbox = sandbox();
    let configuration = in_process(&sandbox);
    let (ssm, sts) = (aws_sdk_ssm::Client::new(&configuration), aws_sdk_sts::Client::new(&configuration));
    let deny = |action: &str| {
        let denial = Denial { account: "*".to_owned(), queue: "*".to_owned(), action: action.to_owned() };
        sandbox.with(|world, _| world.denials = vec![denial]);
    };
    deny("ssm:*");
    let error = ssm.get_parameters().names("/a").send().await.expect_err("denied");
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert!(error.message().is_some_and(|words| words.contains("perform: ssm:GetParameters")), "{error:?}");
    sts.get_caller_identity().send().await.expect("another service");
    deny("sts:*");
    let error = sts.get_caller_identity().send().await.expect_err("denied");
    assert_eq!(error.code(), Some("AccessDenied"));
    ssm.get_parameters().names("/a").send().await.expect("another service");
}
