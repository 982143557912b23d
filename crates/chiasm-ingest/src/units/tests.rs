use super::*;
use proptest::prelude::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-12)
}

#[test]
fn conversions_are_those_of_ucums_functional_tests() {
    // Values from UCUM's own functional tests (ucum.org/docs/functional-tests, conversion 3-102 to 3-127), to
    // their stated precision.
    for (value, from, to, expected) in [
        (6.3, "mm", "m", 0.0063),
        (6.3, "s.mm-1", "s.m-1", 6300.0),
        (6.3, "s.mm-2", "s.m-2", 6_300_000.0),
        (6.3, "s/m.mg", "s.m-1.g", 0.0063),
        (6.3, "4.s/m", "s/m", 25.2),
        (6.3, "s/4/m", "s/m", 1.575),
        (6.3, "[in_i]", "cm", 16.002),
        (6.3, "g.m.s-2.A-2", "g.m.C-2", 6.3),
        (1.0, "4.[pi].10*-7.s", "s", 0.000_001_256_637_061_435_917_3),
        (1.0, "m[Hg]", "g.s-2.m-1", 133_322_000.0),
        (1.0, "S", "g-1.m-2.C2.s", 0.001),
        (1.0, "[ly]", "cm", 946_073_047_258_080_000.0),
    ] {
        let found = convert(value, from, to, None).unwrap();
        assert!(close(found, expected), "{value} {from} = {found} {to}");
    }
}

#[test]
fn validity_is_that_of_ucums_functional_tests() {
    for valid in [
        "m",
        "/m",
        "10*3/ul",
        "10*-3/ul",
        "10*+3/ul",
        "m[H2O]",
        "rad2",
        "m3.kg-1.s-2",
        "4.[pi].10*-7.N/A2",
        "rad2{a}",
        "{a}.rad2{b}",
        "1{c}",
        "{e}",
        "%",
        "dB[10.nV]",
        "[cup_us]",
        "[foz_br]",
        "[sft_i]",
        "1/min",
        "[APL'U]",
        "[IU]/mL",
        "umol/2.h",
        "u[IU]/mL",
        "kU/L",
        "dyn.s/(cm5.m2)",
        "meq/(kg.min)",
        "10.L/min",
        "mL/mbar",
        "Pa",
        "cd",
        "pt",
        "mm[Hg]",
    ] {
        assert!(expression::parse(valid).is_some(), "{valid}");
    }
    for invalid in [
        "",
        "m/",
        "10+3/ul",
        "rad2{錠}",
        "{a}rad2{b}",
        "{|}1",
        "iU",
        "molv",
        "[BETH'U]",
        "[iIU]",
        "g/12h",
        "mmol/kg[H20]",
        "mL/72h",
        "m{",
        "(m",
        "m)",
        "m..s",
        "k%",
        "m m",
        "10*999/L",
        "Cel2",
        "Cel.m",
    ] {
        assert!(expression::parse(invalid).is_none(), "{invalid}");
    }
    assert!(expression::parse(&"(".repeat(250)).is_none());
}

