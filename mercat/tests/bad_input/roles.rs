//! Each route asked by each kind of caller: who is let in is what the route declares, no more and
//! no less.

use testkit::document::{Document, Operation};
use testkit::people::{Customer, api_key, colleague};
use testkit::{Client, Reply};

use crate::actors::{self, Actors};

/// The one scope of the API key.
const SCOPE: &str = "orders:read";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
    Customer,
    /// Has a role that allows nothing.
    PowerlessStaff,
    /// Has the one scope.
    ApiKey,
    Forger,
}

impl Caller {
    const ALL: [Self; 5] =
        [Self::Nobody, Self::Customer, Self::PowerlessStaff, Self::ApiKey, Self::Forger];

    fn may(self, permission: &str) -> bool {
        match permission {
            "public" => self != Self::Forger,
            "customer" | "account" => matches!(self, Self::Customer | Self::PowerlessStaff),
            "staff" => matches!(self, Self::PowerlessStaff | Self::ApiKey),
            SCOPE => self == Self::ApiKey,
            _ => false,
        }
    }

    fn is_known(self) -> bool {
        !matches!(self, Self::Nobody | Self::Forger)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_in_whom_it_declares_and_nobody_else() {
    let shop = actors::shop().await;
    let actors = Actors::of(&shop).await;
    let document = Document::of(&actors.nobody).await;
    let key = api_key(&actors.owner, &[SCOPE]).await;
    let powerless = colleague(&actors.owner, &[]).await;
    let mut wrong = Vec::new();
    for operation in &document.operations() {
        if operation.path.starts_with("/.well-known") || operation.permission.is_empty() {
            assert!(!operation.path.starts_with("/v1/"), "{operation} declares nothing");
        }
        for caller in Caller::ALL {
            let client = match caller {
                Caller::Nobody => actors.nobody.clone(),
                Caller::Customer => Customer::register(&actors.nobody).await.client,
                Caller::PowerlessStaff => powerless.clone(),
                Caller::ApiKey => actors.nobody.with_token(&key),
                Caller::Forger => actors.nobody.with_token("eyJhbGciOiJub25lIn0.e30."),
            };
            let reply = ask(&client, &document, operation).await;
            if let Some(fault) = fault_of(operation, caller, &reply) {
                wrong.push(format!("{caller:?} ({}): {fault}: {reply}", operation.permission));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// With a body that no route takes, so that whoever is let in does no harm.
async fn ask(client: &Client, document: &Document, operation: &Operation) -> Reply {
    let mut request = client.request(operation.method.clone(), operation.address(document));
    if operation.writes() {
        request = request.key(&client.fresh_key());
    }
    if operation.body.is_some() {
        request = request.bytes("application/json", "[]");
    }
    request.send().await
}

fn fault_of(operation: &Operation, caller: Caller, reply: &Reply) -> Option<&'static str> {
    let kept_out = matches!(reply.slug(), "not-signed-in" | "invalid-token" | "forbidden");
    let status = reply.status.as_u16();
    if reply.status.is_server_error() {
        return Some("a server error");
    }
    // Where credentials are not even looked at, a forged one is no obstacle.
    if caller == Caller::Forger && operation.permission == "public" {
        return None;
    }
    match (caller.may(&operation.permission), caller.is_known()) {
        (true, _) if kept_out => Some("kept out"),
        (false, true) if status != 403 => Some("not forbidden"),
        (false, false) if status != 401 => Some("not asked to sign in"),
        _ => None,
    }
}
