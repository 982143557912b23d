//! The protocols by which hospital systems send: DICOM C-STORE, HL7 over MLLP, DICOMweb, FHIR.
