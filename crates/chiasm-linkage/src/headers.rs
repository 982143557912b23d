//! The names that tables give to their columns, by what the column says of a person.

use crate::FieldKind;

/// The kind that a column's name announces, `None` for an unknown name.
///
/// Case, accents, punctuation, a number at the end, whose name it is ("patient's") and what kind of value
/// it is ("code") make no difference: `Patient First-Name_1` is `firstname`.
pub fn recognise(name: &str) -> Option<FieldKind> {
    let folded = spaced(name);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let whole = words.concat();
    let own = words.iter().position(|word| !stands(WHOSE, word)).unwrap_or(0);
    let mut rest = &words[own..];
    while let [some @ .., last] = rest
        && !some.is_empty()
        && (stands(FORM, last) || last.bytes().all(|b| b.is_ascii_digit()))
    {
        rest = some;
    }
    let plain = rest.concat();
    let of = |wanted: &str| KNOWN.iter().find(|(_, names)| stands(names, wanted)).map(|(kind, _)| *kind);
    let stem = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    of(&whole).or_else(|| of(&stem(&whole))).or_else(|| of(&plain)).or_else(|| of(&stem(&plain)))
}

/// Whether a word is one of a list.
fn stands(list: &str, word: &str) -> bool {
    list.split(' ').any(|one| one == word)
}

/// Lower case without accents, `dateOfBirth` as `date of birth`.
fn spaced(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    crate::normalise::text(&out)
}

/// Words before a name that say whose it is.
const WHOSE: &str = "patient patients pat pt person member client subject customer applicant resident \
    beneficiary participant individual voter user legal current primary";
/// Words after a name that say in which form it is.
const FORM: &str = "code cd text txt value val clean cleaned std raw norm full a b desc nm";

