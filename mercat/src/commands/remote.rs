//! A shop that runs elsewhere, over its public API.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::cli::Remote;

pub struct Server {
    client: Client,
    base: String,
    token: String,
}

impl Server {
    /// `None` when the command works on a data folder.
    pub fn of(remote: &Remote) -> Result<Option<Self>, String> {
        let Some(base) = &remote.server else { return Ok(None) };
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(format!("--server is {base}; it must start with http:// or https://"));
        }
        let token = remote.token.clone().ok_or(
            "--server needs a token: --token or MERCAT_TOKEN, of a staff member or an API key",
        )?;
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_mins(10))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Some(Self { client, base: base.trim_end_matches('/').to_owned(), token }))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// The answer, when it is a good one; else what the problem says.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, String> {
        let response = request
            .send()
            .await
            .map_err(|error| format!("{} does not answer: {error}", self.base))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no detail");
        Err(format!("{} answered {status}: {detail}", self.base))
    }
}
