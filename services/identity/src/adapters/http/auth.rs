//! `/v1/auth`: registering, signing in and out, refreshing, changing the password.

use axum::extract::State;
use axum::response::Response;
use garde::Validate;
use kernel::{Email, Locale, Timestamp};
use platform::http::{self, Body, ClientNetwork, Ctx, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::typed_password;
use super::{place, refusal, secret};
use crate::application::register_customer::Registration;
use crate::application::{Identity, SignedIn};
use crate::domain::{AccountId, Kind, Password, PersonName, SessionId};

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterBody {
    #[garde(skip)]
    email: Email,
    /// 12 to 128 characters; not the e-mail address, not on the lists of leaked ones.
    #[garde(custom(typed_password))]
    password: Password,
    #[garde(skip)]
    #[serde(default)]
    name: Option<PersonName>,
    #[garde(skip)]
    #[serde(default)]
    locale: Option<Locale>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    #[garde(skip)]
    email: Email,
    #[garde(custom(typed_password))]
    password: Password,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshBody {
    #[garde(length(chars, min = 1, max = 128))]
    #[schema(min_length = 1, max_length = 128, pattern = r"^[^\x00]+$")]
    refresh_token: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePasswordBody {
    #[garde(custom(typed_password))]
    current_password: Password,
    /// 12 to 128 characters; not the e-mail address, not on the lists of leaked ones.
    #[garde(custom(typed_password))]
    new_password: Password,
}

/// What a signed-in client holds. The refresh token is used once: each refresh gives the next.
#[derive(Serialize, ToSchema)]
pub(super) struct TokensView {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    #[schema(example = 300)]
    expires_in: u64,
    refresh_token: String,
    /// When the session ends unless it is refreshed before.
    refresh_expires_at: Timestamp,
    account_id: AccountId,
    session_id: SessionId,
    /// The password was made by somebody else: until it is replaced with `POST /v1/auth/password`,
    /// the tokens are good for that alone. Sign in again afterwards.
    password_change_required: bool,
}

impl From<SignedIn> for TokensView {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token,
            token_type: "Bearer",
            expires_in: signed_in.access_expires_in_s,
            refresh_token: signed_in.refresh_token,
            refresh_expires_at: signed_in.refresh_expires_at,
            account_id: signed_in.account,
            session_id: signed_in.session,
            password_change_required: signed_in.password_change_required,
        }
    }
}

/// Registers a customer, who is signed in at once.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", operation_id = "register",
    request_body = RegisterBody,
    responses((status = 201, body = TokensView, headers(("location" = String)))),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-idempotency" = json!("none")), ("x-body-limit" = json!(8192))))]
pub(super) async fn register(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    ClientNetwork(network): ClientNetwork,
    Body(body): Body<RegisterBody>,
) -> Result<Response, Problem> {
    let RegisterBody { email, password, name, locale } = body;
    let registration = Registration { email, password, name, locale };
    let signed_in = identity.register_customer(&context, place(network), registration).await;
    Ok(secret(http::created("/v1/me", None, &TokensView::from(signed_in.map_err(refusal)?))))
}

/// Signs a customer in.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", operation_id = "login",
    request_body = LoginBody, responses((status = 200, body = TokensView)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-idempotency" = json!("none")), ("x-body-limit" = json!(8192))))]
pub(super) async fn login(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    ClientNetwork(network): ClientNetwork,
    Body(LoginBody { email, password }): Body<LoginBody>,
) -> Result<Response, Problem> {
    let place = place(network);
    let signed_in = identity.sign_in(&context, place, Kind::Customer, email, password).await;
    Ok(secret(http::ok(None, &TokensView::from(signed_in.map_err(refusal)?))))
}

/// Signs a member of staff in.
#[utoipa::path(post, path = "/v1/auth/staff/login", tag = "auth", operation_id = "staff_login",
    request_body = LoginBody, responses((status = 200, body = TokensView)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-idempotency" = json!("none")), ("x-body-limit" = json!(8192))))]
pub(super) async fn staff_login(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    ClientNetwork(network): ClientNetwork,
    Body(LoginBody { email, password }): Body<LoginBody>,
) -> Result<Response, Problem> {
    let place = place(network);
    let signed_in = identity.sign_in(&context, place, Kind::Staff, email, password).await;
    Ok(secret(http::ok(None, &TokensView::from(signed_in.map_err(refusal)?))))
}

/// Exchanges a refresh token for the next one and a new access token.
///
/// A token is good once. When the answer is lost, the same token gives the same answer for ten
/// seconds; using it later ends the session, because somebody else may have it.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", operation_id = "refresh",
    request_body = RefreshBody, responses((status = 200, body = TokensView)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-idempotency" = json!("none")), ("x-body-limit" = json!(8192))))]
pub(super) async fn refresh(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Body(body): Body<RefreshBody>,
) -> Result<Response, Problem> {
    let signed_in = identity.refresh_session(&context, &body.refresh_token).await?;
    Ok(secret(http::ok(None, &TokensView::from(signed_in))))
}

/// Ends the session of a refresh token.
///
/// A token that is unknown, used or expired is answered the same: there is nothing left to end.
/// Without the token at hand, `DELETE /v1/me/sessions/{session_id}` ends a session too.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", operation_id = "logout",
    request_body = RefreshBody, responses((status = 204)),
    extensions(("x-permission" = json!("public")), ("x-auth" = json!("ignore")),
        ("x-idempotency" = json!("none")), ("x-body-limit" = json!(8192))))]
pub(super) async fn logout(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    Body(body): Body<RefreshBody>,
) -> Result<Response, Problem> {
    identity.sign_out(&context, &body.refresh_token).await?;
    Ok(http::no_content())
}

/// Replaces the caller's password. Every other session of theirs ends.
///
/// After a one-time password was replaced, sign in again: this session's tokens stay good for
/// nothing else until they are refreshed.
#[utoipa::path(post, path = "/v1/auth/password", tag = "auth", operation_id = "change_password",
    request_body = ChangePasswordBody, responses((status = 204)),
    extensions(("x-permission" = json!("account")), ("x-idempotency" = json!("none")),
        ("x-body-limit" = json!(8192))))]
pub(super) async fn change_password(
    State(identity): State<Identity>,
    Ctx(context): Ctx,
    ClientNetwork(network): ClientNetwork,
    Body(body): Body<ChangePasswordBody>,
) -> Result<Response, Problem> {
    let ChangePasswordBody { current_password, new_password } = body;
    let changed =
        identity.change_password(&context, place(network), current_password, new_password).await;
    changed.map_err(refusal)?;
    Ok(http::no_content())
}
