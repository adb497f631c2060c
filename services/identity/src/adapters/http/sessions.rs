//! `/v1/me/sessions`: where the caller is signed in.

use axum::extract::State;
use axum::response::Response;
use kernel::Timestamp;
use platform::context::Principal;
use platform::http::{self, Ctx, Once, Page, PathParams, Problem};
use platform::store::Versioned;
use serde::Serialize;
use utoipa::ToSchema;

use super::once_empty;
use crate::application::Identity;
use crate::domain::{Session, SessionId};

/// A place where the account is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    id: SessionId,
    signed_in_at: Timestamp,
    refreshed_at: Timestamp,
    /// When it ends unless it is refreshed before.
    ends_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionView {
    fn of(session: &Versioned<Session>, asking: &Principal) -> Self {
        let current = match asking {
            Principal::Customer { session: id, .. } | Principal::Staff { session: id, .. } => {
                *id == session.id
            }
            _ => false,
        };
        Self {
            id: SessionId::from_uuid(session.id),
            signed_in_at: session.signed_in_at,
            refreshed_at: session.refreshed_at,
            ends_at: session.ends_at,
            current,
        }
    }
}

/// The caller's sessions, oldest first. There are at most 50, so this is one page.
#[utoipa::path(get, path = "/v1/me/sessions", tag = "me", operation_id = "list_sessions",
    responses((status = 200, body = Page<SessionView>)),
    extensions(("x-permission" = json!("customer"))))]
pub(super) async fn list_sessions(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
) -> Result<Response, Problem> {
    let sessions = identity.list_sessions(&context).await?;
    let view = |session| SessionView::of(session, &context.principal);
    let items: Vec<_> = sessions.iter().map(view).collect();
    Ok(http::ok(None, &Page { items, next_cursor: None }))
}

/// Ends a session. Its access token is refused everywhere within seconds.
#[utoipa::path(delete, path = "/v1/me/sessions/{session_id}", tag = "me",
    operation_id = "delete_session", params(("session_id" = SessionId, Path)),
    responses((status = 204)), extensions(("x-permission" = json!("customer"))))]
pub(super) async fn delete_session(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    PathParams(id): PathParams<SessionId>,
    Once(key): Once,
) -> Result<Response, Problem> {
    identity.end_session(&context, once_empty(key), id).await?;
    Ok(http::no_content())
}
