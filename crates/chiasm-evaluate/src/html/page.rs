use crate::plots::svg::escape;
use std::fmt::Display;

/// Markup. The only ways to make it are escaping a text and trusting our own.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// A text of the report, escaped.
    pub(super) fn text(text: &str) -> Self {
        Self(escape(text))
    }

    /// Markup made here: a drawing, or an element around other [`Html`].
    pub(super) fn own(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }
}

impl Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One section of the page.
pub(super) struct Section {
    id: &'static str,
    name: &'static str,
    body: String,
}

impl Section {
    pub(super) fn new(id: &'static str, name: &'static str) -> Self {
        Self { id, name, body: String::new() }
    }

    /// A paragraph of plain text.
    pub(super) fn say(&mut self, text: &str) -> &mut Self {
        self.add(format_args!("<p>{}</p>\n", Html::text(text)))
    }

    /// A sentence on what is not here, and why.
    pub(super) fn absent(&mut self, text: &str) -> &mut Self {
        self.add(format_args!("<p class=\"none\">{}</p>\n", Html::text(text)))
    }

    /// A heading inside the section.
    pub(super) fn heading(&mut self, text: &str) -> &mut Self {
        self.add(format_args!("<h3>{}</h3>\n", Html::text(text)))
    }

    /// Our own markup.
    pub(super) fn add(&mut self, markup: impl Display) -> &mut Self {
        self.body += &markup.to_string();
        self
    }

    /// Drawings side by side, each with its caption.
    pub(super) fn figures(&mut self, figures: &[(String, String)]) -> &mut Self {
        if figures.is_empty() {
            return self;
        }
        let each = |(drawing, caption): &(String, String)| {
            format!(
                "<figure><div class=\"scroll\">{drawing}</div><figcaption>{}</figcaption></figure>\n",
                Html::text(caption)
            )
        };
        let class = if figures.len() > 1 { "figures" } else { "figure" };
        self.add(format_args!(
            "<div class=\"{class}\">\n{}</div>\n",
            figures.iter().map(each).collect::<String>()
        ))
    }

    pub(super) fn link(&self) -> String {
        format!("<a href=\"#{}\">{}</a>", self.id, Html::text(self.name))
    }

    pub(super) fn into_html(self) -> String {
        format!("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", self.id, Html::text(self.name), self.body)
    }
}

/// How a column stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Column {
    Text,
    Number,
    Plot,
}

/// A table with a caption and a head.
pub(super) struct Table {
    caption: String,
    columns: Vec<(String, Column)>,
    rows: Vec<(&'static str, Vec<Html>)>,
    foot: Option<Vec<Html>>,
    narrow: bool,
}

impl Table {
    pub(super) fn new(caption: &str, columns: &[(&str, Column)]) -> Self {
        let columns = columns.iter().map(|(name, column)| ((*name).to_owned(), *column)).collect();
        Self { caption: caption.to_owned(), columns, rows: Vec::new(), foot: None, narrow: false }
    }

    /// No wider than its cells need.
    pub(super) fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    /// A heading over the rows that follow.
    pub(super) fn part(&mut self, name: &str) {
        self.rows.push(("part", vec![Html::text(name)]));
    }

    pub(super) fn row(&mut self, cells: Vec<Html>) {
        self.rows.push(("", cells));
    }

    /// A row that stands out.
    pub(super) fn marked(&mut self, class: &'static str, cells: Vec<Html>) {
        self.rows.push((class, cells));
    }

    pub(super) fn foot(&mut self, cells: Vec<Html>) {
        self.foot = Some(cells);
    }

    fn cells(&self, cells: &[Html]) -> String {
        if let ([only], width @ 2..) = (cells, self.columns.len()) {
            return format!("<th scope=\"rowgroup\" colspan=\"{width}\">{only}</th>");
        }
        let class = |i: usize| match self.columns.get(i).map(|c| c.1) {
            Some(Column::Number) => " class=\"num\"",
            Some(Column::Plot) => " class=\"drawn\"",
            _ => "",
        };
        let cell = |(i, cell): (usize, &Html)| match i {
            0 => format!("<th scope=\"row\">{cell}</th>"),
            _ => format!("<td{}>{cell}</td>", class(i)),
        };
        cells.iter().enumerate().map(cell).collect()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = if self.narrow { " class=\"narrow\"" } else { "" };
        let caption = Html::text(&self.caption);
        write!(f, "<div class=\"scroll\"><table{class}>\n<caption>{caption}</caption>\n<thead><tr>")?;
        for (name, column) in &self.columns {
            let class = if *column == Column::Number { " class=\"num\"" } else { "" };
            write!(f, "<th scope=\"col\"{class}>{}</th>", Html::text(name))?;
        }
        f.write_str("</tr></thead>\n<tbody>\n")?;
        for (class, cells) in &self.rows {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            writeln!(f, "<tr{class}>{}</tr>", self.cells(cells))?;
        }
        f.write_str("</tbody>\n")?;
        if let Some(foot) = &self.foot {
            let cells: String = foot.iter().map(|c| format!("<td>{c}</td>")).collect();
            writeln!(f, "<tfoot aria-hidden=\"true\"><tr>{cells}</tr></tfoot>")?;
        }
        f.write_str("</table></div>\n")
    }
}

/// A list of plain texts.
pub(super) fn items(texts: &[String]) -> Html {
    let each: String = texts.iter().map(|t| format!("<li>{}</li>", Html::text(t))).collect();
    Html::own(format!("<ul>{each}</ul>\n"))
}
