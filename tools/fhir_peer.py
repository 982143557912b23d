"""Resources a second of Python's fhir.resources on an NDJSON file that this script makes.

Usage: python3 tools/fhir_peer.py make FILE COUNT    writes COUNT resources, always the same ones
       python3 tools/fhir_peer.py parse FILE         parses each line with fhir.resources (R4B models)

See tools/fhir_peer.sh for both sides in one run.
"""

import json
import sys
import time


def resources(count):
    """Patients, each with an encounter, conditions, laboratory results and vital signs; synthetic."""
    for i in range(count):
        patient = i // 10
        subject = {"reference": f"Patient/p{patient}"}
        kind = i % 10
        day = f"2024-{1 + patient % 12:02}-{1 + patient % 28:02}"
        if kind == 0:
            yield {
                "resourceType": "Patient", "id": f"p{patient}", "meta": {"lastUpdated": f"{day}T00:00:00Z"},
                "identifier": [{"system": "urn:oid:1.2.3", "value": f"{patient:08}",
                                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}}],
                "name": [{"use": "official", "family": f"Synthetic{patient}", "given": ["Test", "Case"]}],
                "gender": "female" if patient % 2 else "male", "birthDate": f"{1930 + patient % 80}-04-05",
                "address": [{"line": ["1 Example Street"], "city": "Testtown", "postalCode": f"{patient % 100000:05}"}],
                "telecom": [{"system": "phone", "value": f"555-{patient:07}"}],
            }
        elif kind == 1:
            yield {
                "resourceType": "Encounter", "id": f"e{patient}", "status": "finished", "subject": subject,
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
                "period": {"start": f"{day}T08:00:00Z", "end": f"{day}T18:00:00Z"},
            }
        elif kind == 2:
            yield {
                "resourceType": "Condition", "id": f"c{patient}", "subject": subject,
                "encounter": {"reference": f"Encounter/e{patient}"}, "onsetDateTime": day, "recordedDate": day,
                "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "44054006", "display": "Diabetes mellitus type 2"},
                                    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}], "text": "Type 2 diabetes"},
            }
        else:
            lab = kind < 7
            code, unit = [("2345-7", "mg/dL"), ("718-7", "g/dL"), ("8867-4", "/min"), ("8310-5", "Cel")][kind % 4]
            yield {
                "resourceType": "Observation", "id": f"o{i}", "status": "final", "subject": subject,
                "encounter": {"reference": f"Encounter/e{patient}"}, "effectiveDateTime": f"{day}T09:30:00+01:00",
                "issued": f"{day}T11:00:00.000Z",
                "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                                          "code": "laboratory" if lab else "vital-signs"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": "Measured"},
                "valueQuantity": {"value": 50 + i % 100 + 0.5, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
                "referenceRange": [{"low": {"value": 70, "unit": unit}, "high": {"value": 99, "unit": unit}}],
                "interpretation": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N"}]}],
            }


if sys.argv[1] == "make":
    with open(sys.argv[2], "w") as out:
        for resource in resources(int(sys.argv[3])):
            out.write(json.dumps(resource) + "\n")
else:
    from fhir.resources.R4B import get_fhir_model_class

    start, count = time.perf_counter(), 0
    for line in open(sys.argv[2]):
        kind = json.loads(line)["resourceType"]
        get_fhir_model_class(kind).model_validate_json(line)
        count += 1
    seconds = time.perf_counter() - start
    print(f"fhir.resources: {count} resources in {seconds:.2f} s: {count / seconds:.0f}/s")
