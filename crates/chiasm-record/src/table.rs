/// A table as a reader found it: named columns of equal length, not yet interpreted.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Where it came from, for messages: file name, and member name inside an archive.
    pub origin: String,
    /// The columns in file order. Names are unique.
    pub columns: Vec<Column>,
    /// Number of data rows.
    pub rows: usize,
    /// The line in the file of each data row where the format has lines (1 is the header), else empty.
    pub lines: Vec<usize>,
}

/// One named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The header's name.
    pub name: String,
    /// The cells, one a row.
    pub cells: Cells,
}

/// The cells of a column: text where the format has only text, numbers where it has types.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Text as it stands in the file; `""` for an empty cell.
    Text(Vec<Box<str>>),
    /// Typed numbers; `None` for a null.
    Number(Vec<Option<f64>>),
}

impl Cells {
    /// The cell as text: numbers in their shortest form that reads back, a null as `""`.
    pub fn text(&self, row: usize) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(v) => std::borrow::Cow::Borrowed(&v[row]),
            Self::Number(v) => v[row].map_or_else(String::new, |x| x.to_string()).into(),
        }
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Where row `row` stands, for messages: `file.csv, line 7` or `file.parquet, row 6`.
    pub fn place(&self, row: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("{}, line {line}", self.origin),
            None => format!("{}, row {}", self.origin, row + 1),
        }
    }
}

/// One fixed-width vector per key, as an NPZ archive holds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// Where it came from, for messages.
    pub origin: String,
    /// The member names without `.npy`, sorted.
    pub keys: Vec<String>,
    /// Values per vector.
    pub width: usize,
    /// `[key][width]`, row after row. All finite.
    pub values: Vec<f32>,
}

impl Vectors {
    /// The vector of key number `i`. Shape: `[width]`.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.width..(i + 1) * self.width]
    }
}
