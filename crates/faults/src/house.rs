//! A shop to be hard on: in one process, or in many over wires.

use std::time::Duration;

use checker::journal::Use;
use checker::{Journal, Look, Report};
use platform::Env;
use testkit::{Client, Shop};

use crate::fleet::Fleet;

pub enum House {
    One(Shop),
    Many(Fleet),
}

impl House {
    pub fn address(&self) -> String {
        match self {
            Self::One(shop) => shop.address(),
            Self::Many(fleet) => fleet.address(),
        }
    }

    /// The one process, where it is one.
    pub fn process(&self) -> Option<u32> {
        match self {
            Self::One(shop) => shop.process(),
            Self::Many(_) => None,
        }
    }

    /// Nobody in particular, over connections of their own.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    pub async fn admin(&self) -> Client {
        match self {
            Self::One(shop) => shop.admin().await,
            Self::Many(fleet) => self.client().with_token(fleet.key().await),
        }
    }

    /// How it is told of in the report.
    pub fn topology(&self) -> String {
        match self {
            Self::One(shop) => shop.topology().name().to_owned(),
            Self::Many(fleet) => {
                let kind = if fleet.of("ordering").count() > 1 { ", replicas" } else { "" };
                format!("processes{kind}")
            }
        }
    }

    /// What the rows of the databases and the provider's ledger say, with what the buyers remember.
    /// Whatever happened counts at once: nothing is excused for being young.
    pub fn verify(
        &self,
        env: &Env,
        journal: &Journal,
        uses: &[Use],
    ) -> Result<Report, checker::Error> {
        let look = |look: Look<'_>| {
            checker::verify(&Look {
                now: Some(env.now()),
                quiet_after: Duration::ZERO,
                journal: Some(journal),
                uses,
                ..look
            })
        };
        match self {
            Self::One(shop) => {
                let data = shop.data();
                look(Look::at(&data, &data.join("test-provider")))
            }
            Self::Many(fleet) => {
                let provider = fleet.data().join("test-provider");
                look(Look::of(fleet.databases().place(), &provider))
            }
        }
    }

    /// Processes that ended though nobody told them to.
    pub fn ended(&self) -> Vec<String> {
        match self {
            Self::One(shop) if !shop.is_alive() => {
                vec![format!("the shop ended\n{}", shop.log_tail())]
            }
            Self::One(_) => Vec::new(),
            Self::Many(fleet) => fleet.ended(),
        }
    }

    pub fn fleet(&self) -> &Fleet {
        match self {
            Self::Many(fleet) => fleet,
            Self::One(_) => panic!("this row is for a shop of processes"),
        }
    }

    pub fn shop(&self) -> &Shop {
        match self {
            Self::One(shop) => shop,
            Self::Many(_) => panic!("this row is for a shop in one process"),
        }
    }
}
