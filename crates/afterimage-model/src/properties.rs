//! What must hold, by the names under which the invariants are known.

use stateright::Property as Checked;

use crate::invocation::SET_BACKS_MAX;
use crate::model::Model;
use crate::state::State;

/// Something that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// I1: where nothing waits, and nobody is at work, derived state is the fold of ground state.
    Exact,
    /// I3: at every moment each row stands once, as the application left it.
    RowsWhole,
    /// I3: at every moment counts add up to the ledger, and none is negative.
    CountsAddUp,
    /// I4: the effect of an acknowledged record, or a newer one's, is in the tables.
    Durable,
    /// I8: requests are valid, no record is given up, no batch is set back without end.
    WorkEnds,
}

/// What must be reached, or nothing was checked: the end of the script, with all drained.
pub(crate) const DRAINED: &str = "the end is reached";

impl Property {
    /// Every property.
    pub const ALL: [Property; 5] = [
        Property::Exact,
        Property::RowsWhole,
        Property::CountsAddUp,
        Property::Durable,
        Property::WorkEnds,
    ];

    /// The property as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Property::Exact => "I1: once drained, derived state is the fold",
            Property::RowsWhole => "I3: no row is missing or doubled",
            Property::CountsAddUp => "I3: counts add up to the ledger, none is negative",
            Property::Durable => "I4: an acknowledged record is durable",
            Property::WorkEnds => "I8: work ends, and nothing is given up",
        }
    }

    /// What is wrong with a state in this respect: nothing, as long as all is well.
    pub(crate) fn fault(self, model: &Model, state: &State) -> Option<String> {
        let judgement = &state.world.judgement;
        match self {
            Property::Exact if state.is_drained() => state.world.drift(&model.deployment),
            Property::Exact => None,
            Property::RowsWhole => judgement.rows.clone(),
            Property::CountsAddUp => judgement.counts.clone(),
            Property::Durable => {
                let is_lost = |it: &u64| judgement.without_effect.contains(it);
                let lost = state.acknowledged.iter().find(|it| is_lost(it))?;
                let record = state.world.stream.iter().find(|it| it.identity == *lost)?;
                Some(format!("{} is acknowledged, and has no effect", record.title()))
            }
            Property::WorkEnds => {
                let is_endless = |it: u8| it > SET_BACKS_MAX;
                let endless = state.invocations.iter().any(|it| is_endless(it.set_back_count));
                let fault = state.fault.as_deref().map(str::to_owned);
                fault.or_else(|| endless.then(|| "a batch is set back without end".to_owned()))
            }
        }
    }

    fn checked(self) -> Checked<Model> {
        let name = self.sentence();
        match self {
            Property::Exact => {
                Checked::always(name, |model, state| holds(Property::Exact, model, state))
            }
            Property::RowsWhole => {
                Checked::always(name, |model, state| holds(Property::RowsWhole, model, state))
            }
            Property::CountsAddUp => {
                Checked::always(name, |model, state| holds(Property::CountsAddUp, model, state))
            }
            Property::Durable => {
                Checked::always(name, |model, state| holds(Property::Durable, model, state))
            }
            Property::WorkEnds => {
                Checked::always(name, |model, state| holds(Property::WorkEnds, model, state))
            }
        }
    }
}

fn holds(property: Property, model: &Model, state: &State) -> bool {
    property.fault(model, state).is_none()
}

/// Every property as the checker takes it.
pub(crate) fn all() -> Vec<Checked<Model>> {
    let end = Checked::<Model>::sometimes(DRAINED, |model, state| {
        state.change_count == model.scenario.script.len() && state.is_drained()
    });
    Property::ALL.into_iter().map(Property::checked).chain([end]).collect()
}
