//! Serves what the process counts to Prometheus. Off unless an address is given.

use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusBuilder;
use silverback_router::METRICS;
use tokio::task::JoinHandle;
use tracing::info;

use crate::error::CliError;

/// Upper ends of the buckets of times, in seconds: a check takes microseconds, reading a pack milliseconds.
const BUCKETS: &[f64] = &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0];

/// Serves until it is dropped.
pub struct MetricsServer(JoinHandle<()>);

/// Binds the address and serves in the background; `None` serves nothing.
pub fn serve(address: Option<SocketAddr>) -> Result<Option<MetricsServer>, CliError> {
    let Some(address) = address else { return Ok(None) };
    let refused = |reason: String| {
        let hint = "choose another address with --metrics, e.g. 127.0.0.1:7412";
        CliError::usage(format!("metrics cannot be served at {address}: {reason}"), hint)
    };
    let builder = PrometheusBuilder::new().with_http_listener(address).set_buckets(BUCKETS);
    let (recorder, serving) = builder.and_then(PrometheusBuilder::build).map_err(|error| refused(error.to_string()))?;
    metrics::set_global_recorder(recorder).map_err(|error| refused(error.to_string()))?;
    for (name, about) in METRICS {
        if name.ends_with("_total") {
            metrics::describe_counter!(*name, *about);
        } else if !name.ends_with("_seconds") {
            metrics::describe_gauge!(*name, *about);
        } else {
            metrics::describe_histogram!(*name, metrics::Unit::Seconds, *about);
        }
    }
    info!(%address, "metrics at http://{address}/metrics");
    Ok(Some(MetricsServer(tokio::spawn(async move {
        // It ends only with the process.
        let _ = serving.await;
    }))))
}

// === impl MetricsServer ===

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.0.abort();
    }
}
