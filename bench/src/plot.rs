//! The plot: goodput and CPU by the MTU of the tun, a bar for each engine.

use std::fmt::Write;

use crate::case::{Case, MTUS};
use crate::engine::{Engine, Role};
use crate::figures::Quantity;
use crate::load::Load;
use crate::results::Results;
use crate::table::number;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 600.0;
/// Room around each of the four panels.
const LEFT: f64 = 56.0;
const TOP: f64 = 70.0;
const PANEL: (f64, f64) = (400.0, 210.0);
const STEP: (f64, f64) = (470.0, 285.0);
/// Told apart also by those who see fewer colours (Okabe and Ito 2008).
const COLOURS: [&str; 7] = ["#999999", "#d55e00", "#cc79a7", "#e69f00", "#56b4e9", "#0072b2", "#009e73"];

/// An SVG.
pub(crate) fn draw(results: &Results) -> String {
    let engines: Vec<_> = results.engines.iter().filter(|engine| engine.role != Role::Yardstick).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    legend(&mut svg, &engines);
    let (up, down) = (Load::Bulk { up: 1, down: 0 }, Load::Bulk { up: 0, down: 1 });
    let rows = [
        (Quantity::Goodput, "Mbit/s (more is better)"),
        (Quantity::CpuPerGb, "CPU s for each GB (less is better)"),
    ];
    for (row, (quantity, what)) in rows.into_iter().enumerate() {
        for (column, (load, way)) in [(up, "up"), (down, "down")].into_iter().enumerate() {
            let title = format!("TCP {way}, {what}");
            let place = (LEFT + STEP.0 * column as f64, TOP + STEP.1 * row as f64);
            let panel = Panel { results, engines: &engines, load, quantity, place };
            panel.draw(&mut svg, &title);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, engines: &[&Engine]) {
    for (place, (engine, colour)) in engines.iter().zip(COLOURS).enumerate() {
        let (x, y) = (LEFT + 200.0 * (place % 4) as f64, 6.0 + 18.0 * (place / 4) as f64);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            x + 18.0,
            y + 11.0,
            engine.name
        );
    }
}

struct Panel<'a> {
    results: &'a Results,
    engines: &'a [&'a Engine],
    load: Load,
    quantity: Quantity,
    place: (f64, f64),
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String, title: &str) {
        let (x, y) = self.place;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" font-weight=\"bold\">{title}</text>", y - 12.0);
        let top = self.top();
        for tick in 0..=4 {
            let (value, at) = (top * f64::from(tick) / 4.0, y + PANEL.1 * (1.0 - f64::from(tick) / 4.0));
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\" stroke=\"#dddddd\"/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                x + PANEL.0,
                x - 6.0,
                at + 4.0,
                number(value)
            );
        }
        for (group, mtu) in MTUS.into_iter().enumerate() {
            let left = x + PANEL.0 / MTUS.len() as f64 * group as f64;
            let middle = left + PANEL.0 / MTUS.len() as f64 / 2.0;
            let _ = writeln!(
                svg,
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">MTU {mtu}</text>",
                y + PANEL.1 + 16.0
            );
            self.bars(svg, mtu, left, top);
        }
    }

    fn bars(&self, svg: &mut String, mtu: u32, left: f64, top: f64) {
        let width = PANEL.0 / MTUS.len() as f64 * 0.86 / self.engines.len() as f64;
        for (place, (engine, colour)) in self.engines.iter().zip(COLOURS).enumerate() {
            let Some(value) = self.value(engine, mtu) else { continue };
            let height = (value / top).min(1.0) * PANEL.1;
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\">\
                 <title>{}, MTU {mtu}: {}</title></rect>",
                left + width * place as f64 + 4.0,
                self.place.1 + PANEL.1 - height,
                width - 1.0,
                engine.name,
                number(value)
            );
            if value > top {
                let (x, y) = (left + width * (place as f64 + 0.5) + 4.0, self.place.1 + 4.0);
                let _ = writeln!(
                    svg,
                    "<text font-size=\"11\" transform=\"translate({:.1},{y}) rotate(-90)\" text-anchor=\"end\">{}</text>",
                    x + 4.0,
                    number(value)
                );
            }
        }
    }

    fn value(&self, engine: &Engine, mtu: u32) -> Option<f64> {
        self.results.median(&Case::new(self.load, mtu), engine.name, self.quantity)
    }

    /// The upper end of the scale: a round number above all bars, but for CPU not above what still shows the best.
    fn top(&self) -> f64 {
        let values =
            MTUS.iter().flat_map(|mtu| self.engines.iter().filter_map(|engine| self.value(engine, *mtu)));
        let most = values.fold(0.0, f64::max).max(0.1);
        let most = if self.quantity == Quantity::CpuPerGb { most.min(4.0) } else { most };
        let unit = 10_f64.powf(most.log10().floor());
        let fits = [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().find(|part| part * unit >= most);
        fits.unwrap_or(10.0) * unit
    }
}
