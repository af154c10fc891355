//! KEDA's edge: its five methods, answered from memory.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, future, stream};
use silverback_proto::externalscaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec, MetricValue,
    ScaledObjectRef, external_scaler_server::ExternalScaler,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{ScalerError, ScalerLimits, Trigger, demand::Demand, trigger::excerpt};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Answers KEDA.
pub(crate) struct ScalerEdge {
    demand: Demand,
    /// Ends every stream.
    stop: CancellationToken,
    places: Arc<Semaphore>,
    limits: ScalerLimits,
}

/// One StreamIsActive.
struct Pushing {
    demand: Demand,
    trigger: Trigger,
    calm: Duration,
    said: Option<bool>,
    /// Since when there has been nothing to do.
    idle_since: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

// === impl ScalerEdge ===

impl ScalerEdge {
    pub(crate) fn new(demand: Demand, stop: CancellationToken, limits: ScalerLimits) -> Self {
        let places = Arc::new(Semaphore::new(limits.max_streams));
        Self { demand, stop, places, limits }
    }

    fn take_place(&self) -> Result<OwnedSemaphorePermit, ScalerError> {
        let max_streams = self.limits.max_streams;
        self.places.clone().try_acquire_owned().map_err(|_| ScalerError::TooManyStreams { max_streams })
    }

    /// KEDA takes a clean end for a restart and comes back in 2 s; an error would be logged as a failure.
    fn until_stopped<T>(&self, answers: impl Stream<Item = Result<T, Status>> + Send + 'static) -> Answers<T> {
        Box::pin(answers.take_until(self.stop.clone().cancelled_owned()))
    }
}

#[tonic::async_trait]
impl ExternalScaler for ScalerEdge {
    type StreamIsActiveStream = Answers<IsActiveResponse>;
    type StreamMetricSpecStream = Answers<GetMetricSpecResponse>;

    async fn is_active(&self, request: Request<ScaledObjectRef>) -> Result<Response<IsActiveResponse>, Status> {
        let trigger = trigger(request.get_ref())?;
        self.demand.check_known().map_err(|error| error.status())?;
        Ok(Response::new(IsActiveResponse { result: self.demand.is_active(&trigger) }))
    }

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let trigger = trigger(request.get_ref())?;
        let place = self.take_place().map_err(|error| error.status())?;
        let (demand, calm) = (self.demand.clone(), self.limits.calm);
        let pushing = Pushing { demand, trigger, calm, said: None, idle_since: None, _place: place };
        let answers = stream::unfold(pushing, |mut pushing| async {
            let result = pushing.next().await;
            Some((Ok(IsActiveResponse { result }), pushing))
        });
        Ok(Response::new(self.until_stopped(answers)))
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        Ok(Response::new(spec(&trigger(request.get_ref())?)))
    }

    async fn get_metrics(&self, request: Request<GetMetricsRequest>) -> Result<Response<GetMetricsResponse>, Status> {
        let request = request.into_inner();
        let reference = request.scaled_object_ref.ok_or_else(|| ScalerError::NoReference.status())?;
        let trigger = trigger(&reference)?;
        let (asked, known) = (request.metric_name, trigger.metric());
        if asked != known {
            return Err(ScalerError::UnknownMetric { asked: excerpt(&asked), known }.status());
        }
        self.demand.check_known().map_err(|error| error.status())?;
        let value = MetricValue {
            metric_name: known,
            metric_value_float: self.demand.metric(&trigger),
            ..MetricValue::default()
        };
        Ok(Response::new(GetMetricsResponse { metric_values: vec![value] }))
    }

    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        let spec = spec(&trigger(request.get_ref())?);
        let place = self.take_place().map_err(|error| error.status())?;
        // It comes from the metadata alone, so it never changes while the stream lives.
        let unchanged = stream::once(async move {
            let _place = place;
            future::pending().await
        });
        Ok(Response::new(self.until_stopped(stream::iter([Ok(spec)]).chain(unchanged))))
    }
}

fn trigger(reference: &ScaledObjectRef) -> Result<Trigger, Status> {
    Trigger::read(&reference.scaler_metadata).map_err(|error| error.status())
}

fn spec(trigger: &Trigger) -> GetMetricSpecResponse {
    let spec = MetricSpec { metric_name: trigger.metric(), target_size_float: trigger.target, ..MetricSpec::default() };
    GetMetricSpecResponse { metric_specs: vec![spec] }
}

// === impl Pushing ===

impl Pushing {
    /// What is to be said next: the present state, then its changes.
    async fn next(&mut self) -> bool {
        loop {
            if let Some(news) = self.news() {
                self.said = Some(news);
                return news;
            }
            self.demand.changed().await;
        }
    }

    /// `true` at once, since people wait; `false` after a calm, since a step between two others is no end of work.
    fn news(&mut self) -> Option<bool> {
        self.demand.check_known().ok()?;
        let is_active = self.demand.is_active(&self.trigger);
        if is_active {
            self.idle_since = None;
        }
        match self.said {
            Some(said) if said == is_active => None,
            Some(true) => {
                let idle_since = *self.idle_since.get_or_insert_with(Instant::now);
                (idle_since.elapsed() >= self.calm).then_some(false)
            }
            _ => Some(is_active),
        }
    }
}