#[test]
fn laboratories_spellings_become_ucum() {
    for (spelled, code) in [
        ("mg/dL", "mg/dL"),
        ("MG/DL", "mg/dL"),
        ("Mg/dL", "mg/dL"),
        ("mg/dl", "mg/dL"),
        ("mmol/l", "mmol/L"),
        ("MMOL/L", "mmol/L"),
        ("10*3/uL", "10*3/uL"),
        ("10^3/uL", "10*3/uL"),
        ("x10^9/L", "10*9/L"),
        ("X10E3/UL", "10*3/uL"),
        ("x10(3)/mcL", "10*3/uL"),
        ("10e9/l", "10*9/L"),
        ("x10³/µL", "10*3/uL"),
        ("K/uL", "10*3/uL"),
        ("K/mm3", "10*3/mm3"),
        ("M/uL", "10*6/uL"),
        ("Thousand/uL", "10*3/uL"),
        ("G/L", "10*9/L"),
        ("T/L", "10*12/L"),
        ("g/L", "g/L"),
        ("%", "%"),
        ("degF", "[degF]"),
        ("[degF]", "[degF]"),
        ("°C", "Cel"),
        ("Deg. F", "[degF]"),
        ("Cel", "Cel"),
        ("cmH2O", "cm[H2O]"),
        ("mm Hg", "mm[Hg]"),
        ("mmHg", "mm[Hg]"),
        ("mm[Hg]", "mm[Hg]"),
        ("mEq/L", "meq/L"),
        ("MEQ/L", "meq/L"),
        ("mcg/mL", "ug/mL"),
        ("μg/L", "ug/L"),
        ("gm/dl", "g/dL"),
        ("IU/L", "[IU]/L"),
        ("mIU/mL", "m[IU]/mL"),
        ("uIU/mL", "u[IU]/mL"),
        ("MU/L", "mU/L"),
        ("U/L", "U/L"),
        ("units/L", "U/L"),
        ("fL", "fL"),
        ("FL", "fL"),
        ("pg", "pg"),
        ("PG/ML", "pg/mL"),
        ("mm/hr", "mm/h"),
        ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
        ("kg/m2", "kg/m2"),
        ("kg/m²", "kg/m2"),
        ("kg/m^2", "kg/m2"),
        ("bpm", "/min"),
        ("beats/min", "{beats}/min"),
        ("/HPF", "/[HPF]"),
        ("cells/uL", "{cells}/uL"),
        ("#/uL", "1/uL"),
        ("mOsm/kg", "mosm/kg"),
        ("mg/24hr", "mg/(24.h)"),
        ("mcg/kg/min", "ug/kg/min"),
        ("lbs", "[lb_av]"),
        ("in", "[in_i]"),
        ("KG", "kg"),
        ("cm", "cm"),
        ("sec", "s"),
        ("seconds", "s"),
        ("years", "a"),
        ("mg per dL", "mg/dL"),
        ("ng/mL{FEU}", "ng/mL{FEU}"),
        ("L/min", "L/min"),
        ("kPa", "kPa"),
        ("cc/hr", "mL/h"),
    ] {
        assert_eq!(ucum(spelled).as_deref(), Some(code), "{spelled}");
    }
    for unknown in ["", "see note", "MU", "xyz", "10", "mg/", "positive", "é", "{", &"m".repeat(500)] {
        assert_eq!(ucum(unknown).filter(|_| unknown != "10"), None, "{unknown}");
    }
}

#[test]
fn substances_convert_by_their_code() {
    // Factors as the AMA Manual of Style prints them (11th ed., table of SI conversions), to three digits.
    for (value, from, to, loinc, expected) in [
        (100.0, "mg/dL", "mmol/L", "2345-7", 5.55),
        (1.0, "mg/dL", "umol/L", "2160-0", 88.4),
        (1.0, "mg/dL", "mmol/L", "3094-0", 0.357),
        (100.0, "mg/dL", "mmol/L", "2093-3", 2.59),
        (100.0, "mg/dL", "mmol/L", "2571-8", 1.13),
        (1.0, "mg/dL", "umol/L", "1975-2", 17.1),
        (10.0, "mg/dL", "mmol/L", "17861-6", 2.50),
        (1.0, "mg/dL", "mmol/L", "19123-9", 0.411),
        (1.0, "mg/dL", "mmol/L", "2777-1", 0.323),
        (1.0, "mg/dL", "umol/L", "3084-1", 59.5),
        (1.0, "ug/dL", "umol/L", "2498-4", 0.179),
        (9.0, "mg/dL", "mmol/L", "14118-4", 0.999),
        (1.0, "ug/dL", "nmol/L", "3026-2", 12.9),
        (1.0, "ug/dL", "nmol/L", "2143-6", 27.6),
        (1.0, "ng/dL", "nmol/L", "2986-8", 0.0347),
        (5.0, "meq/L", "mmol/L", "17861-6", 2.50),
        (140.0, "meq/L", "mmol/L", "2951-2", 140.0),
        (10.0, "mg/dL", "meq/L", "17861-6", 4.99),
        (15.0, "g/dL", "mmol/L", "718-7", 9.31),
    ] {
        let found = convert(value, from, to, Some(loinc)).unwrap();
        assert!((found / expected - 1.0).abs() < 6e-3, "{loinc}: {value} {from} = {found} {to}");
        assert!(convert(value, from, to, None).is_err(), "{from} {to} needs a substance");
    }
}

