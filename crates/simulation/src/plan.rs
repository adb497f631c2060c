//! What a seed makes of the world before anything happens in it.

use payment::CaptureMode;

use crate::chance::Chance;
use crate::core::Node;
use crate::one;

/// The machines, by their places; the first is [`crate::core::WORLD`].
pub const SERVICES: [(Node, &str); 6] = [
    (1, "identity"),
    (2, "catalog"),
    (3, "inventory"),
    (4, "payment"),
    (5, "ordering"),
    (6, "gateway"),
];
/// Second processes of services that may have several.
const SECONDS: [(Node, &str); 3] = [(7, "ordering"), (8, "inventory"), (9, "payment")];

/// The one machine of a shop that runs whole.
const WHOLE: [(Node, &str); 1] = [(1, one::NAME)];

/// How the shop is set up, and who comes to it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub nodes: Vec<(Node, &'static str)>,
    pub captures_at_once: bool,
    pub articles: usize,
    pub buyers: usize,
    /// How many units there are of each article.
    pub units: u32,
    /// How long the storm lasts, in seconds.
    pub storm_s: u64,
    pub clock_skew_ms: u64,
}

impl Plan {
    pub fn drawn(chance: &mut Chance) -> Self {
        let mut nodes = SERVICES.to_vec();
        nodes.extend(SECONDS.iter().filter(|_| chance.strikes(3_000)));
        if chance.strikes(2_500) {
            nodes = WHOLE.to_vec();
        }
        let (articles, buyers) = (chance.between(1, 4) as usize, chance.between(2, 11) as usize);
        // For about half of what they ask for.
        let units = chance.between(1, 1 + (buyers as u64) * 2 / articles as u64) as u32;
        Self {
            nodes,
            captures_at_once: chance.strikes(5_000),
            articles,
            buyers,
            units,
            storm_s: chance.between(5, 40),
            clock_skew_ms: *chance.one_of(&[0, 0, 20, 500]),
        }
    }

    /// Is all of the shop one process?
    pub fn is_whole(&self) -> bool {
        self.nodes == WHOLE
    }

    pub fn capture(&self) -> CaptureMode {
        if self.captures_at_once { CaptureMode::Automatic } else { CaptureMode::Manual }
    }

    /// How many places there are, the world's included.
    pub fn machines() -> usize {
        1 + SERVICES.len() + SECONDS.len()
    }

    pub fn places(&self) -> Vec<(&'static str, Vec<Node>)> {
        if self.is_whole() {
            return vec![("gateway", vec![WHOLE[0].0])];
        }
        let of = |service: &'static str| {
            let nodes = self.nodes.iter().filter(move |(_, name)| *name == service);
            (service, nodes.map(|(node, _)| *node).collect())
        };
        SERVICES.iter().map(|(_, service)| of(service)).collect()
    }
}
