//! Draws charts as SVG that need neither a script nor a network. Colours are CSS classes, which the page defines for
//! light and dark.

use super::html::escaped;

/// The size of the drawing in its own units. A page scales it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 312.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 46.0;

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

/// A chart while it is being drawn.
#[derive(Debug)]
pub(crate) struct Chart {
    x: Axis,
    y: Axis,
    body: String,
}

impl Chart {
    /// Draws an empty chart with its grid.
    pub(crate) fn new(title: &str, x: Axis, y: Axis) -> Self {
        let mut body = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escaped(title)
        );
        let bottom = HEIGHT - BOTTOM;
        for (value, label) in &y.ticks {
            let at = bottom - y.place(*value) * (bottom - TOP);
            body.push_str(&format!(
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0,
                escaped(label)
            ));
        }
        for (value, label) in &x.ticks {
            let at = LEFT + x.place(*value) * (WIDTH - RIGHT - LEFT);
            body.push_str(&format!(
                "<line class=\"axis\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{}\"/><text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                bottom + 5.0,
                bottom + 18.0,
                escaped(label)
            ));
        }
        body.push_str(&format!(
            "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{}\" y2=\"{bottom}\"/>\n<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><text class=\"label\" x=\"0\" y=\"12\">{}</text>\n",
            WIDTH - RIGHT,
            WIDTH - RIGHT,
            HEIGHT - 8.0,
            escaped(&x.label),
            escaped(&y.label)
        ));
        Self { x, y, body }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let bottom = HEIGHT - BOTTOM;
        bottom - self.y.place(value) * (bottom - TOP)
    }

    /// Draws a line through points, with gaps where there are none.
    pub(crate) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, Option<f64>)>) {
        let mut path = String::new();
        let mut dots = String::new();
        let mut before: Option<(f64, f64)> = None;
        let mut alone = true;
        let mut dot = |at: Option<(f64, f64)>, alone: bool| {
            if let (Some((x, y)), true) = (at, alone) {
                dots.push_str(&format!(
                    "<circle class=\"{class} dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>"
                ));
            }
        };
        for (x, y) in points {
            match y {
                Some(y) => {
                    let (x, y) = (self.x(x), self.y(y));
                    path.push_str(&format!("{}{x:.1} {y:.1}", if before.is_some() { "L" } else { "M" }));
                    alone = before.is_none();
                    before = Some((x, y));
                }
                None => {
                    // A point between two gaps would be a line of no length.
                    dot(before, alone);
                    before = None;
                }
            }
        }
        dot(before, alone);
        self.body.push_str(&format!("<path class=\"{class} line\" d=\"{path}\"/>{dots}\n"));
    }

    /// Draws a bar between two values of each axis.
    pub(crate) fn bar(&mut self, class: &str, x: (f64, f64), y: (f64, f64)) {
        let (left, right, top, bottom) = (self.x(x.0), self.x(x.1), self.y(y.1), self.y(y.0));
        if bottom - top > 0.0 {
            // A small gap separates bars where there is room.
            let width = if right - left > 4.0 { right - left - 1.0 } else { right - left };
            self.body.push_str(&format!(
                "<rect class=\"{class} bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.2}\" height=\"{:.1}\"/>\n",
                bottom - top
            ));
        }
    }

    /// Draws a dot with a label above it.
    pub(crate) fn dot(&mut self, class: &str, x: f64, y: f64, name: &str) {
        let (x, y) = (self.x(x), self.y(y));
        // The label is placed towards the middle, so that it stays in the picture.
        let (anchor, at) = if x > WIDTH / 2.0 { ("end", x + 5.0) } else { ("start", x - 5.0) };
        self.body.push_str(&format!(
            "<circle class=\"{class} dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/><text class=\"mark\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            y - 9.0,
            escaped(name)
        ));
    }

    /// Draws a horizontal line at a value of the y axis.
    pub(crate) fn level(&mut self, value: f64, name: &str) {
        let at = self.y(value);
        self.body.push_str(&format!(
            "<line class=\"level\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\"/><text class=\"mark\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            WIDTH - RIGHT,
            WIDTH - RIGHT - 4.0,
            at - 5.0,
            escaped(name)
        ));
    }

    /// Draws a vertical line at a value of the x axis. `row` keeps the labels of neighbours apart.
    pub(crate) fn mark(&mut self, value: f64, name: &str, row: u8) {
        let at = self.x(value);
        let (anchor, text) = if at > WIDTH * 0.85 { ("end", at - 4.0) } else { ("start", at + 4.0) };
        self.body.push_str(&format!(
            "<line class=\"level\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{}\"/><text class=\"mark\" x=\"{text:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
            HEIGHT - BOTTOM,
            TOP + 10.0 + f64::from(row) * 15.0,
            escaped(name)
        ));
    }

    /// Adds a tooltip to a range of the x axis.
    pub(crate) fn hint(&mut self, x: (f64, f64), text: &str) {
        let (left, right) = (self.x(x.0), self.x(x.1));
        self.body.push_str(&format!(
            "<rect class=\"hint\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.2}\" height=\"{}\"><title>{}</title></rect>\n",
            right - left,
            HEIGHT - BOTTOM - TOP,
            escaped(text)
        ));
    }

    /// Returns the SVG.
    pub(crate) fn svg(mut self) -> String {
        self.body.push_str("</svg>\n");
        self.body
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
        let svg = chart.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let number = |text: &str| text.split('"').next().unwrap().parse::<f64>().ok();
        let largest = svg.split("x1=\"").skip(1).filter_map(number).fold(0.0, f64::max);
        assert!(largest <= WIDTH, "{svg}");
        assert!(svg.contains("a &lt; b") && svg.contains("<circle class=\"p50 dot\""));
    }
}
