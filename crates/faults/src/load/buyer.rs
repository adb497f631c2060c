//! One purchase.

use std::time::Duration;

use testkit::checkout::Cart;
use testkit::client::{NoAnswer, Reply};
use testkit::journal::{Entry, Outcome};
use testkit::shelf::Article;

use super::after::Sale;
use super::{Load, Phase};

/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How long a buyer goes on asking what became of a purchase.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// What an answer is worth to a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Sold, accepted, or refused for a reason of business.
    Answer,
    /// The shop could not.
    Sorry,
    /// Nothing came.
    Nothing,
}

impl Worth {
    pub fn of(answer: &Result<Reply, NoAnswer>) -> Self {
        match answer {
            Ok(reply) if reply.status.is_server_error() || reply.status == 429 => Self::Sorry,
            // It is still at the same request.
            Ok(reply) if reply.status == 409 && reply.slug().contains("progress") => Self::Sorry,
            Ok(_) => Self::Answer,
            Err(_) => Self::Nothing,
        }
    }
}

impl Load {
    pub(super) async fn buy(&self, number: usize, purchase: usize) {
        let article = self.article(purchase);
        let units = 1 + (purchase % 3) as u32;
        let Some(mut cart) = self.cart(&article, units).await else { return };
        let token = self.tokens[purchase % self.tokens.len()];
        let key = cart.client.fresh_key();
        let (phase, begun) = (self.phase(), self.env.clock.monotonic());
        let first = cart.try_complete(token, &key).await;
        let took = self.env.clock.monotonic().saturating_sub(begun);
        let worth = Worth::of(&first);
        // What began before the faults were over is not held against the time after them.
        self.tally.first_try(phase, worth, took);
        if worth == Worth::Nothing && took >= Duration::from_secs(39) {
            self.tally.hung(format!("a checkout had no answer after {took:.0?}"));
        }
        let shown = shown(&first);
        let mut outcome = Outcome::of(first);
        // Every other buyer asks again, with the same key, until there is an answer.
        let insists = number.is_multiple_of(2) || phase != Phase::Faults;
        if insists && matches!(outcome, Outcome::Unknown) {
            outcome = self.insist(&mut cart, token, &key).await;
        }
        if phase == Phase::Healed {
            let is_late = worth != Worth::Answer;
            if matches!(outcome, Outcome::Unknown) || (is_late && !self.is_patient) {
                self.tally.failed_when_healed(format!("a checkout after the faults: {shown}"));
            }
        }
        if let Some(order) = self.note(&cart, &key, &article, units, outcome) {
            let insists = number.is_multiple_of(2) || self.phase() != Phase::Faults;
            self.after(&Sale { cart: &cart, order, key: &key, token, insists }).await;
        }
    }

    /// A purchase of a row's own, of which nothing becomes. It is asked for with one key until its
    /// end is told: who asks anew may buy twice. Answers the order, if one was sold.
    pub async fn buy_now(&self, article: &Article, units: u32) -> Option<String> {
        const TOKEN: &str = "tok_approved";
        let mut cart = Cart::try_open(&self.house.client(), &[(&*article.variant, units)]).await?;
        let key = cart.client.fresh_key();
        let mut outcome = Outcome::of(cart.try_complete(TOKEN, &key).await);
        if matches!(outcome, Outcome::Unknown) {
            outcome = self.insist(&mut cart, TOKEN, &key).await;
        }
        self.note(&cart, &key, article, units, outcome)
    }

    /// Remembers an end; answers the order, if one was sold.
    fn note(
        &self,
        cart: &Cart,
        key: &str,
        article: &Article,
        units: u32,
        outcome: Outcome,
    ) -> Option<String> {
        let order = self.counted(&outcome);
        let total_minor = cart.total()["amount"].as_i64().expect("a cart shows its total");
        let (cart, key, variant) = (cart.id.clone(), key.to_owned(), article.variant.clone());
        self.journal.note(Entry { cart, key, variant, units, total_minor, outcome });
        order
    }

    fn counted(&self, outcome: &Outcome) -> Option<String> {
        let Outcome::Ok(told) = outcome else { return None };
        if told["status"] == "confirmed" {
            self.tally.sold(self.env.clock.monotonic());
            return told["id"].as_str().map(str::to_owned);
        }
        if told["rejection"]["reason"] == "out_of_stock" {
            self.tally.sold_out();
        }
        None
    }

    /// None when the load ends before there is one.
    async fn cart(&self, article: &Article, units: u32) -> Option<Cart> {
        let lines = [(&*article.variant, units)];
        loop {
            let phase = self.phase();
            let cart = Cart::try_open(&self.house.client(), &lines).await;
            self.tally.cart(phase, cart.is_some());
            if cart.is_some() {
                return cart;
            }
            if self.is_over() {
                return None;
            }
            if phase == Phase::Healed && !self.is_patient {
                self.tally.failed_when_healed("a cart was not opened after the faults".to_owned());
            }
            self.env.sleep(PAUSE).await;
        }
    }

    async fn insist(&self, cart: &mut Cart, token: &str, key: &str) -> Outcome {
        let asking = async {
            loop {
                self.env.sleep(PAUSE).await;
                cart.client = self.house.client();
                match Outcome::of(cart.try_complete(token, key).await) {
                    Outcome::Unknown => {}
                    known => return known,
                }
            }
        };
        self.env.timeout(PATIENCE, asking).await.unwrap_or(Outcome::Unknown)
    }
}

pub(super) fn shown(answer: &Result<Reply, NoAnswer>) -> String {
    match answer {
        Ok(reply) => reply.to_string(),
        Err(NoAnswer(why)) => format!("no answer: {why}"),
    }
}
