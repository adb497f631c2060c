//! Routes of services in other processes change while this one runs: a new version tells others.

use std::sync::{Arc, Weak};

use platform::Env;
use platform::http::{Changes, Module};

use crate::edge::Edge;
use crate::pages::Document;
use crate::routes;

/// Makes the table and the document anew. What it replaces is held weakly: it ends with the router.
pub(crate) struct Refresh {
    modules: Vec<Module>,
    edge: Weak<Edge>,
    document: Weak<Document>,
}

impl Refresh {
    pub(crate) fn new(modules: Vec<Module>, edge: &Arc<Edge>, document: &Arc<Document>) -> Self {
        let (edge, document) = (Arc::downgrade(edge), Arc::downgrade(document));
        Self { modules, edge, document }
    }

    /// Follows every module of another process; does nothing when there is none.
    pub(crate) fn start(self, env: &Env) {
        let this = Arc::new(self);
        for module in &this.modules {
            if let Some(changes) = module.changes() {
                env.spawn("routes of the gateway", this.clone().follow(module.name, changes));
            }
        }
    }

    async fn follow(self: Arc<Self>, service: &'static str, mut changes: Changes) {
        while changes.next().await.is_some() {
            let (Some(edge), Some(document)) = (self.edge.upgrade(), self.document.upgrade())
            else {
                return;
            };
            match routes::Table::new(&self.modules) {
                Ok(table) => {
                    edge.table.store(Arc::new(table));
                    document.replace(&self.modules);
                    tracing::info!(service, "its changed routes are served");
                }
                Err(conflict) => {
                    tracing::error!(%conflict, "changed routes are refused; the old ones stay");
                }
            }
        }
    }
}
