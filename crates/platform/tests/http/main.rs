//! The REST floor, as a client meets it.

#[cfg(test)]
mod app;
#[cfg(test)]
mod document;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod tokens;
