//! The plot: throughput of each workload, and how time and memory grow. Plain SVG, for light and dark.

use std::fmt::Write as _;

use super::Report;
use super::table::figure;
use crate::scaling::{Line, Scaling};
use crate::throughput::Throughput;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 720.0;
/// Beside it at both ends, for the longest label of an axis.
const MARGIN: f64 = 24.0;

const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.small { font-size: 11px; fill: #59636e }
.page { fill: #ffffff }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.a { fill: #8c959f } .b { fill: #0969da } .c { fill: #9a6700 }
.line.a { fill: none; stroke: #8c959f } .line.b { fill: none; stroke: #0969da } .line.c { fill: none; stroke: #9a6700 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .page { fill: #0d1117 }
  .grid { stroke: #3d444d }
  .b { fill: #4493f8 } .c { fill: #d29922 }
  .line.b { fill: none; stroke: #4493f8 } .line.c { fill: none; stroke: #d29922 }
}
";

/// The classes of the three things that are told apart.
const CLASSES: [&str; 3] = ["a", "b", "c"];

/// Where something is drawn, and the powers of ten that its axes go from and to.
#[derive(Debug, Clone, Copy)]
struct Panel {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x_powers: (i32, i32),
    y_powers: (i32, i32),
}

impl Panel {
    fn x(&self, value: f64) -> f64 {
        self.left + self.width * share(value, self.x_powers)
    }

    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - share(value, self.y_powers))
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// A line for each power of ten, and what it stands for.
    fn grid(&self, title: &str) -> String {
        let mut svg = text("title", "start", self.left, self.top - 30.0, title);
        for power in self.y_powers.0..=self.y_powers.1 {
            let value = 10_f64.powi(power);
            let (y, right) = (self.y(value), self.left + self.width);
            svg += &format!(
                "<line class=\"grid\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{right:.1}\" y2=\"{y:.1}\"/>\n",
                self.left
            );
            svg += &text("small", "end", self.left - 6.0, y + 4.0, &power_of_ten(power));
        }
        svg
    }

    fn x_labels(&self, title: &str) -> String {
        let powers = self.x_powers.0..=self.x_powers.1;
        let label = |power| {
            let x = self.x(10_f64.powi(power));
            text("small", "middle", x, self.bottom() + 18.0, &power_of_ten(power))
        };
        let middle = self.left + self.width / 2.0;
        let title = text("small", "middle", middle, self.bottom() + 36.0, title);
        powers.map(label).collect::<String>() + &title
    }
}

/// The plot of what the report holds.
#[must_use]
pub fn svg(report: &Report) -> String {
    let width = WIDTH + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-{MARGIN} 0 {width} {HEIGHT}\" role=\"img\">\n\
         <title>Throughput and scaling of the stream processor</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" x=\"-{MARGIN}\" width=\"{width}\" height=\"{HEIGHT}\"/>\n"
    );
    if !report.throughput.is_empty() {
        svg += &throughput(&report.throughput);
    }
    if let Some(scaling) = &report.scaling {
        svg += &scaled(scaling);
    }
    svg += "</svg>\n";
    svg
}

fn throughput(workloads: &[Throughput]) -> String {
    let rates = |it: &Throughput| {
        [&it.python, &it.afterimage, &it.floor].map(|it| it.records_per_second.median)
    };
    let all: Vec<f64> = workloads.iter().flat_map(rates).collect();
    let panel = Panel {
        left: 60.0,
        top: 60.0,
        width: 780.0,
        height: 270.0,
        x_powers: (0, 1),
        y_powers: (1, powers(&all).1.max(2)),
    };
    let mut svg = panel.grid("Records a second (logarithmic)");
    svg += &legend(&["Python", "Afterimage", "floor: its writes alone"], 400.0, 31.0);
    let step = panel.width / crate::statistics::number(workloads.len().max(1));
    let bar_width = (step - 30.0) / 3.0;
    let mut left = panel.left + 15.0;
    for workload in workloads {
        for ((class, rate), place) in CLASSES.iter().zip(rates(workload)).zip([0.0, 1.0, 2.0]) {
            let (x, y) = (left + place * bar_width, panel.y(rate));
            let height = (panel.bottom() - y).max(0.0);
            let width = bar_width - 2.0;
            svg += &format!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\n"
            );
            svg += &text("small", "middle", x + width / 2.0, y - 4.0, &figure(rate));
        }
        let middle = left + 1.5 * bar_width;
        svg += &text("", "middle", middle, panel.bottom() + 18.0, workload.kind.name());
        left += step;
    }
    svg
}

fn scaled(scaling: &Scaling) -> String {
    let counts: Vec<_> =
        scaling.lines.iter().map(|line| crate::statistics::number(line.sent_count)).collect();
    let panel = |left: f64, values: &[f64]| Panel {
        left,
        top: 440.0,
        width: 340.0,
        height: 210.0,
        x_powers: powers(&counts),
        y_powers: powers(values),
    };
    let all = |pick: fn(&Line) -> f64| scaling.lines.iter().map(pick).collect::<Vec<_>>();
    let time = panel(60.0, &all(|line| line.seconds));
    let memory = Panel { y_powers: (0, 2), ..panel(500.0, &[]) };
    let mut svg = legend(&["batches of 100", "of 1,000", "of 6 MB"], 60.0, 388.0);
    svg += &drawn(&time, scaling, "Seconds", |line| line.seconds);
    svg += &drawn(&memory, scaling, "Peak memory, MiB", |line| line.peak_memory_mib);
    svg
}

fn drawn(panel: &Panel, scaling: &Scaling, title: &str, pick: fn(&Line) -> f64) -> String {
    let mut svg = panel.grid(title) + &panel.x_labels("records: new albums");
    for (class, batch_size) in CLASSES.iter().zip([Some(100), Some(1000), None]) {
        let lines = scaling.lines.iter().filter(|line| line.batch_size == batch_size);
        let points: Vec<_> = lines
            .map(|line| {
                let x = panel.x(crate::statistics::number(line.sent_count));
                (x, panel.y(pick(line)))
            })
            .collect();
        let listed: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        svg += &format!("<polyline class=\"line {class}\" points=\"{}\"/>\n", listed.join(" "));
        for (x, y) in points {
            svg += &format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n");
        }
    }
    svg
}

fn legend(names: &[&str], left: f64, y: f64) -> String {
    let mut svg = String::new();
    let mut x = left;
    for (class, name) in CLASSES.iter().zip(names) {
        // Writing to a text cannot fail.
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\"/>",
            y - 10.0
        );
        svg += &text("", "start", x + 16.0, y, name);
        x += 40.0 + 7.5 * crate::statistics::number(name.chars().count());
    }
    svg
}

fn text(class: &str, anchor: &str, x: f64, y: f64, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"
    )
}