/// Names of columns by kind, in lower case, letters and digits alone.
static KNOWN: [(FieldKind, &str); 21] = [
    (
        FieldKind::Ignore,
        "id recid recordid recordnumber uniqueid uid uuid guid cluster clusterid entity entityid \
         entid truth trueid trueclusterid label matchid duplicateof personid row rowid rownumber \
         index source sourcedataset dataset blockingnumber",
    ),
    (
        FieldKind::GivenName,
        "givenname givennames given firstname firstnames first forename forenames forename1 fname \
         firstnm gname christianname namefirst namegiven nickname preferredname \
         preferredfirstname knownas vorname vornamen rufname prenom prenoms nombre nombres nome \
         voornaam voornamen roepnaam fornamn fornavn imie fnamec",
    ),
    (
        FieldKind::FamilyName,
        "familyname family surname surnames lastname lastnames last lname lastnm sname namelast \
         namefamily maidenname birthname previoussurname formername nachname familienname zuname \
         geburtsname nom nomdefamille apellido apellidos primerapellido segundoapellido cognome \
         sobrenome apelido achternaam efternamn etternavn efternavn nazwisko lnamec",
    ),
    (FieldKind::NameSuffix, "suffix namesuffix suffixname generation generationsuffix namegeneration"),
    (FieldKind::FullName, "fullname name patientname personname completename displayname nameoriginal names"),
    (
        FieldKind::BirthDate,
        "dob dateofbirth birthdate birthday birth bdate birthdt dateborn born dtbirth \
         patientbirthdate geburtsdatum gebdatum gebdat geburtstag datedenaissance datenaissance \
         ddn fechadenacimiento fechanacimiento fechanac datadinascita datanascita \
         datadenascimento datanascimento geboortedatum fodelsedatum fodselsdato dataurodzenia",
    ),
    (FieldKind::BirthYear, "birthyear yearofbirth yob by dobyear doby geburtsjahr byear geboortejaar"),
    (FieldKind::BirthMonth, "birthmonth monthofbirth mob bm dobmonth dobm geburtsmonat bmonth"),
    (FieldKind::BirthDay, "dayofbirth bd dobday dobd bday birthdayofmonth"),
    (
        FieldKind::Sex,
        "sex gender administrativesex administrativegender patientsex sexatbirth birthsex \
         genderidentity geschlecht sexe sexo genero sesso geslacht kon plec",
    ),
    (
        FieldKind::Postcode,
        "postcode post postal postalcode zip zipcode zip5 postzip addresspostcode postcodefake \
         pincode plz postleitzahl codepostal cp codigopostal cap cep postnummer postnr \
         kodpocztowy homezip mailingzip",
    ),
    (
        FieldKind::Street,
        "street streetname streetaddress address addressline addressone addresstwo addressstreet \
         addr addrline line homeaddress mailingaddress residentialaddress strasse strassenname \
         anschrift adresse rue voie calle direccion domicilio via indirizzo rua endereco straat \
         straatnaam adres ulica gata",
    ),
    (
        FieldKind::HouseNumber,
        "streetnumber streetno streetnum stnumber housenumber houseno housenum house hausnummer \
         hausnr hnr huisnummer numerocivico buildingnumber addressnumber",
    ),
    (
        FieldKind::City,
        "city town towncity suburb locality municipality place posttown village cityname \
         addresscity homecity rescity ort wohnort stadt gemeinde ville commune ciudad localidad \
         municipio citta comune cidade woonplaats plaats miasto",
    ),
    (
        FieldKind::State,
        "state county province region stateprovince stateabbrev statename homestate addressstate \
         bundesland kanton provincia estado departement",
    ),
    (
        FieldKind::Phone,
        "phone phonenumber phoneno phonenum phonehome phonemobile phonework telephone \
         telephonenumber telephoneno tel telno telnumber mobile mobilenumber mobileno mobilephone \
         cell cellphone homephone workphone contactnumber contactphone landline telefon \
         telefonnummer telefono telefone telefoon handy",
    ),
    (
        FieldKind::Email,
        "email emailaddress emailid mail mailaddress electronicmail correo correoelectronico \
         courriel",
    ),
    (
        FieldKind::NationalId,
        "nationalid nationalidentifier nationalnumber socsecid socialsecuritynumber \
         socialsecurityno socialsecurity socialsecurityid ssn ss ssnumber sin nhsnumber nhsno \
         nhsid nhs nino nationalinsurancenumber nationalinsuranceno chinumber chi medicarenumber \
         medicareno medicareid medicare ihi healthcardnumber healthnumber personalnumber \
         personnummer personalid taxid taxfilenumber tfn passport passportnumber driverslicense \
         driverlicense licensenumber ahv ahvnummer svnr sozialversicherungsnummer bsn insee nir \
         dni nif curp codicefiscale cpf pesel",
    ),
    (
        FieldKind::MedicalRecord,
        "mrn medicalrecord medicalrecordnumber medicalrecordno medrecno hospitalnumber hospitalno \
         hospitalid chartnumber chartno unitnumber",
    ),
    (
        FieldKind::Authority,
        "authority assigningauthority mrnauthority mrnissuer issuer issuerofpatientid mrnsource \
         hospital facility",
    ),
    (
        FieldKind::Other,
        "occupation profession religion maritalstatus ethnicity race culture nationality country \
         countryofbirth birthplace placeofbirth birthcity birthcountry mothersmaidenname \
         mothersname mothername fathersname fathername middlename middlenames middleinitial \
         middle middlenm mname initial initials language land pays pais",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_that_tables_use() {
        for (name, kind) in [
            (" given_name", FieldKind::GivenName),
            ("First Name", FieldKind::GivenName),
            ("firstName", FieldKind::GivenName),
            ("PatientFirstName", FieldKind::GivenName),
            ("fname_c1", FieldKind::GivenName),
            ("Prénom", FieldKind::GivenName),
            ("SURNAME", FieldKind::FamilyName),
            ("Patient Last Name", FieldKind::FamilyName),
            ("surname_a", FieldKind::FamilyName),
            ("full_name", FieldKind::FullName),
            ("patient_name", FieldKind::FullName),
            ("DOB", FieldKind::BirthDate),
            ("dateOfBirth", FieldKind::BirthDate),
            ("Date of Birth", FieldKind::BirthDate),
            ("birth_year", FieldKind::BirthYear),
            ("gender_code", FieldKind::Sex),
            ("address_1", FieldKind::Street),
            ("address2", FieldKind::Street),
            ("Street Number", FieldKind::HouseNumber),
            ("zip_code", FieldKind::Postcode),
            ("Zip5", FieldKind::Postcode),
            ("soc_sec_id", FieldKind::NationalId),
            ("NHS Number", FieldKind::NationalId),
            ("phone_number", FieldKind::Phone),
            ("e-mail", FieldKind::Email),
            ("mrn", FieldKind::MedicalRecord),
            ("middle_name", FieldKind::Other),
            ("cluster", FieldKind::Ignore),
            ("rec_id", FieldKind::Ignore),
        ] {
            assert_eq!(recognise(name), Some(kind), "{name}");
        }
        for unknown in ["shoe size", "", "!", "age", "patient", "1", "recorded"] {
            assert_eq!(recognise(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn no_name_stands_for_two_kinds() {
        let mut seen = std::collections::BTreeMap::new();
        for (kind, names) in KNOWN {
            for name in names.split(' ') {
                assert!(seen.insert(name, kind).is_none_or(|before| before == kind), "{name}");
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
            }
        }
    }
}
