//! The table on the terminal: a block for each row, a line in it for each engine.

use std::fmt::Write;

use crate::case::Case;
use crate::engine::Engine;
use crate::figures::Quantity;
use crate::results::Results;
use crate::run::Cell;

/// The blocks of all rows that were measured.
pub(crate) fn draw(results: &Results) -> String {
    let mut text = String::new();
    for case in &results.cases {
        let lines = lines(results, case);
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}", case.title());
            text.push_str(&aligned(&lines));
            text.push_str(&notes(results, case));
        }
    }
    text
}

fn lines(results: &Results, case: &Case) -> Vec<Vec<String>> {
    let cells: Vec<_> =
        results.engines.iter().filter_map(|engine| Some((engine, results.cell(case, engine)?))).collect();
    let mut quantities: Vec<Quantity> =
        cells.iter().flat_map(|(_, cell)| cell.values.keys().copied()).collect();
    quantities.sort_unstable();
    quantities.dedup();
    if cells.is_empty() {
        return Vec::new();
    }
    let mut head = vec![String::new()];
    head.extend(quantities.iter().flat_map(|quantity| heads(*quantity)));
    let body = cells.iter().map(|(engine, cell)| {
        let mut line = vec![name(engine, cell)];
        line.extend(quantities.iter().flat_map(|quantity| entries(results, case, cell, *quantity)));
        line
    });
    std::iter::once(head).chain(body).collect()
}

fn name(engine: &Engine, cell: &Cell) -> String {
    let noisy = if cell.noisy > 0 { " ~" } else { "" };
    let wrong = if cell.problems.is_empty() { "" } else { " !" };
    format!("  {}{noisy}{wrong}", engine.name)
}

fn heads(quantity: Quantity) -> Vec<String> {
    let title = quantity.title().to_owned();
    match quantity.better() {
        Some(_) => vec![title, "range".into(), "/dir".into(), "/peer".into()],
        None => vec![title],
    }
}

fn entries(results: &Results, case: &Case, cell: &Cell, quantity: Quantity) -> Vec<String> {
    let spread = cell.spread(quantity);
    let value = spread.map_or_else(|| "-".into(), |spread| number(spread.median));
    if quantity.better().is_none() {
        return vec![value];
    }
    let range = spread.filter(|_| cell.values.get(&quantity).is_some_and(|runs| runs.len() > 1));
    let range = range.map_or_else(String::new, |it| format!("{}..{}", number(it.least), number(it.most)));
    let ratio = |to: Option<f64>| {
        let part = spread.zip(to).map(|(spread, to)| spread.median / to);
        part.filter(|part| part.is_finite()).map_or_else(String::new, number)
    };
    let [direct, peer] = [results.direct(case, quantity), results.best_peer(case, quantity)].map(ratio);
    vec![value, range, direct, peer]
}

/// Three figures that count.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 || value == 0.0 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Left the first column, right the others; columns without anything are left out.
fn aligned(lines: &[Vec<String>]) -> String {
    let filled = |column: usize| {
        column == 0
            || lines.iter().skip(1).any(|line| line.get(column).is_some_and(|entry| !entry.is_empty()))
    };
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    let mut text = String::new();
    for line in lines {
        let mut row = String::new();
        for (column, entry) in line.iter().enumerate().filter(|(column, _)| filled(*column)) {
            let width = width(column).unwrap_or(0);
            let _ = if column == 0 { write!(row, "{entry:width$}") } else { write!(row, " {entry:>width$}") };
        }
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

fn notes(results: &Results, case: &Case) -> String {
    let mut text = String::new();
    for engine in &results.engines {
        let Some(cell) = results.cell(case, engine) else { continue };
        if let Some(first) = cell.problems.first() {
            let _ = writeln!(text, "  ! {}, {} times: {first}", engine.name, cell.problems.len());
        }
        if cell.noisy > 0 {
            let _ = writeln!(text, "  ~ {}: {} runs were disturbed", engine.name, cell.noisy);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures_count() {
        let numbers = [24_300.4, 99.96, 12.34, 1.234, 0.0512, 0.0].map(number);
        assert_eq!(numbers, ["24300", "100", "12.3", "1.23", "0.051", "0"]);
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let lines = [["", "Mbit/s", "range"], ["  direct", "7", ""], ["  telltale", "12345", ""]];
        let lines: Vec<Vec<String>> = lines.iter().map(|line| line.map(str::to_owned).to_vec()).collect();
        assert_eq!(aligned(&lines), "           Mbit/s\n  direct        7\n  telltale  12345\n");
    }
}