/// How far a value is between two powers of ten.
fn share(value: f64, (from, to): (i32, i32)) -> f64 {
    let (from, to) = (f64::from(from), f64::from(to));
    ((value.log10() - from) / (to - from)).clamp(0.0, 1.0)
}

/// The powers of ten around all values.
fn powers(values: &[f64]) -> (i32, i32) {
    let logs = || values.iter().map(|value| value.log10());
    let least = logs().fold(f64::INFINITY, f64::min).floor();
    let greatest = logs().fold(f64::NEG_INFINITY, f64::max).ceil();
    if least.is_finite() && greatest > least { (least as i32, greatest as i32) } else { (0, 1) }
}

fn power_of_ten(power: i32) -> String {
    match power {
        ..0 => format!("{}", 10_f64.powi(power)),
        _ => figure(10_f64.powi(power)).trim_end_matches(".0").trim_end_matches(".00").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_go_from_a_power_of_ten_to_another() {
        assert_eq!(powers(&[12.0, 4_500.0]), (1, 4));
        assert_eq!(powers(&[]), (0, 1));
        let labels: Vec<_> = (-2..5).map(power_of_ten).collect();
        assert_eq!(labels, ["0.01", "0.1", "1", "10", "100", "1,000", "10,000"]);
        let half = share(10.0, (0, 2));
        assert!((half - 0.5).abs() < 1e-9);
    }
}
