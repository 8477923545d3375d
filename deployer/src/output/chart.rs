//! Draws charts as SVG that need neither a script nor a network. Colours are CSS classes, which the page defines for
//! light and dark.

use maud::{Markup, html};

/// The size of the drawing in its own units. A page scales it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 312.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 46.0;

/// Where the x axis ends, and how far down it is.
const END: f64 = WIDTH - RIGHT;
const FOOT: f64 = HEIGHT - BOTTOM;

/// One axis of a chart.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    label: String,
    from: f64,
    to: f64,
    logarithmic: bool,
    /// A grid line: its value and its label.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to the next round value above the largest one.
    pub(crate) fn from_zero(label: &str, largest: f64) -> Self {
        let step = round_step(largest / 4.0);
        let count = (largest / step).ceil().max(1.0);
        let mut axis = Self {
            label: label.to_owned(),
            from: 0.0,
            to: count * step,
            logarithmic: false,
            ticks: Vec::new(),
        };
        let mut n = 0.0;
        while n <= count {
            axis.ticks.push((n * step, plain(n * step)));
            n += 1.0;
        }
        axis
    }

    /// From 0 to exactly this.
    pub(crate) fn up_to(label: &str, end: f64) -> Self {
        let step = round_step(end / 8.0);
        let mut axis =
            Self { label: label.to_owned(), from: 0.0, to: end, logarithmic: false, ticks: Vec::new() };
        let mut n = 0.0;
        while n * step <= end * 1.0001 {
            axis.ticks.push((n * step, plain(n * step)));
            n += 1.0;
        }
        axis
    }

    /// In steps of 1, 2, 5, 10, … between two values above 0.
    pub(crate) fn logarithmic(label: &str, from: f64, to: f64) -> Self {
        let steps = (-6..9).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        let ticks = steps.filter(|step| (from..=to).contains(step)).map(|step| (step, plain(step))).collect();
        Self { label: label.to_owned(), from, to, logarithmic: true, ticks }
    }

    /// Returns the same axis with ticks at these values.
    pub(crate) fn marked_at(self, values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        Self { ticks: values.into_iter().map(|value| (value, plain(value))).collect(), ..self }
    }

    /// Returns the position of a value on the axis, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let place = if self.logarithmic {
            (value / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// Returns the next 1, 2 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let least = if least > 0.0 && least.is_finite() { least } else { 0.25 };
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * power)
        .into_iter()
        .find(|step| *step >= least * 0.999)
        .unwrap_or(power * 10.0)
}

/// Writes a number without trailing zeros.
fn plain(value: f64) -> String {
    let text = if value >= 1000.0 { format!("{value:.0}") } else { format!("{value:.4}") };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        crate::pricing::grouped(&text)
    }
}

/// Writes a coordinate with one decimal.
fn tenth(measure: f64) -> String {
    format!("{measure:.1}")
}

/// A chart while it is being drawn.
#[derive(Debug)]
pub(crate) struct Chart {
    title: String,
    x: Axis,
    y: Axis,
    marks: Vec<Markup>,
}

impl Chart {
    /// Makes an empty chart.
    pub(crate) fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self { title: title.to_owned(), x, y, marks: Vec::new() }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (END - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        FOOT - self.y.place(value) * (FOOT - TOP)
    }

    /// Draws the axes with their labels, and the grid lines.
    fn grid(&self) -> Markup {
        html! {
            @for (value, label) in &self.y.ticks {
                @let y = self.y(*value);
                line.grid x1=(LEFT) y1=(tenth(y)) x2=(END) y2=(tenth(y)) {}
                text.tick x=(LEFT - 8.0) y=(tenth(y + 4.0)) text-anchor="end" { (label) }
            }
            @for (value, label) in &self.x.ticks {
                @let x = tenth(self.x(*value));
                line.axis x1=(x) y1=(FOOT) x2=(x) y2=(FOOT + 5.0) {}
                text.tick x=(x) y=(FOOT + 18.0) text-anchor="middle" { (label) }
            }
            line.axis x1=(LEFT) y1=(FOOT) x2=(END) y2=(FOOT) {}
            text.label x=(END) y=(HEIGHT - 8.0) text-anchor="end" { (self.x.label) }
            text.label x="0" y="12" { (self.y.label) }
        }
    }

