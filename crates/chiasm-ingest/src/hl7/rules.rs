//! What the standard demands, as tables.

/// How a field is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything.
    Any,
    /// A date or time: `YYYY[MM[DD[HH[MM[SS[.f]]]]]][+ZZZZ]`.
    Time,
    /// A number.
    Number,
    /// One of a closed set of codes, parted by blanks.
    OneOf(&'static str),
}

/// A rule about one field.
pub(super) struct FieldRule {
    pub(super) segment: &'static str,
    pub(super) field: usize,
    pub(super) required: bool,
    pub(super) repeats: bool,
    pub(super) kind: Kind,
    /// The longest value that versions to 2.6 allow; 0 for any.
    pub(super) length: usize,
}

const fn rule(segment: &'static str, field: usize, flags: &str, kind: Kind, length: usize) -> FieldRule {
    let flags = flags.as_bytes();
    let mut i = 0;
    let (mut required, mut repeats) = (false, false);
    while i < flags.len() {
        match flags[i] {
            b'R' => required = true,
            b'*' => repeats = true,
            _ => {}
        }
        i += 1;
    }
    FieldRule { segment, field, required, repeats, kind, length }
}

use Kind::{Any, Number, OneOf, Time};

/// Table 0085: the status of a result.
const RESULT_STATUS: &str = "C D F I N O P R S U V W X A B";

/// The rules about fields, in the order of segments and fields. `R` required, `*` may repeat.
///
/// # Source
/// HL7 v2.5.1 and v2.8.2, the attribute tables of the segments; lengths from v2.5.1.
pub(super) const FIELDS: [FieldRule; 58] = [
    rule("MSH", 7, "R", Time, 26),
    rule("MSH", 9, "R", Any, 0),
    rule("MSH", 10, "R", Any, 199),
    rule("MSH", 11, "R", Any, 3),
    rule("MSH", 12, "R", Any, 0),
    rule("MSH", 18, "*", Any, 0),
    rule("EVN", 2, "R", Time, 26),
    rule("EVN", 6, "", Time, 26),
    rule("PID", 3, "R*", Any, 0),
    rule("PID", 5, "R*", Any, 0),
    rule("PID", 7, "", Time, 26),
    rule("PID", 8, "", OneOf("F M O U A N X C"), 0),
    rule("PID", 29, "", Time, 26),
    rule("PID", 30, "", OneOf("Y N"), 1),
    rule("PV1", 2, "R", Any, 0),
    rule("PV1", 19, "", Any, 250),
    rule("PV1", 44, "", Time, 26),
    rule("PV1", 45, "*", Time, 26),
    rule("MRG", 1, "R*", Any, 0),
    rule("ORC", 1, "R", Any, 0),
    rule("ORC", 9, "", Time, 26),
    rule("OBR", 4, "R", Any, 0),
    rule("OBR", 7, "", Time, 26),
    rule("OBR", 8, "", Time, 26),
    rule("OBR", 14, "", Time, 26),
    rule("OBR", 22, "", Time, 26),
    rule("OBR", 25, "", OneOf("O I S A P C R F X Y Z N M"), 1),
    rule("OBX", 1, "", Number, 0),
    rule("OBX", 3, "R", Any, 0),
    rule("OBX", 6, "", Any, 0),
    rule("OBX", 7, "", Any, 0),
    rule("OBX", 11, "R", OneOf(RESULT_STATUS), 1),
    rule("OBX", 14, "", Time, 26),
    rule("OBX", 19, "", Time, 26),
    rule("SPM", 4, "R", Any, 0),
    rule("SPM", 18, "", Time, 26),
    rule("DG1", 1, "R", Number, 4),
    rule("DG1", 3, "", Any, 0),
    rule("DG1", 5, "", Time, 26),
    rule("DG1", 6, "R", Any, 0),
    rule("AL1", 1, "R", Any, 0),
    rule("AL1", 3, "R", Any, 0),
    rule("IAM", 3, "R", Any, 0),
    rule("IAM", 6, "R", Any, 0),
    rule("PR1", 1, "R", Number, 4),
    rule("PR1", 3, "R", Any, 0),
    rule("PR1", 5, "R", Time, 26),
    rule("NK1", 1, "R", Number, 4),
    rule("TXA", 1, "R", Number, 4),
    rule("TXA", 2, "R", Any, 0),
    rule("TXA", 4, "", Time, 26),
    rule("TXA", 12, "R", Any, 0),
    rule("TXA", 17, "R", OneOf("DI DO IP IN PA AU LA"), 2),
    rule("RXA", 3, "R", Time, 26),
    rule("RXA", 5, "R", Any, 0),
    rule("RXA", 6, "R", Number, 20),
    rule("MSA", 1, "R", OneOf("AA AE AR CA CE CR"), 2),
    rule("MSA", 2, "R", Any, 0),
];

