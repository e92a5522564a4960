//! Every scenario, every state.

use afterimage_model::{Extent, SCENARIOS, Sabotage, check};

#[test]
fn every_state_within_the_bounds_is_well() {
    for scenario in SCENARIOS {
        let verdict = check(scenario, scenario.bounds(Extent::Quick), Sabotage::None);
        let verdict = verdict.expect("a deployment");
        assert!(verdict.findings.is_empty(), "{}: {:#?}", scenario.name, verdict.findings);
        assert!(verdict.is_exhausted, "{}", scenario.name);
        assert!(verdict.state_count > 1_000, "{}: {}", scenario.name, verdict.state_count);
    }
}
