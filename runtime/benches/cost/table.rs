//! Figures, and how they are printed.

use std::io::Write;

/// A sample of figures: its median and quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of a sample that is not empty.
    pub(crate) fn of(mut sample: Vec<f64>) -> Option<Spread> {
        sample.sort_by(f64::total_cmp);
        let at = |quarters: usize| sample.get((sample.len() - 1) * quarters / 4).copied();
        if sample.is_empty() {
            return None;
        }
        Some(Spread {
            low: at(1)?,
            median: at(2)?,
            high: at(3)?,
        })
    }

    /// As a cell of the table.
    pub(crate) fn cell(self) -> String {
        format!("{:.2} ({:.2}..{:.2})", self.median, self.low, self.high)
    }
}

/// Prints a line.
pub(crate) fn line(text: &str) {
    // There is nobody to tell if the reader has gone.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a row.
pub(crate) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) {
    let mut text = String::from("|");
    for cell in cells {
        text.push(' ');
        text.push_str(cell);
        text.push_str(" |");
    }
    line(&text);
}

/// Prints the head of a table.
pub(crate) fn head(cells: &[&str]) {
    row(cells.iter().copied());
    row(cells.iter().map(|_| "---"));
}