    /// Draws a line through points, with gaps where there are none.
    pub(crate) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, Option<f64>)>) {
        let mut path = String::new();
        let mut lone_points = Vec::new();
        let mut before: Option<(f64, f64)> = None;
        let mut alone = true;
        for (x, y) in points {
            if let Some(y) = y {
                let (x, y) = (self.x(x), self.y(y));
                path.push_str(&format!("{}{x:.1} {y:.1}", if before.is_some() { "L" } else { "M" }));
                alone = before.is_none();
                before = Some((x, y));
            } else {
                // A point between two gaps would be a line of no length.
                lone_points.extend(before.filter(|_| alone));
                before = None;
            }
        }
        lone_points.extend(before.filter(|_| alone));
        self.marks.push(html! {
            path.line.(class) d=(path) {}
            @for (x, y) in lone_points {
                circle.dot.(class) cx=(tenth(x)) cy=(tenth(y)) r="2.5" {}
            }
        });
    }

    /// Draws a bar between two values of each axis.
    pub(crate) fn bar(&mut self, class: &str, x: (f64, f64), y: (f64, f64)) {
        let (left, right, top, bottom) = (self.x(x.0), self.x(x.1), self.y(y.1), self.y(y.0));
        if bottom - top > 0.0 {
            // A small gap separates bars where there is room.
            let width = if right - left > 4.0 { right - left - 1.0 } else { right - left };
            let height = tenth(bottom - top);
            self.marks.push(html! {
                rect.bar.(class) x=(tenth(left)) y=(tenth(top)) width=(format_args!("{width:.2}")) height=(height) {}
            });
        }
    }

    /// Draws a dot with a label above it.
    pub(crate) fn dot(&mut self, class: &str, x: f64, y: f64, name: &str) {
        let (x, y) = (self.x(x), self.y(y));
        // The label is placed towards the middle, so that it stays in the picture.
        let (anchor, name_x) = if x > WIDTH / 2.0 { ("end", x + 5.0) } else { ("start", x - 5.0) };
        self.marks.push(html! {
            circle.dot.(class) cx=(tenth(x)) cy=(tenth(y)) r="5" {}
            text.mark x=(tenth(name_x)) y=(tenth(y - 9.0)) text-anchor=(anchor) { (name) }
        });
    }

    /// Draws a horizontal line at a value of the y axis.
    pub(crate) fn level(&mut self, value: f64, name: &str) {
        let y = self.y(value);
        self.marks.push(html! {
            line.level x1=(LEFT) y1=(tenth(y)) x2=(END) y2=(tenth(y)) {}
            text.mark x=(END - 4.0) y=(tenth(y - 5.0)) text-anchor="end" { (name) }
        });
    }

    /// Draws a vertical line at a value of the x axis. `row` keeps the labels of neighbours apart.
    pub(crate) fn mark(&mut self, value: f64, name: &str, row: u8) {
        let x = self.x(value);
        let (anchor, name_x) = if x > WIDTH * 0.85 { ("end", x - 4.0) } else { ("start", x + 4.0) };
        let name_y = TOP + 10.0 + f64::from(row) * 15.0;
        self.marks.push(html! {
            line.level x1=(tenth(x)) y1=(TOP) x2=(tenth(x)) y2=(FOOT) {}
            text.mark x=(tenth(name_x)) y=(tenth(name_y)) text-anchor=(anchor) { (name) }
        });
    }

    /// Adds a tooltip to a range of the x axis.
    pub(crate) fn hint(&mut self, x: (f64, f64), text: &str) {
        let (left, right) = (self.x(x.0), self.x(x.1));
        let width = format!("{:.2}", right - left);
        self.marks.push(html! {
            rect.hint x=(tenth(left)) y=(TOP) width=(width) height=(FOOT - TOP) { title { (text) } }
        });
    }

    /// Returns the SVG.
    pub(crate) fn svg(&self) -> Markup {
        let view = format!("0 0 {WIDTH} {HEIGHT}");
        html! {
            svg.chart viewBox=(view) role="img" aria-label=(self.title) {
                (self.grid())
                @for mark in &self.marks { (mark) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_values() {
        let ticks = |axis: Axis| axis.ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(ticks(Axis::from_zero("ms", 93.0)), ["0", "50", "100"]);
        assert_eq!(ticks(Axis::from_zero("ms", 7.9)), ["0", "2", "4", "6", "8"]);
        assert_eq!(ticks(Axis::from_zero("ms", 0.0)).first().unwrap(), "0");
        assert_eq!(ticks(Axis::up_to("s", 20.0)), ["0", "5", "10", "15", "20"]);
        assert_eq!(ticks(Axis::logarithmic("ms", 0.9, 12.0)), ["1", "2", "5", "10"]);
        assert_eq!(ticks(Axis::from_zero("1/s", 19_000.0)), ["0", "5,000", "10,000", "15,000", "20,000"]);
    }

    #[test]
    fn what_is_drawn_stays_in_the_picture() {
        let mut chart = Chart::new("a", Axis::up_to("s", 10.0), Axis::from_zero("ms", 10.0));
        chart.line("p50", [(0.0, Some(1.0)), (1.0, None), (2.0, Some(1e9)), (99.0, Some(f64::NAN))]);
        chart.bar("ok", (-5.0, 20.0), (0.0, f64::INFINITY));
        chart.dot("ok", 3.0, 4.0, "128 MB");
        chart.mark(9.9, "p99", 1);
        chart.level(5.0, "asked");
        chart.hint((0.0, 1.0), "a < b");
        let svg = chart.svg().into_string();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let number = |text: &str| text.split('"').next().unwrap().parse::<f64>().ok();
        let largest = svg.split("x1=\"").skip(1).filter_map(number).fold(0.0, f64::max);
        assert!(largest <= WIDTH, "{svg}");
        assert!(svg.contains("a &lt; b") && svg.contains("<circle class=\"dot p50\""));
    }
}
