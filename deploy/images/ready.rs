//! Whether the process in this container wants traffic: asks `/readyz` on the internal port, which
//! is its only argument, and ends with 0 when the answer is 200.
//!
//! The image has no shell and no other program, so its health check is this one. It needs the
//! standard library alone and is compiled by itself.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);
const QUESTION: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn main() -> ExitCode {
    match asked() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ready: {error}");
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Result<bool, Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("wants the internal port")?.parse()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(QUESTION)?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer == *b"HTTP/1.1 200")
}
