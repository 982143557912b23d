use crate::{Error, FieldKind, Identity, date, normalise, placeholder};
use serde::{Deserialize, Serialize};

/// Bits of one field's filter.
const BITS: usize = 512;
/// Bits that one token sets.
const HASHES: u64 = 12;
const BYTES: usize = BITS / 8;

/// The secret that two hospitals share, and nobody who sees the encodings has.
///
/// Has no `Debug` and no way to read it back.
#[derive(Clone)]
pub struct EncodingKey([u8; 32]);

/// Least length of a secret, in bytes.
const LEAST: usize = 32;

impl EncodingKey {
    /// A key from a shared secret of at least 32 bytes drawn at random.
    ///
    /// # Errors
    /// [`Error::WeakKey`] for a shorter one: names can be guessed, so a secret that can be guessed hides
    /// nothing.
    pub fn new(secret: &[u8]) -> Result<Self, Error> {
        if secret.len() < LEAST {
            return Err(Error::WeakKey { expected: LEAST, found: secret.len() });
        }
        Ok(Self(blake3::derive_key("chiasm linkage 2026 field filters v1", secret)))
    }

    /// Encodes who somebody is: one keyed Bloom filter a field, nothing readable.
    ///
    /// Each field's padded bigrams (for numbers and dates: digits with their places) set
    /// 12 of 512 bits each, by double hashing with keyed BLAKE3. The field's name goes into the hash, so equal
    /// words in two fields share no bits.
    ///
    /// # Source
    /// Schnell, Bachteler and Reiher 2009 (Bloom filters of bigrams); Vatsalan et al. 2013 (a filter a field).
    pub fn encode(&self, identity: &Identity) -> EncodedIdentity {
        let mut fields = Vec::new();
        let mut put = |kind: FieldKind, text: String, placed: bool| {
            if !text.is_empty() {
                fields.push((kind, self.filter(kind, &text, placed)));
            }
        };
        if let Some(name) = identity.names.first() {
            let given = normalise::name(&name.given.join(" "));
            let family = normalise::name(name.family.as_deref().unwrap_or(""));
            let names = placeholder::names(vec![given], vec![family]);
            put(FieldKind::GivenName, names.given.concat(), false);
            put(FieldKind::FamilyName, names.family.concat(), false);
        }
        if let Some(birth) = &identity.birth {
            let digits = date::digits_of(birth);
            if !placeholder::no_birth(&digits) {
                put(FieldKind::BirthDate, digits, true);
            }
        }
        if let Some(sex) = identity.sex {
            put(FieldKind::Sex, format!("{sex:?}"), true);
        }
        if let Some(address) = identity.addresses.first() {
            let (street, _) = normalise::street(address.street.as_deref().unwrap_or(""));
            put(FieldKind::Street, street, false);
            put(FieldKind::City, normalise::text(address.city.as_deref().unwrap_or("")), false);
            put(FieldKind::Postcode, normalise::code(address.postcode.as_deref().unwrap_or("")), true);
        }
        let national = identity.identifiers.iter().find(|id| id.kind == crate::IdentifierKind::National);
        put(FieldKind::NationalId, national.map_or_else(String::new, |id| normalise::code(&id.value)), true);
        put(
            FieldKind::Phone,
            identity.phones.first().map_or_else(String::new, |raw| normalise::phone(raw)),
            true,
        );
        EncodedIdentity { fields }
    }

    fn filter(&self, kind: FieldKind, text: &str, placed: bool) -> String {
        let mut bits = [0_u8; BYTES];
        let padded: Vec<char> =
            std::iter::once('_').chain(text.chars()).chain(std::iter::once('_')).collect();
        for (place, pair) in padded.windows(2).enumerate() {
            let token = if placed { format!("{place}:{}", pair[1]) } else { pair.iter().collect() };
            let hash = blake3::keyed_hash(&self.0, format!("{kind:?}\u{1f}{token}").as_bytes());
            let half = |from: usize| {
                hash.as_bytes()[from..from + 8]
                    .iter()
                    .fold(0_u64, |number, &byte| (number << 8) | u64::from(byte))
            };
            // An odd step reaches every bit of a filter whose size is a power of two.
            let (start, step) = (half(0), half(8) | 1);
            for round in 0..HASHES {
                let bit = (start.wrapping_add(round.wrapping_mul(step)) % BITS as u64) as usize;
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        bits.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// One keyed Bloom filter a field, as 128 hexadecimal digits each: what may leave a hospital.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedIdentity {
    fields: Vec<(FieldKind, String)>,
}

impl std::fmt::Debug for EncodedIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EncodedIdentity [redacted]")
    }
}

impl EncodedIdentity {
    /// The filters by kind of field, in a text that is the same for the same bits.
    pub(crate) fn filters(&self) -> impl Iterator<Item = (FieldKind, String)> {
        self.fields.iter().map(|(kind, filter)| (*kind, filter.to_ascii_lowercase()))
    }
}

/// Twice the bits that two filters share over the bits that they have; 0 to 1.
pub(crate) fn dice(x: &str, y: &str) -> f64 {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
    let (mut shared, mut all) = (0, 0);
    for (x, y) in x.bytes().map(digit).zip(y.bytes().map(digit)) {
        shared += (x & y).count_ones();
        all += x.count_ones() + y.count_ones();
    }
    if all == 0 { 0.0 } else { 2.0 * f64::from(shared) / f64::from(all) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PersonName;

    fn named(given: &str, family: &str) -> Identity {
        let name =
            PersonName { given: vec![given.into()], family: Some(family.into()), ..PersonName::default() };
        Identity { names: vec![name], ..Identity::default() }
    }

    #[test]
    fn likeness_survives_and_nothing_else_does() {
        let key = EncodingKey::new(&[7; 32]).unwrap();
        let encode =
            |key: &EncodingKey, name: &str| key.encode(&named("x", name)).filters().nth(1).unwrap().1;
        let (smith, smyth, jones) = (encode(&key, "smith"), encode(&key, "smyth"), encode(&key, "jones"));
        assert_eq!(smith, encode(&key, " Smith "));
        assert!(dice(&smith, &smyth) > 0.6 && dice(&smith, &jones) < 0.4);
        let other = EncodingKey::new(&[8; 32]).unwrap();
        assert!(dice(&smith, &encode(&other, "smith")) < 0.4, "another key, other bits");
        let text = serde_json::to_string(&key.encode(&named("ada", "smith"))).unwrap();
        assert!(!text.contains("smith") && !text.contains("ada\""));
        assert!(matches!(EncodingKey::new(b"secret"), Err(Error::WeakKey { .. })));
    }

    #[test]
    fn two_fields_share_no_bits_but_by_chance() {
        let key = EncodingKey::new(&[7; 32]).unwrap();
        let filters: Vec<_> = key.encode(&named("martin", "martin")).filters().collect();
        assert!(dice(&filters[0].1, &filters[1].1) < 0.4);
    }
}
