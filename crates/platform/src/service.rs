//! What a service hands to whoever runs it, and what it is given.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::Instrument;

use crate::auth::Authenticator;
use crate::context::Context;
use crate::env::Env;
use crate::event::Consumer;
use crate::executor::Executor;
use crate::http;
use crate::shutdown::Shutdown;

/// A service, built and ready to be wired: the composition root decides where it listens and who
/// reaches it how.
pub struct Service {
    pub name: &'static str,
    pub http: http::Module,
    /// Its gRPC side, when it has one.
    pub grpc: Option<tonic::service::Routes>,
    pub consumers: Vec<Consumer>,
    pub tasks: Vec<Task>,
    pub executor: Executor,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({}, {} consumers)", self.name, self.consumers.len())
    }
}

/// What every service gets.
#[derive(Clone)]
pub struct Base {
    pub env: Env,
    pub executor: Executor,
    pub authenticator: Arc<Authenticator>,
}

impl Base {
    /// What [`http::module`] wants.
    pub fn module_deps(&self) -> http::ModuleDeps {
        http::ModuleDeps {
            env: self.env.clone(),
            authenticator: self.authenticator.clone(),
            executor: self.executor.clone(),
        }
    }
}

/// Why a service could not be built: its configuration, or its routes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

impl BuildError {
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl From<http::RouteError> for BuildError {
    fn from(error: http::RouteError) -> Self {
        Self::new(error)
    }
}

type Run = dyn Fn(Context) -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// Work that is done again and again: expiry, saga timers, polls. An error or a panic is logged
/// and the next turn comes all the same.
#[derive(Clone)]
pub struct Task {
    pub name: &'static str,
    /// From the end of one turn to the start of the next.
    pub every: Duration,
    pub run: Arc<Run>,
    /// The first turn waits until the events that were there at start are delivered.
    pub after_backlog: bool,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({}, every {:?})", self.name, self.every)
    }
}

impl Task {
    /// How long one turn may take; what is slower is cut off and told in the log.
    const LIMIT: Duration = Duration::from_mins(1);

    pub fn new<F, W>(name: &'static str, every: Duration, run: F) -> Self
    where
        F: Fn(Context) -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            every,
            run: Arc::new(move |context| run(context).boxed()),
            after_backlog: false,
        }
    }

    /// Answers of idempotency keys go after two days, some at a time; the promise is one day at least.
    pub fn forget_answers(executor: &Executor) -> Self {
        const KEPT: Duration = Duration::from_hours(48);
        let executor = executor.clone();
        Self::new("idempotency.forget", Duration::from_hours(1), move |_| {
            let executor = executor.clone();
            async move {
                let before = executor.env().now().minus(KEPT);
                executor.forget_answers_before(before).await.map_err(|error| error.to_string())
            }
        })
    }

    /// For work that would be wrong while old events wait, such as giving up a reservation whose
    /// order was confirmed just before a crash.
    #[must_use]
    pub fn after_backlog(mut self) -> Self {
        self.after_backlog = true;
        self
    }

    /// One turn, now.
    pub async fn turn(&self, env: &Env, service: &'static str) -> Result<(), String> {
        let context = Context::background(env, service, Self::LIMIT);
        let work = std::panic::AssertUnwindSafe((self.run)(context)).catch_unwind();
        match env.timeout(Self::LIMIT, work).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err("it panicked".to_owned()),
            None => Err("it took longer than a minute and was cut off".to_owned()),
        }
    }

    /// Turns until the process drains. The first comes at once.
    pub fn start(self, env: &Env, service: &'static str, shutdown: Shutdown) {
        let span = tracing::info_span!("task", service, task = self.name);
        let task_env = env.clone();
        let work = async move {
            let mut failing = false;
            let mut draining = std::pin::pin!(shutdown.draining());
            while shutdown.phase() < crate::shutdown::Phase::Draining {
                match self.turn(&task_env, service).await {
                    Ok(()) => failing = false,
                    // One line for each outage, not one for each second of it.
                    Err(error) if failing => tracing::debug!(%error, "failed again"),
                    Err(error) => {
                        failing = true;
                        metrics::counter!("task_failures_total", "task" => self.name).increment(1);
                        tracing::warn!(%error, "failed");
                    }
                }
                tokio::select! {
                    biased;
                    // It is not polled again: the loop ends.
                    () = &mut draining => {}
                    () = task_env.sleep(self.every) => {}
                }
            }
        };
        env.spawn("periodic task", work.instrument(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_an_error_of_that_turn() {
        let env = Env::test().env;
        let task = Task::new("bad", Duration::from_secs(1), |_| async { panic!("no") });
        assert_eq!(task.turn(&env, "test").await, Err("it panicked".to_owned()));
        let task = Task::new("good", Duration::from_secs(1), |context| async move {
            assert!(matches!(context.principal, crate::Principal::Service { .. }));
            Ok(())
        });
        assert_eq!(task.turn(&env, "test").await, Ok(()));
    }
}
