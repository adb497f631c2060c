//! Each connection is an open file, and many systems start programs with room for 1,024: as many as
//! the system allows is what a server wants.

/// Raises the limit of open files to the most that is allowed without being asked.
#[cfg(unix)]
pub fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(?current, ?maximum, "the limit of open files is raised"),
        // Served with what there is: `gateway.max_connections` may then not be reached.
        Err(error) => tracing::warn!(%error, ?current, "the limit of open files cannot be raised"),
    }
}

#[cfg(not(unix))]
pub fn raise() {}
