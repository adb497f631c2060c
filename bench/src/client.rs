//! One connection that is kept open, with buffers that are used again.

use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{self, Framing, Head};

/// Longer than any deadline of the shop.
const PATIENCE: Duration = Duration::from_secs(30);
/// An import may take its time.
const UPLOAD_PATIENCE: Duration = Duration::from_mins(15);
const UPLOAD_PIECE: usize = 256 * 1024;

pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    out: Vec<u8>,
    input: Vec<u8>,
    joined: Vec<u8>,
}

/// An answer; its body lies in the connection's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// No answer came: one cannot know what the server did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    Connect(String),
    TimedOut,
    Broken(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Broken(error) => write!(f, "connection broken: {error}"),
        }
    }
}

impl<'a> Reply<'a> {
    /// The parts of the body that `T` names, borrowed where they can be.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, String> {
        serde_json::from_slice(self.body)
            .map_err(|error| format!("unreadable answer: {error}: {}", self.excerpt()))
    }

    /// The body, when the status is the one that was hoped for.
    pub fn expect(self, status: u16) -> Result<Self, String> {
        if self.status == status {
            return Ok(self);
        }
        Err(format!("answered {} instead of {status}: {}", self.status, self.excerpt()))
    }

    /// `429 too-many-attempts`: what went wrong, short enough to be counted by.
    pub fn problem(&self) -> String {
        #[derive(Deserialize)]
        struct Problem<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
        }
        let kind = serde_json::from_slice::<Problem<'_>>(self.body).map_or("", |p| p.kind);
        let slug = kind.rsplit('/').next().unwrap_or_default();
        format!("{} {slug}", self.status).trim_end().to_owned()
    }

    fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(600)]).into_owned()
    }
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        let (out, input) = (Vec::with_capacity(2048), Vec::with_capacity(16 * 1024));
        Self { address, stream: None, out, input, joined: Vec::new() }
    }

    /// Sends a request with a JSON body (none when it is empty) and waits for the answer.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply<'_>, NoAnswer> {
        self.out.clear();
        wire::write_request(&mut self.out, method, path, headers, body);
        let asked = tokio::time::timeout(PATIENCE, self.exchange()).await;
        self.finish(asked.unwrap_or(Err(NoAnswer::TimedOut)))
    }

    /// Posts a CSV file, piece by piece.
    pub async fn upload(
        &mut self,
        path: &str,
        token: &str,
        size: u64,
        file: impl Read,
    ) -> Result<Reply<'_>, NoAnswer> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {token}\r\n\
             content-type: text/csv\r\ncontent-length: {size}\r\n\r\n"
        );
        let sent =
            tokio::time::timeout(UPLOAD_PATIENCE, self.send_file(head.as_bytes(), file)).await;
        self.finish(sent.unwrap_or(Err(NoAnswer::TimedOut)))
    }

    fn finish(&mut self, outcome: Result<Head, NoAnswer>) -> Result<Reply<'_>, NoAnswer> {
        if outcome.as_ref().map_or(true, |head| head.close) {
            self.stream = None;
        }
        let head = outcome?;
        let body = match head.body {
            Framing::Length(length) => &self.input[head.length..head.length + length],
            Framing::Chunked => &self.joined,
        };
        Ok(Reply { status: head.status, body })
    }

    async fn exchange(&mut self) -> Result<Head, NoAnswer> {
        let stream = connected(&mut self.stream, self.address).await?;
        stream.write_all(&self.out).await.map_err(broken)?;
        self.receive().await
    }

    async fn send_file(&mut self, head: &[u8], mut file: impl Read) -> Result<Head, NoAnswer> {
        let stream = connected(&mut self.stream, self.address).await?;
        stream.write_all(head).await.map_err(broken)?;
        let mut piece = vec![0; UPLOAD_PIECE];
        loop {
            let length = file.read(&mut piece).map_err(broken)?;
            if length == 0 {
                break;
            }
            stream.write_all(&piece[..length]).await.map_err(broken)?;
        }
        self.receive().await
    }

    async fn receive(&mut self) -> Result<Head, NoAnswer> {
        let malformed = |error: wire::Malformed| NoAnswer::Broken(error.0.to_owned());
        let stream = self.stream.as_mut().ok_or_else(|| NoAnswer::Broken("closed".to_owned()))?;
        self.input.clear();
        let mut head = None;
        loop {
            if stream.read_buf(&mut self.input).await.map_err(broken)? == 0 {
                return Err(NoAnswer::Broken("closed before the answer ended".to_owned()));
            }
            if head.is_none() {
                head = wire::parse_head(&self.input).map_err(malformed)?;
            }
            let Some(head) = head else { continue };
            let ended = match head.body {
                Framing::Length(length) => self.input.len() >= head.length + length,
                Framing::Chunked => {
                    let body = &self.input[head.length..];
                    wire::decode_chunks(body, &mut self.joined).map_err(malformed)?.is_some()
                }
            };
            if ended {
                return Ok(head);
            }
        }
    }
}

async fn connected(
    stream: &mut Option<TcpStream>,
    address: SocketAddr,
) -> Result<&mut TcpStream, NoAnswer> {
    if stream.is_none() {
        let failed = |error: std::io::Error| NoAnswer::Connect(error.to_string());
        let fresh = TcpStream::connect(address).await.map_err(failed)?;
        fresh.set_nodelay(true).map_err(failed)?;
        *stream = Some(fresh);
    }
    stream.as_mut().ok_or_else(|| NoAnswer::Connect("lost".to_owned()))
}

fn broken(error: std::io::Error) -> NoAnswer {
    NoAnswer::Broken(error.kind().to_string())
}
