//! SSM.

use aws_sdk_ssm::Client;

use super::{ACCOUNT, Served, in_process, sandbox};

#[tokio::test]
async fn parameters_are_paged_by_ten() {
    let sandbox = sandbox();
    sandbox.with(|world, now| {
        for count in 0..23 {
            world.ssm.put(now, ACCOUNT, "af-south-1", &format!("/storo/dev/{count:02}"), &format!("value {count}"));
        }
    });
    let served = Served::new(&sandbox).await;
    for configuration in [in_process(&sandbox), served.configuration(&sandbox)] {
        let client = Client::new(&configuration);
        let mut pages = client.get_parameters_by_path().path("/storo/dev").into_paginator().send();
        let mut sizes = Vec::new();
        while let Some(page) = pages.next().await {
            sizes.push(page.expect("a page").parameters().len());
        }
        assert_eq!(sizes, [10, 10, 3]);
    }
}

#[tokio::test]
async fn a_missing_parameter_is_the_modelled_error() {
    let sandbox = sandbox();
    let client = Client::new(&in_process(&sandbox));
    let error = client.get_parameter().name("/none").send().await.expect_err("missing");
    assert!(error.into_service_error().is_parameter_not_found());
    let answer = client.get_parameters().names("/none").send().await.expect("an answer");
    assert_eq!(answer.invalid_parameters(), ["/none"]);
}
