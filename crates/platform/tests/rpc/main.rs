//! Calls between processes, over real sockets: two servers in one test are two processes here.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod fault;
#[cfg(test)]
mod made;
#[cfg(test)]
mod operated;
#[cfg(test)]
mod proxied;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod world;
