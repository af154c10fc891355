//! The whole way through separate processes: a real etcd, a router, workers with the real models.
//!
//! They share one machine with two cores, so they run one after another under one lock.

mod added;
mod cluster;
mod faults;
mod openai;

use std::time::Duration;

use silverback_registry::testing::EtcdProcess;
use silverback_tests::{Process, free_address};
use tokio::sync::{Mutex, MutexGuard};

/// Loading 1.1 GB and warming up, on a busy machine.
const LOADING: Duration = Duration::from_secs(300);

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Holds the machine for one test.
async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// A router in a process of its own.
fn router(etcd: &EtcdProcess) -> (Process, String) {
    let address = free_address();
    let mut router = Process::start(&[
        "router",
        "--registry",
        &etcd.url(),
        "--listen",
        &address,
        "--http",
        "127.0.0.1:0",
        "--log",
        "info",
    ]);
    router.wait_for("router serves", Duration::from_secs(30));
    (router, address)
}

/// A worker in a process of its own, not yet ready.
fn worker(etcd: &EtcdProcess, capabilities: &str, model: &str) -> Process {
    Process::start(&[
        "worker",
        "--capability",
        capabilities,
        "--registry",
        &etcd.url(),
        "--model",
        model,
        "--log",
        "info",
    ])
}

/// Waits until every capability of a worker stands in the registry.
fn wait_until_announced(worker: &mut Process, capabilities: &str) {
    for capability in capabilities.split(',') {
        worker.wait_for(&format!("workers/{capability}/"), LOADING);
    }
}
