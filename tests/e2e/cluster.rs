//! What a cluster answers when nothing goes wrong.

use silverback_registry::testing::EtcdProcess;
use silverback_tests::ask;

use crate::{alone, router, wait_until_announced, worker};

const ALL: &str = "plan,aws,kubernetes,finance";

#[tokio::test(flavor = "multi_thread")]
async fn separate_processes_answer_over_a_real_etcd() {
    let _machine = alone().await;
    let etcd = EtcdProcess::start().await;
    let (_router, address) = router(&etcd);
    let mut worker = worker(&etcd, ALL, "qwen2.5-coder-1.5b");
    wait_until_announced(&mut worker, ALL);

    let restart = ask(&address, "Restart the checkout deployment in the prod namespace.");
    assert_eq!(
        restart.calls(),
        ["rollout restart name=checkout namespace=prod resource=deployment"],
        "{}",
        restart.said
    );
    assert_eq!(restart.code, 0);

    let two = ask(&address, "Stop instance i-0abc123 and terminate i-0def456.");
    assert_eq!(
        two.calls(),
        [r#"StopInstances InstanceIds=["i-0abc123"]"#, r#"TerminateInstances InstanceIds=["i-0def456"]"#]
    );

    let slack = ask(&address, "Post the build result to our Slack channel.");
    assert_eq!(slack.calls(), Vec::<String>::new());
    assert_eq!(slack.code, 1);
    let reason = slack.plan["unanswered"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("no worker serves"), "{reason}");

    let vpc = ask(&address, "Create a VPC 10.0.0.0/16 with a subnet 10.0.1.0/24 in it.");
    let operations: Vec<&str> =
        vpc.plan["calls"].as_array().unwrap().iter().filter_map(|call| call["operation"].as_str()).collect();
    assert_eq!(operations, ["CreateVpc", "CreateSubnet"], "{}", vpc.plan);
    assert_eq!(vpc.plan["calls"][1]["arguments"]["VpcId"]["$ref"], "c1", "{}", vpc.plan);
    assert_eq!(vpc.plan["calls"][1]["after"][0], "c1");
}
