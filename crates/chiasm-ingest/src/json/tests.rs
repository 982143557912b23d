use super::*;
use proptest::prelude::*;

fn round(text: &str) -> String {
    Document::parse(text.as_bytes()).unwrap().root.to_text()
}

#[test]
fn digits_order_and_strings_stay() {
    let text = r#"{"b":1.00,"a":[-0.0,1e999999,1E-2,100000000000000000000],"c":"é\"\\\u0001\n😀","d":{}}"#;
    assert_eq!(round(text), text);
    assert_eq!(round(r#" [ "\u00e9\ud83d\ude00\/" , null,true ,false ] "#), r#"["é😀/",null,true,false]"#);
    assert_eq!(round("\u{feff}[]"), "[]");
    let mut sorted = String::new();
    Document::parse(br#"{"b":1.0,"a":{"d":1,"c":2}}"#).unwrap().root.canonical(&mut sorted);
    assert_eq!(sorted, r#"{"a":{"c":2,"d":1},"b":1.0}"#);
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for (text, offset) in [
        ("", 0),
        ("{", 1),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("{\"a\":1,}", 7),
        ("{'a':1}", 1),
        ("01", 1),
        ("1.", 2),
        ("-", 1),
        ("1e", 2),
        ("\"a\nb\"", 2),
        ("\"\\x\"", 2),
        ("\"abc", 4),
        ("nul", 0),
        ("[1] // x", 4),
        ("/* x */ 1", 0),
        ("{\"a\" 1}", 5),
    ] {
        let found = Document::parse(text.as_bytes()).unwrap_err();
        assert_eq!(found.offset, offset, "{text}: {found}");
    }
    for text in [r#""\ud800""#, r#""\ud800\u0041""#, r#""\udc00""#, r#""\u12"#, r#""\uzzzz""#, "NaN", "+1"] {
        assert!(Document::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(Document::parse(b"\"a\xff\"").unwrap_err(), Malformed { offset: 2, expected: "UTF-8" });
}

#[test]
fn bombs_are_refused() {
    let deep = "[".repeat(1 << 20);
    assert_eq!(Document::parse(deep.as_bytes()).unwrap_err().expected, "less nesting");
    let deep = "{\"a\":".repeat(DEPTH) + "1" + &"}".repeat(DEPTH);
    assert!(Document::parse(deep.as_bytes()).is_ok());
    let wide = format!("[{}0]", "0,".repeat(VALUES));
    assert_eq!(Document::parse(wide.as_bytes()).unwrap_err().expected, "fewer values");
}

#[test]
fn names_that_stand_twice_are_seen() {
    let document = Document::parse(br#"{"a":1,"b":{"c":1,"c":2},"a":3}"#).unwrap();
    assert_eq!(document.twice, [18, 25]);
    assert_eq!(document.root.get("a").and_then(Json::digits), Some("1"));
    let many: Vec<String> = (0..40).chain([7]).map(|i| format!("\"m{i}\":0")).collect();
    assert_eq!(Document::parse(format!("{{{}}}", many.join(",")).as_bytes()).unwrap().twice.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = Document::parse(&bytes);
    }

    #[test]
    fn any_string_comes_back(text: String) {
        let written = Json::Text(Cow::Owned(text.clone())).to_text();
        let read = Document::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(read.root.text(), Some(text.as_str()));
    }
}
