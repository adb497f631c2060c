//! The text of the API layer: a trait and what carries its calls. Change a template, run
//! `cargo xtask codegen`, and read the difference.

use std::fmt::Write as _;

/// One call as the templates want it.
pub struct Call {
    pub docs: Vec<String>,
    /// As in the contract: `GetOrder`.
    pub name: String,
    /// As in Rust: `get_order`.
    pub function: String,
    pub request: String,
    pub reply: String,
    /// By the contract's `idempotency_level`.
    pub is_repeatable: bool,
}

/// What a service is called in which place.
pub struct Names<'a> {
    /// `inventory`
    pub service: &'a str,
    /// `Inventory`
    pub name: &'a str,
    /// `InventoryService`
    pub grpc: &'a str,
    /// `inventory_service`
    pub module: &'a str,
    /// `v1`
    pub version: &'a str,
}

pub fn api_trait(names: &Names<'_>, docs: &[String], calls: &[Call]) -> String {
    let mut text = docs.concat();
    let _ = writeln!(
        text,
        "#[async_trait::async_trait]\npub trait {}Api: Send + Sync + 'static {{",
        names.name
    );
    for (number, call) in calls.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text.push_str(&call.docs.concat());
        let _ = writeln!(text, "{};", signature(call));
    }
    text.push_str("}\n");
    text
}

fn signature(call: &Call) -> String {
    format!(
        "    async fn {}(\n        &self,\n        context: platform::Context,\n        \
         request: {},\n    ) -> Result<{}, platform::rpc::CallError>",
        call.function, call.request, call.reply
    )
}

/// The struct, its constructor and the opening of its implementation of the trait.
fn carrier(names: &Names<'_>, suffix: &str, docs: &str, field: &str, kind: &str) -> String {
    format!(
        "{docs}\n#[derive(Clone)]\npub struct {name}{suffix} {{\n    {field}: {kind},\n    \
         env: platform::Env,\n}}\n\nimpl {name}{suffix} {{\n    \
         pub fn new({field}: {kind}, env: platform::Env) -> Self {{\n        \
         Self {{ {field}, env }}\n    }}\n",
        name = names.name
    )
}

pub fn direct(names: &Names<'_>, calls: &[Call]) -> String {
    let mut text = carrier(
        names,
        "Direct",
        "/// In the same process, messages moved: no encoding. Enforces the deadline and runs the\n\
         /// provider detached from the caller's task.",
        "inner",
        &format!("std::sync::Arc<dyn {}Api>", names.name),
    );
    let _ = writeln!(
        text,
        "}}\n\n#[async_trait::async_trait]\nimpl {name}Api for {name}Direct {{",
        name = names.name
    );
    for call in calls {
        let _ = write!(
            text,
            "{} {{\n        let inner = self.inner.clone();\n        \
             platform::rpc::direct(&self.env, \"{}.{}\", context, move |context| async move {{\n            \
             inner.{}(context, request).await\n        }})\n        .await\n    }}\n",
            signature(call),
            names.service,
            call.name,
            call.function
        );
    }
    text.push_str("}\n");
    text
}

pub fn client(names: &Names<'_>, calls: &[Call]) -> String {
    let Names { service, name, grpc, module, version } = names;
    let mut text = carrier(
        names,
        "Client",
        "/// Over gRPC, to another process or in this one.",
        "channel",
        "platform::rpc::Channel",
    );
    let _ = writeln!(text, "}}\n\n#[async_trait::async_trait]\nimpl {name}Api for {name}Client {{");
    for call in calls {
        let message =
            if call.is_repeatable { "platform::rpc::repeatable(request)" } else { "request" };
        let _ = write!(
            text,
            "{} {{\n        let mut client =\n            \
             {version}::{module}_client::{grpc}Client::new(self.channel.clone());\n        \
             platform::rpc::unary(&self.env, \"{service}.{}\", context, request, move |request| async move {{\n            \
             client.{}({message}).await\n        }})\n        .await\n    }}\n",
            signature(call),
            call.name,
            call.function
        );
    }
    text.push_str("}\n");
    text
}

pub fn server(names: &Names<'_>, calls: &[Call]) -> String {
    let Names { service, name, grpc, module, version } = names;
    let mut text = carrier(
        names,
        "Server",
        "/// The gRPC server over an implementation of the API.",
        "inner",
        &format!("std::sync::Arc<dyn {name}Api>"),
    );
    let _ = write!(
        text,
        "\n    /// The tower service to add to a tonic router.\n    \
         pub fn into_service(self) -> {version}::{module}_server::{grpc}Server<Self> {{\n        \
         {version}::{module}_server::{grpc}Server::new(self)\n            \
         .max_decoding_message_size(platform::rpc::MAX_MESSAGE)\n            \
         .max_encoding_message_size(platform::rpc::MAX_MESSAGE)\n    }}\n}}\n\n\
         #[tonic::async_trait]\nimpl {version}::{module}_server::{grpc} for {name}Server {{\n"
    );
    for call in calls {
        let _ = write!(
            text,
            "    async fn {function}(\n        &self,\n        request: tonic::Request<{request}>,\n    \
             ) -> Result<tonic::Response<{reply}>, tonic::Status> {{\n        \
             let inner = self.inner.clone();\n        \
             platform::rpc::serve(&self.env, \"{service}.{call}\", request, move |context, request| async move {{\n            \
             inner.{function}(context, request).await\n        }})\n        .await\n    }}\n",
            function = call.function,
            request = call.request,
            reply = call.reply,
            call = call.name,
        );
    }
    text.push_str("}\n");
    text
}
