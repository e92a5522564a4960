//! Both functions do the same work: a tiny run leaves the same derived state.

use std::collections::BTreeMap;
use std::time::Duration;

use afterimage_bench::engine::Engine;
use afterimage_bench::functions::Program;
use afterimage_bench::workload::record::event_of;
use afterimage_bench::workload::{Kind, Size, Workload, message};
use afterimage_dynamodb::StreamEvent;
use tokio::time::Instant;

const SIZE: Size = Size { event_count: 2, records_per_event: 12 };

/// Counts, and the rows of the first conversations.
type Derived = (BTreeMap<String, i64>, Vec<Vec<BTreeMap<String, String>>>);

fn events(workload: &Workload) -> impl Iterator<Item = String> {
    let events = workload.events_before.iter().chain(&workload.events);
    events.map(|changes| event_of(changes))
}

async fn derived(engine: &Engine) -> Derived {
    let mut rows = Vec::new();
    for conversation in 0..3 {
        for member in message::MEMBERS {
            let owner = message::owner(conversation, member);
            rows.push(engine.rows(&owner).await.expect("rows"));
        }
    }
    (engine.counts().await.expect("counts"), rows)
}

async fn prepared(workload: &Workload) -> Engine {
    let engine = Engine::start().await.expect("an engine");
    engine.put_all(&workload.items).await.expect("items");
    engine
}

/// What the processor leaves; every record of the workload is valid for its view.
async fn left_by_processor(workload: &Workload) -> Derived {
    let engine = prepared(workload).await;
    let processor = engine.processor(engine.client());
    let processor = processor.expect("a processor");
    for event in events(workload) {
        let event: StreamEvent = serde_json::from_str(&event).expect("an event");
        let deadline = Instant::now() + Duration::from_secs(60);
        let report = processor.process(&event, deadline).await;
        for (view, outcome) in report.outcomes() {
            let is_done = matches!(outcome.name(), "applied" | "coalesced" | "duplicate");
            assert!(is_done, "{view}: {}", outcome.name());
        }
    }
    derived(&engine).await
}

async fn left_by_python(python: &Program, workload: &Workload) -> Derived {
    let engine = prepared(workload).await;
    let mut running = python.start(&engine).await.expect("a process");
    running.ready().await;
    for event in events(workload) {
        running.process(&event).await.expect("a response");
    }
    let lines = running.end().await.expect("lines");
    assert_eq!(lines.len(), events(workload).count());
    derived(&engine).await
}

#[tokio::test]
async fn the_processor_leaves_what_the_workload_says() {
    for kind in Kind::ALL {
        let workload = kind.workload(SIZE);
        let (mut counts, rows) = left_by_processor(&workload).await;
        let mut expected = workload.expected_counts();
        for counts in [&mut counts, &mut expected] {
            counts.retain(|_, count| *count != 0);
        }
        assert_eq!(counts, expected, "{kind:?}");
        let is_of_messages = matches!(kind, Kind::HotGroup | Kind::ManyGroups);
        assert_eq!(rows.iter().any(|rows| !rows.is_empty()), is_of_messages, "{kind:?}");
        assert!(rows.iter().flatten().all(|row| row["message"].starts_with("Message")), "{kind:?}");
    }
}

#[tokio::test]
async fn the_baseline_leaves_the_same_but_for_duplicates() {
    let Some(python) = Program::python_if_installed().expect("a program") else {
        println!("left out: the baseline's packages are not installed, the benchmark does it");
        return;
    };
    for kind in Kind::ALL {
        let workload = kind.workload(SIZE);
        let (processor, baseline) =
            (left_by_processor(&workload).await, left_by_python(&python, &workload).await);
        if kind == Kind::Duplicates {
            assert_ne!(baseline, processor, "a duplicate is counted twice");
        } else {
            assert_eq!(baseline, processor, "{kind:?}");
        }
    }
}