#[test]
fn scales_that_are_no_ratios_convert_too() {
    for (value, from, to, expected) in [
        (98.6, "[degF]", "Cel", 37.0),
        (37.0, "Cel", "[degF]", 98.6),
        (0.0, "Cel", "K", 273.15),
        (7.4, "[pH]", "nmol/L", 39.810_717_055),
        (3.0, "B", "dB", 30.0),
    ] {
        let found = convert(value, from, to, None).unwrap();
        assert!((found - expected).abs() < 1e-6, "{value} {from} = {found} {to}");
    }
    // 48 mmol/mol is 6.5 %, where a ratio would make it 4.8 %.
    let ngsp = convert(48.0, "mmol/mol", "%", Some("59261-8")).unwrap();
    assert!((ngsp - 6.543).abs() < 1e-3, "{ngsp}");
    assert!(close(convert(ngsp, "%", "mmol/mol", Some("4548-4")).unwrap(), 48.0));
}

#[test]
fn what_does_not_measure_the_same_is_refused() {
    for (from, to, loinc) in [
        ("mg/dL", "mmol/L", None),
        ("mg/dL", "mmol/L", Some("9999-9")),
        ("10*3/uL", "mmol/L", None),
        ("mg/dL", "mmol", Some("2345-7")),
        ("[IU]/L", "[arb'U]/L", None),
        ("[IU]/L", "U/L", None),
        ("kg", "cm", Some("2345-7")),
        ("meq/L", "mmol/L", Some("2345-7")),
    ] {
        assert!(matches!(convert(1.0, from, to, loinc), Err(UnitError::Dimension { .. })), "{from} {to}");
    }
    assert!(matches!(convert(1.0, "quux", "m", None), Err(UnitError::Unknown(_))));
    assert!(matches!(convert(f64::NAN, "m", "cm", None), Err(UnitError::NotFinite { .. })));
    assert!(matches!(convert(0.0, "mol/L", "[pH]", None), Err(UnitError::NotFinite { .. })));
}

const KINDS: [&[&str]; 7] = [
    &["mg/dL", "g/L", "ug/mL", "kg/m3", "[oz_av]/[gal_us]", "g%"],
    &["mmol/L", "umol/mL", "nmol/dL", "osm/m3"],
    &["mm[Hg]", "kPa", "cm[H2O]", "[psi]", "bar", "atm", "dyn/cm2"],
    &["Cel", "[degF]", "K", "[degRe]"],
    &["10*3/uL", "10*9/L", "/mL", "{cells}/mm3"],
    &["U/L", "ukat/L", "nkat/mL", "umol/min/L"],
    &["mL/min", "L/h", "m3/s", "[foz_us]/d"],
];

proptest! {
    #[test]
    fn there_and_back_is_the_same(kind in 0usize..7, a in 0usize..9, b in 0usize..9, value in 0.001f64..1e6) {
        let units = KINDS[kind];
        let (from, to) = (units[a % units.len()], units[b % units.len()]);
        let there = convert(value, from, to, None).unwrap();
        let back = convert(there, to, from, None).unwrap();
        prop_assert!((back - value).abs() <= 1e-9 * (value.abs() + 1000.0), "{value} {from} -> {there} {to} -> {back}");
    }

    #[test]
    fn different_dimensions_never_convert(k in 0usize..7, l in 0usize..7, a in 0usize..9, b in 0usize..9) {
        prop_assume!(k != l);
        let (from, to) = (KINDS[k][a % KINDS[k].len()], KINDS[l][b % KINDS[l].len()]);
        prop_assert!(convert(1.0, from, to, None).is_err());
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,40}") {
        if let Some(code) = ucum(&text) {
            prop_assert!(expression::parse(&code).is_some(), "{text} -> {code}");
            // What came out goes in again unchanged.
            prop_assert_eq!(ucum(&code), Some(code));
        }
        let _ = convert(1.0, &text, "m", Some(&text));
    }

    #[test]
    fn unit_like_texts_are_stable(text in "[mkuKM]?[gGlLhd%UC][/.*^ ]?[xX1]?[023]{0,2}[/]?[mdu]?[LlgsHh2]{0,3}") {
        if let Some(code) = ucum(&text) {
            prop_assert!(expression::parse(&code).is_some(), "{text} -> {code}");
            prop_assert_eq!(ucum(&code), Some(code), "{}", text);
        }
    }
}
