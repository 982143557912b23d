//! `report.html`: one file with everything in it. No script, no network; it prints, it follows the
//! reader's light or dark setting, and it says why a section is missing.

mod cohort;
mod drivers;
mod guide;
mod models;
mod page;
mod performance;
mod subsets;
mod verdict;

use crate::report::Report;
use page::{Html, Section};

const STYLE: &str = include_str!("html/style.css");

/// The report as one self-contained HTML file. The same report gives the same bytes.
///
/// Every text of the report is escaped; nothing in it can become markup.
pub fn render(report: &Report) -> String {
    let sections = [
        models::models(report),
        models::comparisons(report),
        drivers::drivers(report),
        performance::performance(report),
        subsets::subsets(report),
        subsets::missing(report),
        performance::subgroups(report),
        cohort::data(report),
        cohort::method(report),
        guide::how_to_read(report),
        guide::reproduce(report),
    ];
    let title = Html::text(&format!("{} · Chiasm report", report.recipe));
    let links: String = sections.iter().map(Section::link).collect();
    let body: String = sections.into_iter().map(Section::into_html).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}{}<nav aria-label=\"Sections\">{links}</nav>\n{body}</main>\n</body>\n</html>\n",
        verdict::header(report),
        verdict::verdict(report),
    )
}
