//! The command, as it is called.

use afterimage_model::{Arguments, run};
use clap::Parser as _;

#[test]
fn a_scenario_is_explored_and_its_line_says_so() {
    let arguments =
        Arguments::try_parse_from(["afterimage-model", "--quick", "--scenario", "one-genre"]);
    let mut output = Vec::new();
    let is_well = run(&arguments.expect("arguments"), &mut output).expect("a table");
    let output = String::from_utf8(output).expect("a text");
    assert!(is_well, "{output}");
    let line = output.lines().find(|line| line.starts_with("one-genre")).expect("a line");
    assert!(line.ends_with("holds, all states visited"), "{line}");
}

#[test]
fn an_unknown_scenario_is_answered_with_the_names_of_all() {
    let arguments = Arguments::try_parse_from(["afterimage-model", "--scenario", "none"]);
    let error = arguments.expect_err("wrong usage").to_string();
    assert!(error.contains("one-album") && error.contains("deleted-newest"), "{error}");
}
