//! The model as it is explored.

use std::sync::Arc;

use super::Model;
use crate::action::Action;
use crate::properties;
use crate::state::{Spent, State};

impl stateright::Model for Model {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            world: Arc::clone(&self.beginning),
            acknowledged: Vec::new(),
            change_count: 0,
            invocations: Vec::new(),
            in_flight: Vec::new(),
            spent: Spent::default(),
            fault: self.beginning_fault.clone(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.fault.is_some() {
            return;
        }
        if state.change_count < self.scenario.script.len() {
            actions.push(Action::Change);
        }
        self.starts(state, actions);
        for (place, invocation) in state.invocations.iter().enumerate() {
            self.turns(state, place, invocation, actions);
        }
        actions.extend((0..state.in_flight.len()).map(|flight| Action::Land { flight }));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match self.take(&mut next, &action) {
            Ok(()) => {}
            Err(fault) => next.fault = Some(fault.to_string().into()),
        }
        next.normalize();
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all()
    }
}