/// The segments that a message of a type must have; a trigger of `""` stands for all.
pub(super) const STRUCTURES: [(&str, &str, &[&str]); 27] = [
    ("ADT", "", &["EVN", "PID"]),
    ("ADT", "A01", &["PV1"]),
    ("ADT", "A02", &["PV1"]),
    ("ADT", "A03", &["PV1"]),
    ("ADT", "A04", &["PV1"]),
    ("ADT", "A05", &["PV1"]),
    ("ADT", "A06", &["PV1"]),
    ("ADT", "A07", &["PV1"]),
    ("ADT", "A08", &["PV1"]),
    ("ADT", "A11", &["PV1"]),
    ("ADT", "A12", &["PV1"]),
    ("ADT", "A13", &["PV1"]),
    ("ADT", "A18", &["MRG"]),
    ("ADT", "A34", &["MRG"]),
    ("ADT", "A35", &["MRG"]),
    ("ADT", "A36", &["MRG"]),
    ("ADT", "A40", &["MRG"]),
    ("ADT", "A41", &["MRG"]),
    ("ADT", "A47", &["MRG"]),
    ("ORU", "", &["OBR"]),
    ("ORM", "", &["ORC"]),
    ("OML", "", &["ORC"]),
    ("OMG", "", &["ORC", "OBR"]),
    ("MDM", "", &["EVN", "PID", "PV1", "TXA"]),
    ("VXU", "", &["PID"]),
    ("ACK", "", &["MSA"]),
    ("ORL", "", &["MSA"]),
];

/// Whether the standard (2.3 to 2.8) has a segment of that name, or leaves it to sites (`Z..`).
pub(super) fn known(segment: &str) -> bool {
    segment.starts_with('Z') || SEGMENTS.split_ascii_whitespace().any(|s| s == segment)
}

/// The segments of versions 2.3 to 2.8.2.
const SEGMENTS: &str = "ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI \
    CDM CDO CER CM0 CM1 CM2 CNS CON CSP CSR CSS CTD CTI DB1 DG1 DMI DON DPS DRG DSC DSP DST ECD ECR EDU EQL EQP EQU \
    ERQ ERR EVN FAC FHS FT1 FTS GOL GP1 GP2 GT1 IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH \
    LDP LOC LRL MCP MFA MFE MFI MRG MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX ODS ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 \
    OM4 OM5 OM6 OM7 OMC ORC ORG OVR PAC PCE PCR PD1 PDA PDC PEO PES PID PKG PM1 PMT PR1 PRA PRB PRC PRD PRT PSG PSH \
    PSL PSS PTH PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS RMI ROL RQ1 RQD RXA RXC RXD RXE RXG \
    RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT SPM SPR STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS \
    VAR VND VTQ";

/// The types of value that OBX-2 may name (table 0125 and the older ones).
pub(super) const VALUES: &str = "AD CE CF CK CN CNE CP CQ CWE CX DR DT DTM ED EI FC FT HD ID IS MA MO NA NM PN PPN RP SI SN \
    SNM ST TM TN TS TX XAD XCN XON XPN XTN";
