//! A request body as something that a thread can read.

use std::io::{self, Read};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use platform::http::{Problem, body_problem};
use tokio::sync::mpsc;

/// Pieces of the body that may wait for the reader.
const AHEAD: usize = 8;

/// The reading end; blocks until the next piece is there.
pub struct Pieces {
    pieces: mpsc::Receiver<Result<Bytes, io::Error>>,
    current: Bytes,
}

/// Splits a body into a reader, and a future that feeds it until one of the two ends. The future
/// answers what was wrong with the body, if anything.
pub fn split(mut body: Body) -> (Pieces, impl Future<Output = Option<Problem>>) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let feed = async move {
        while let Some(frame) = body.frame().await {
            let piece = match frame {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_trailers) => continue,
                },
                Err(error) => {
                    let problem = body_problem(&error);
                    let broken = io::Error::other("the upload broke off");
                    // A reader that is gone needs no error.
                    let _ = sender.send(Err(broken)).await;
                    return Some(problem);
                }
            };
            if sender.send(Ok(piece)).await.is_err() {
                return None;
            }
        }
        None
    };
    (Pieces { pieces, current: Bytes::new() }, feed)
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) => self.current = piece,
                Some(Err(error)) => return Err(error),
                None => return Ok(0),
            }
        }
        let size = buffer.len().min(self.current.len());
        buffer[..size].copy_from_slice(&self.current.split_to(size));
        Ok(size)
    }
}
