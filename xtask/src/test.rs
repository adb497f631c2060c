use crate::{Outcome, project::Project};
pub enum Depth {
    Everything,
    Quick,
}
pub fn run(_project: &Project, _depth: Depth) -> Outcome {
    Ok(())
}
