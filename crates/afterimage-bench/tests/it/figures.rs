//! The report of measured figures: tables, JSON, plot.

use afterimage_bench::decode;
use afterimage_bench::machine::Machine;
use afterimage_bench::progress::Progress;
use afterimage_bench::report::{Report, plot, table};

#[tokio::test]
async fn a_section_alone_is_a_whole_report() {
    let machine = Machine {
        cpu_model: "A Model 7".to_owned(),
        core_count: 2,
        kernel: "Linux 6.1.0".to_owned(),
        date: "2026-01-05".to_owned(),
    };
    let mut report = Report::empty(machine, true);
    report.decoding = decode::measure(3, &Progress::new()).await.expect("figures");
    let text = table::text(&report);
    assert!(text.starts_with("2 cores of A Model 7, Linux 6.1.0, on 2026-01-05, a quick run."));
    assert!(text.contains("### Decoding and planning") && !text.contains("### Scaling"), "{text}");
    assert_eq!(report.targets().count(), 3);
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["decoding"][0]["kind"], "new-albums");
    assert!(json.get("scaling").is_none());
    let svg = plot::svg(&report);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
}
