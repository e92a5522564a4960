//! The floor sends what the processor's result needs, and no more.

use afterimage_bench::floor::{Floor, What};
use afterimage_bench::workload::{Kind, Size};

/// A small workload's floor: units of write, and transactions.
#[track_caller]
fn check(kind: Kind, expected: (f64, usize)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let workload = kind.workload(Size { event_count: 2, records_per_event: 20 });
        let floor = Floor::of(kind, &workload).await.expect("a floor");
        for what in [What::Writes, What::ParseReadsAndWrites] {
            let run = floor.run(what).await.expect("a run");
            assert_eq!((run.write_units, run.transaction_count), expected, "{kind:?}, {what:?}");
        }
    });
}

#[test]
fn a_hot_group_moves_once_for_each_event() {
    check(Kind::HotGroup, (2.0 * 14.0, 2));
}

#[test]
fn each_of_many_groups_moves() {
    check(Kind::ManyGroups, (40.0 * 14.0, 40));
}

#[test]
fn each_album_has_an_entry_and_each_genre_of_an_event_a_count() {
    // Twenty albums are of so few genres that one transaction holds them.
    let workload = Kind::NewAlbums.workload(Size { event_count: 2, records_per_event: 20 });
    let genres = |changes: &Vec<afterimage_bench::workload::record::SourceChange>| {
        let genres = changes.iter().filter_map(|it| it.after.get(2)).map(|(_, genre)| genre);
        genres.collect::<std::collections::BTreeSet<_>>().len()
    };
    let touches: usize = workload.events.iter().map(genres).sum();
    let units = afterimage_bench::statistics::number(2 * (40 + touches));
    check(Kind::NewAlbums, (units, 2));
}
