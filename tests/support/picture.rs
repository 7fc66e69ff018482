//! Pictures of a terminal, as SVG: text stays text, so that they are small and can be read aloud.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;
const FOREGROUND: &str = "#d4d4d4";
const BACKGROUND: &str = "#16181d";

/// The first sixteen colours of a terminal.
const BASIC: [&str; 16] = [
    "#1e1e1e", "#cd3131", "#0dbc79", "#e5c07b", "#2472c8", "#bc3fbc", "#11a8cd", "#cccccc", "#666666", "#f14c4c",
    "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff",
];

/// The screen as SVG.
pub(crate) fn svg(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) =
        (f64::from(columns) * CELL_WIDTH + 2.0 * MARGIN, f64::from(rows) * CELL_HEIGHT + 2.0 * MARGIN);
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>",
        escaped(title)
    );
    for row in 0..rows {
        for run in runs(screen, row, columns) {
            run.draw(&mut svg, row);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Neighbouring cells that look alike.
struct Run {
    from: u16,
    columns: u16,
    text: String,
    style: Style,
}

#[derive(PartialEq, Clone)]
struct Style {
    foreground: String,
    background: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

fn runs(screen: &Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else { continue };
        if cell.is_wide_continuation() {
            if let Some(run) = runs.last_mut() {
                run.columns += 1;
            }
            continue;
        }
        let style = style(cell);
        let text = if cell.has_contents() { cell.contents() } else { " " };
        match runs.last_mut() {
            Some(run) if run.style == style => {
                run.columns += 1;
                run.text.push_str(text);
            }
            _ => runs.push(Run { from: column, columns: 1, text: text.to_owned(), style }),
        }
    }
    runs
}

fn style(cell: &Cell) -> Style {
    let (mut foreground, mut background) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
    if cell.inverse() {
        (foreground, background) =
            (Some(background.unwrap_or(BACKGROUND.to_owned())), Some(foreground.unwrap_or(FOREGROUND.to_owned())));
    }
    Style {
        foreground: foreground.unwrap_or(FOREGROUND.to_owned()),
        background,
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
    }
}

fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Default => None,
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Idx(at @ 0..=15) => Some(BASIC[usize::from(at)].to_owned()),
        // A cube of six steps each, then greys.
        Color::Idx(at @ 16..=231) => {
            let at = at - 16;
            let step = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            Some(format!("#{:02x}{:02x}{:02x}", step(at / 36), step(at / 6 % 6), step(at % 6)))
        }
        Color::Idx(at) => {
            let grey = 8 + 10 * (at - 232);
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
    }
}

impl Run {
    fn draw(&self, svg: &mut String, row: u16) {
        let x = MARGIN + f64::from(self.from) * CELL_WIDTH;
        let y = MARGIN + f64::from(row) * CELL_HEIGHT;
        let width = f64::from(self.columns) * CELL_WIDTH;
        if let Some(background) = &self.style.background {
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{background}\"/>"
            );
        }
        if self.text.trim().is_empty() {
            return;
        }
        let Style { foreground, bold, dim, italic, underline, .. } = &self.style;
        let mut more = String::new();
        for (is_so, attribute) in [
            (*bold, " font-weight=\"bold\""),
            (*dim, " opacity=\"0.7\""),
            (*italic, " font-style=\"italic\""),
            (*underline, " text-decoration=\"underline\""),
        ] {
            if is_so {
                more.push_str(attribute);
            }
        }
        let base = y + CELL_HEIGHT * 0.74;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{base:.1}\" fill=\"{foreground}\" textLength=\"{width:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"{more}>{}</text>",
            escaped(&self.text)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
