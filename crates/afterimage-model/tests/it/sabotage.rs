//! What is deliberately wrong is found, and found as a violation of the property that it breaks.

use afterimage_model::{Extent, Property, Sabotage, Scenario, check};

/// Checks that sabotage of a scenario violates a property, and that the way to it is told.
#[track_caller]
fn check_found(sabotage: Sabotage, scenario: &str, property: Property) {
    let scenario = Scenario::named(scenario).expect("a scenario");
    let verdict = check(scenario, scenario.bounds(Extent::Quick), sabotage).expect("a deployment");
    let found = verdict.findings.iter().find(|finding| finding.property == property);
    let found = found.unwrap_or_else(|| panic!("{sabotage:?}: {:#?}", verdict.findings));
    assert!(!verdict.is_exhausted);
    assert!(!found.fault.is_empty() && !found.story.is_empty(), "{found:#?}");
}

#[test]
fn ledger_conditions_that_are_ignored_are_found() {
    check_found(Sabotage::LedgerConditionsIgnored, "late-insert", Property::CountsAddUp);
}

#[test]
fn row_deletes_without_conditions_are_found() {
    check_found(Sabotage::RowDeleteConditionsIgnored, "row-edited", Property::RowsWhole);
}

#[test]
fn head_conditions_that_are_ignored_are_found() {
    check_found(Sabotage::HeadConditionsIgnored, "out-of-order", Property::Durable);
}

#[test]
fn checks_that_are_ignored_are_found() {
    check_found(Sabotage::ChecksIgnored, "returns-in-place", Property::Durable);
}

#[test]
fn torn_transactions_are_found() {
    check_found(Sabotage::TransactionsTorn, "one-genre", Property::CountsAddUp);
    check_found(Sabotage::TransactionsTorn, "leaves", Property::RowsWhole);
}

#[test]
fn forgotten_tombstones_are_found() {
    check_found(Sabotage::TombstonesForgotten, "late-insert", Property::Exact);
}

#[test]
fn hidden_refusals_are_found() {
    check_found(Sabotage::RefusalsHidden, "one-album", Property::Durable);
    check_found(Sabotage::RefusalsHidden, "out-of-order", Property::Durable);
}

#[test]
fn early_acknowledgements_are_found() {
    check_found(Sabotage::AcknowledgedEarly, "one-album", Property::Durable);
    check_found(Sabotage::AcknowledgedEarly, "message-and-row", Property::Durable);
}

#[test]
fn records_that_are_parked_on_paper_are_found() {
    check_found(Sabotage::ParkedOnPaper, "parked", Property::Durable);
}

#[test]
fn reads_that_lag_are_found_as_work_without_end() {
    check_found(Sabotage::ReadsLag, "late-insert", Property::WorkEnds);
}
