//! A state of the model.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use afterimage::write::Transaction;

use crate::identity;
use crate::invocation::Invocation;
use crate::world::{Delivered, World};

/// Where a run stands.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) world: Arc<World>,
    /// Identities of the acknowledged records, in order.
    pub(crate) acknowledged: Vec<u64>,
    /// How many changes of the script were made.
    pub(crate) change_count: usize,
    /// In the order of their identities: which processor does a work makes no difference.
    pub(crate) invocations: Vec<Invocation>,
    /// Commits that the service has, and that nobody waits for any more.
    pub(crate) in_flight: Vec<InFlight>,
    pub(crate) spent: Spent,
    /// What went wrong in taking a turn: nothing, as long as all is well.
    pub(crate) fault: Option<Arc<str>>,
}

/// A commit whose response is lost. It lands later, or never.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub(crate) transaction: Arc<Transaction>,
    /// Whether it is the second half of a torn one, and lands whatever its conditions say.
    pub(crate) is_rest: bool,
    identity: u64,
}

/// How much of the bounds is spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Spent {
    pub(crate) duplicates: u8,
    pub(crate) crashes: u8,
    pub(crate) lost: u8,
    pub(crate) contended: u8,
}

impl InFlight {
    pub(crate) fn new(transaction: Transaction, is_rest: bool) -> Self {
        let identity = identity::of_text(&(&transaction, is_rest));
        Self { transaction: Arc::new(transaction), is_rest, identity }
    }
}

impl State {
    pub(crate) fn is_acknowledged(&self, record: &Delivered) -> bool {
        self.acknowledged.binary_search(&record.identity).is_ok()
    }

    pub(crate) fn is_in_hand(&self, record: &Delivered) -> bool {
        let mut records = self.invocations.iter().flat_map(|it| &it.records);
        records.any(|it| it.identity == record.identity)
    }

    pub(crate) fn acknowledge(&mut self, record: &Delivered) {
        if let Err(place) = self.acknowledged.binary_search(&record.identity) {
            self.acknowledged.insert(place, record.identity);
        }
    }

    /// Whether no processor is at work and no record waits: a record that was parked was delivered.
    pub(crate) fn is_drained(&self) -> bool {
        self.invocations.is_empty() && self.world.stream.iter().all(|it| self.is_acknowledged(it))
    }

    /// Brings equal states into one form.
    pub(crate) fn normalize(&mut self) {
        self.invocations.sort_by_key(Invocation::identity);
        self.in_flight.sort_by_key(|it| it.identity);
    }

    fn parts(&self) -> impl Hash + PartialEq {
        let invocations: Vec<_> = self.invocations.iter().map(Invocation::identity).collect();
        let in_flight: Vec<_> = self.in_flight.iter().map(|it| it.identity).collect();
        (
            self.world.identity(),
            self.acknowledged.clone(),
            self.change_count,
            invocations,
            in_flight,
            self.spent,
            self.fault.clone(),
        )
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.parts().hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for State {}
