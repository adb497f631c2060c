//! Files that are read again when they change.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::TlsConfig;
use super::files::Files;
use crate::env::Env;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);

type Build<T> = fn(&Files<'_>) -> Result<T, String>;

/// What the files say now. Files that cannot be used change nothing: the last good ones count.
pub(super) struct Reloaded<T> {
    current: ArcSwap<T>,
    config: TlsConfig,
    build: Build<T>,
}

impl<T: Send + Sync + 'static> Reloaded<T> {
    pub(super) fn start(
        env: &Env,
        config: &TlsConfig,
        build: Build<T>,
    ) -> Result<Arc<Self>, String> {
        let files = Files::read(config)?;
        let current = ArcSwap::from_pointee(build(&files)?);
        let this = Arc::new(Self { current, config: config.clone(), build });
        env.spawn("tls files", watch(env.clone(), Arc::downgrade(&this), files.digest()));
        Ok(this)
    }

    pub(super) fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Takes new content; an error is for the log.
    fn look(&self, seen: &mut [u8; 32]) -> Result<bool, String> {
        let files = Files::read(&self.config)?;
        if files.digest() == *seen {
            return Ok(false);
        }
        self.current.store(Arc::new((self.build)(&files)?));
        *seen = files.digest();
        Ok(true)
    }
}

async fn watch<T: Send + Sync + 'static>(env: Env, this: Weak<Reloaded<T>>, mut seen: [u8; 32]) {
    let mut told = None;
    loop {
        env.sleep(EVERY).await;
        let Some(this) = this.upgrade() else { return };
        match this.look(&mut seen) {
            Ok(false) => {}
            Ok(true) => {
                told = None;
                tracing::info!("changed certificates are in use");
            }
            // Once for each reason, not every ten seconds.
            Err(reason) if told.as_ref() == Some(&reason) => {}
            Err(reason) => {
                tracing::error!(%reason, "changed certificates cannot be used; the old ones stay");
                told = Some(reason);
            }
        }
    }
}
