use super::*;

fn read(text: &[u8], delimiter: Option<Delimiter>) -> Result<Table, Error> {
    parse("t.csv", text, delimiter, &mut Budget::default())
}

fn csv(text: &str) -> Result<Table, Error> {
    read(text.as_bytes(), Some(Delimiter::Comma))
}

fn cells(table: &Table, column: usize) -> Vec<String> {
    (0..table.rows).map(|row| table.columns[column].cells.text(row).into_owned()).collect()
}

#[test]
fn text_stays_as_it_stands() {
    let table = csv("id,note\n001,\"a, \"\"b\"\"\nc\"\n2, x \n").unwrap();
    assert_eq!(table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["id", "note"]);
    assert_eq!(cells(&table, 0), ["001", "2"]);
    assert_eq!(cells(&table, 1), ["a, \"b\"\nc", " x "]);
    assert_eq!(table.lines, [2, 4]);
    assert_eq!(table.place(1), "t.csv, line 4");
}

#[test]
fn byte_order_mark_and_windows_line_ends_leave_no_trace() {
    let table = csv("\u{feff}id,x\r\n1,2\r\n\r\n3,4\r\n").unwrap();
    assert_eq!(table.columns[0].name, "id");
    assert_eq!(cells(&table, 1), ["2", "4"]);
    assert_eq!(table.lines, [2, 4]);
    assert_eq!(csv("id,x\r1,2\r").unwrap().lines, [2]);
}

#[test]
fn the_first_column_may_be_unnamed_but_no_two_are_equal() {
    assert_eq!(csv(",x\nT1,2\n").unwrap().columns[0].name, "");
    let error = csv("id,x,id\n1,2,3\n").unwrap_err();
    let expected = "t.csv: expected unique column names, found 'id' as columns 1 and 3";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(csv(",x,\n1,2,3\n"), Err(Error::DuplicateColumn { first: 1, second: 3, .. })));
}

#[test]
fn the_wrong_delimiter_is_told_from_a_single_column() {
    for (other, text) in
        [(Delimiter::Semicolon, "id;x\n1;2,5\n"), (Delimiter::Tab, "id\tx\n"), (Delimiter::Pipe, "id|x\n")]
    {
        match csv(text).unwrap_err() {
            Error::WrongDelimiter { expected: Delimiter::Comma, found, .. } => assert_eq!(found, other),
            error => panic!("{error}"),
        }
    }
    assert_eq!(cells(&csv("id\n1\n2\n").unwrap(), 0), ["1", "2"]);
    assert_eq!(csv("\"a;b\"\n1\n").unwrap().columns[0].name, "a;b");
    let error = read(b"id,x\n1,2\n", Some(Delimiter::Tab)).unwrap_err();
    assert_eq!(error.to_string(), "t.csv, line 1: expected columns separated by tabs, found commas");
}

#[test]
fn without_an_expectation_the_header_decides() {
    for text in ["id,x y;z\n1,2\n", "id\tx,y\n1\t2\n", "id|x\n1|2\n", "id;x\n1;2\n"] {
        assert_eq!(read(text.as_bytes(), None).unwrap().columns.len(), 2, "{text}");
    }
    assert_eq!(read(b"id\n1\n", None).unwrap().columns.len(), 1);
}

#[test]
fn ragged_rows_name_the_line() {
    let error = csv("a,b\n\"1\n1\",2\n\n3\n").unwrap_err();
    assert_eq!(error.to_string(), "t.csv, line 5: expected 2 cells as in the header, found 1");
    assert!(matches!(csv("a,b\n1,2,3\n"), Err(Error::Ragged { expected: 2, found: 3, .. })));
}

#[test]
fn a_quote_left_open_does_not_swallow_the_rest() {
    let error = csv("a,b\n1,2\n3,\"4\n5,6\n").unwrap_err();
    assert!(matches!(&error, Error::UnclosedQuote { place } if place == "t.csv, line 3"), "{error}");
}

#[test]
fn other_encodings_name_the_byte() {
    let error = read(b"\xef\xbb\xbfa,b\n1,M\xfcller\n", None).unwrap_err();
    assert!(matches!(&error, Error::NotUtf8 { place, offset: 10 } if place == "t.csv, line 2"), "{error}");
    assert!(!error.to_string().contains('M'), "a message must not carry a value");
}

#[test]
fn nothing_is_an_error_a_header_alone_is_not() {
    for text in ["", "\n\r\n", "\u{feff}"] {
        assert!(matches!(csv(text), Err(Error::Empty { .. })), "{text:?}");
    }
    assert_eq!(csv("a,b\n").unwrap().rows, 0);
}

#[test]
fn cells_count_against_the_budget() {
    let text = format!("a,b\n{}", ",\n".repeat(1000));
    let result = parse("t", text.as_bytes(), Some(Delimiter::Comma), &mut Budget::new(8192));
    assert!(matches!(result, Err(Error::TooLarge { .. })));
}
