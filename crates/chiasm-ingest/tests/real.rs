//! Real files, with the counts that their READMEs state.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::{Error, read_table, read_vectors};
use std::path::{Path, PathBuf};

/// The folder of data set `name`, or `None` with a loud word where it is not on this machine.
fn data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets", folder.display());
    None
}

#[test]
fn hancock_has_the_rows_its_readme_states() {
    let Some(folder) = data("hancock") else { return };
    let tables = [
        ("targets.csv", 648, 8),
        ("clinical.csv", 648, 5),
        ("pathological.csv", 648, 16),
        ("blood.csv", 583, 17),
        ("icd_codes.csv", 603, 41),
        ("tma_cell_density.csv", 625, 5),
    ];
    for (name, rows, columns) in tables {
        let table = read_table(&folder.join(name)).unwrap();
        assert_eq!((table.rows, table.columns.len()), (rows, columns), "{name}");
        assert_eq!((table.columns[0].name.as_str(), &*table.columns[0].cells.text(0)), ("patient_id", "001"));
        assert_eq!((table.lines[0], table.lines[rows - 1]), (2, rows + 1), "{name}");
    }
    let pathology = read_table(&folder.join("pathological.csv")).unwrap();
    let blanks = |name: &str| {
        let cells = &pathology.column(name).unwrap().cells;
        (0..pathology.rows).filter(|&row| cells.text(row).is_empty()).count()
    };
    assert_eq!(blanks("perinodal_invasion"), 310);
    assert_eq!(blanks("number_of_positive_lymph_nodes"), 126);
    assert_eq!(blanks("infiltration_depth_in_mm"), 110);
}

#[test]
fn hancock_has_512_numbers_a_stain_and_patient() {
    let Some(folder) = data("hancock") else { return };
    for stain in ["HE", "CD3", "CD8", "CD56", "CD68", "CD163", "MHC1", "PDL1"] {
        let vectors = read_vectors(&folder.join(format!("tma_tile_dtr_256_{stain}.npz"))).unwrap();
        assert!((633..=646).contains(&vectors.keys.len()), "{stain}: {}", vectors.keys.len());
        assert_eq!((vectors.width, vectors.values.len()), (512, 512 * vectors.keys.len()));
        assert!(vectors.keys.is_sorted() && vectors.keys[0] == "001");
        assert!(vectors.values.iter().all(|v| v.is_finite()));
    }
}

#[test]
fn porpoise_members_are_text_under_a_zip_name() {
    let Some(folder) = data("porpoise/datasets_csv_mutsig") else { return };
    for (cancer, slides, patients) in [("gbmlgg", 1011, 569), ("ucec", 538, 480), ("paad", 180, 166)] {
        let name = format!("tcga_{cancer}_all_clean.csv.zip");
        let table = read_table(&folder.join(&name)).unwrap();
        assert_eq!(table.origin, format!("{name}!/{name}"));
        assert_eq!((table.rows, table.columns[0].name.as_str()), (slides, ""));
        let cases = &table.column("case_id").unwrap().cells;
        let cases: std::collections::BTreeSet<_> = (0..table.rows).map(|row| cases.text(row)).collect();
        assert_eq!(cases.len(), patients, "{cancer}");
    }
}

#[test]
fn transneo_tables_are_tabs_in_gzip() {
    let Some(folder) = data("transneo") else { return };
    let tables = [
        ("ASCAT-CIN", 166),
        ("ASCAT-purity", 168),
        ("ASCAT-segments", 11_468),
        ("HRD", 168),
        ("DigPathology", 166),
        ("immune-IPS-components", 162),
        ("immune-MCPcounter", 162),
        ("lohhla", 49),
        ("mutational-signatures", 163),
        ("neoantigens", 4_145),
    ];
    for (name, rows) in tables {
        let table = read_table(&folder.join(format!("transneo-diagnosis-{name}.tsv.gz"))).unwrap();
        assert_eq!(table.rows, rows, "{name}");
        assert!(table.columns[0].cells.text(0).starts_with('T'), "{name}");
    }
    for (name, rows) in [("1", 168), ("2", 16_134), ("3", 162)] {
        assert_eq!(read_table(&folder.join(format!("supplementary_table_{name}.csv"))).unwrap().rows, rows);
    }
}

#[test]
fn semicolons_under_a_csv_name_are_found_out() {
    let Some(folder) = data("surgical/cataract101") else { return };
    let error = read_table(&folder.join("videos.csv")).unwrap_err();
    assert!(matches!(error, Error::WrongDelimiter { .. }), "{error}");
}

#[test]
fn one_file_of_many_in_a_tar_archive() {
    let Some(folder) = data("depresjon") else { return };
    let table = read_table(&folder.join("actigraphy.tar.gz!/control/control_1.csv")).unwrap();
    assert!(table.rows > 1000 && table.column("activity").is_some());
    let error = read_table(&folder.join("actigraphy.tar.gz")).unwrap_err();
    assert!(matches!(error, Error::ManyMembers { found: 41, .. }), "{error}");
}
