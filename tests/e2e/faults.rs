//! What a cluster answers when a part is away or dies.

use std::{thread, time::Duration};

use silverback_registry::testing::EtcdProcess;
use silverback_tests::ask;

use crate::{alone, router, wait_until_announced, worker};

/// Small and quick to load: these tests are about processes, not about right calls.
const SMALL: &str = "qwen2.5-coder-0.5b";
const REQUEST: &str = "Restart the checkout deployment in the prod namespace.";

#[tokio::test(flavor = "multi_thread")]
async fn a_router_without_workers_says_so() {
    let _machine = alone().await;
    let etcd = EtcdProcess::start().await;
    let (_router, address) = router(&etcd);
    let answer = ask(&address, REQUEST);
    assert_eq!(answer.code, 3, "{}", answer.said);
    assert!(answer.said.contains("error: ") && answer.said.contains("hint: "), "{}", answer.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_may_go_away_and_the_router_still_answers() {
    let _machine = alone().await;
    let mut etcd = EtcdProcess::start().await;
    let (_router, address) = router(&etcd);
    let mut worker = worker(&etcd, "plan,kubernetes", SMALL);
    wait_until_announced(&mut worker, "plan,kubernetes");
    assert_eq!(ask(&address, REQUEST).calls().len(), 1);
    etcd.kill();
    let answer = ask(&address, REQUEST);
    assert_eq!(answer.calls().len(), 1, "{}", answer.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_work_loses_no_request() {
    let _machine = alone().await;
    let etcd = EtcdProcess::start().await;
    let (_router, address) = router(&etcd);
    let mut steady = worker(&etcd, "plan,kubernetes", SMALL);
    wait_until_announced(&mut steady, "plan,kubernetes");
    let mut doomed = worker(&etcd, "kubernetes", SMALL);
    wait_until_announced(&mut doomed, "kubernetes");

    let asked: Vec<_> = (0..6)
        .map(|_| {
            let address = address.clone();
            thread::spawn(move || ask(&address, REQUEST))
        })
        .collect();
    // Six requests share two workers: whenever the kill comes, some step is with the doomed one.
    thread::sleep(Duration::from_millis(700));
    doomed.kill();
    for answer in asked {
        let answer = answer.join().expect("asking does not panic");
        assert_eq!(answer.calls().len(), 1, "{} {}", answer.plan, answer.said);
    }
}
