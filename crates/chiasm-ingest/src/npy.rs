//! One NumPy array of one dimension.

use crate::Error;
use npyz::{Deserialize, NpyFile, NpyReader};
use std::io;

const EXPECTED: &str = "a whole NumPy array";
/// The longest header that is read, in bytes: a plain array's is under 128; NumPy itself stops at 10,000.
const HEADER: usize = 10_000;
/// The most opening brackets in a header: a plain array's has two, and the header's parser recurses.
const BRACKETS: usize = 32;

/// The values of the array in `bytes` as 32-bit numbers, all finite. Shape: `[n]`, n > 0.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Shape`] unless there is one dimension with a value in it,
/// [`Error::UnsupportedType`] unless it holds floats or integers, [`Error::NotFinite`].
pub(crate) fn parse(place: &str, bytes: &[u8]) -> Result<Vec<f32>, Error> {
    let damaged = |found: String| Error::Damaged { place: place.to_owned(), expected: EXPECTED, found };
    check_header(bytes).map_err(|found| damaged(found.to_owned()))?;
    let mut rest = bytes;
    let file = NpyFile::new(&mut rest).map_err(|e| damaged(e.to_string()))?;
    let count = match *file.shape() {
        [n] if n > 0 => n,
        [_] => return Err(shape(place, "no values".to_owned())),
        ref other => return Err(shape(place, format!("{} dimensions", other.len()))),
    };
    let (header, type_name) = (file.header().clone(), file.dtype().descr());
    drop(file);
    let size = header.dtype().num_bytes().unwrap_or(0) as u64;
    if count.checked_mul(size) != Some(rest.len() as u64) {
        return Err(damaged(format!("{} bytes for {count} values of {size} bytes", rest.len())));
    }
    let values = numbers(NpyFile::with_header(header, rest)).map_err(|e| damaged(e.to_string()))?;
    let Some(values) = values else {
        let expected = "floats or integers";
        return Err(Error::UnsupportedType { place: place.to_owned(), expected, found: type_name });
    };
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => Err(Error::NotFinite { place: place.to_owned(), position: i + 1 }),
        None => Ok(values),
    }
}

fn shape(place: &str, found: String) -> Error {
    Error::Shape { place: place.to_owned(), expected: "one dimension".to_owned(), found }
}

/// Whether the header is one that can be parsed without trusting its own claims.
fn check_header(bytes: &[u8]) -> Result<(), &'static str> {
    let length = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => {
            10 + usize::from(u16::from_le_bytes([*a, *b]))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            12usize.saturating_add(u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => return Err("no NumPy header"),
    };
    let Some(header) = bytes.get(..length) else { return Err("a header that is cut off") };
    if length > HEADER {
        return Err("a header of more than 10,000 bytes");
    }
    if header.iter().filter(|b| matches!(b, b'(' | b'[' | b'{')).count() > BRACKETS {
        return Err("a header that nests too deep");
    }
    Ok(())
}

/// The file's numbers, or `None` where they are none. Wider ones are rounded to the nearest `f32`.
fn numbers(file: NpyFile<&[u8]>) -> io::Result<Option<Vec<f32>>> {
    fn all<T: Deserialize>(from: NpyReader<T, &[u8]>, to: impl Fn(T) -> f32) -> io::Result<Option<Vec<f32>>> {
        from.map(|v| v.map(&to)).collect::<io::Result<Vec<f32>>>().map(Some)
    }
    macro_rules! first_that_fits {
        ($file:ident; $($kind:ty => $to:expr),+ $(,)?) => {{
            let file = $file;
            $(let file = match file.try_data::<$kind>() {
                Ok(values) => return all(values, $to),
                Err(file) => file,
            };)+
            drop(file);
        }};
    }
    first_that_fits! { file;
        f32 => |v| v, f64 => |v| v as f32, npyz::half::f16 => |v| v.to_f32(),
        i8 => f32::from, i16 => f32::from, i32 => |v| v as f32, i64 => |v| v as f32,
        u8 => f32::from, u16 => f32::from, u32 => |v| v as f32, u64 => |v| v as f32,
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder;

    /// An array as NumPy writes it.
    fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], values: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer =
            npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    /// A version 1 file with this header text.
    fn raw(header: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    fn header(kind: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n")
    }

    #[test]
    fn every_width_of_number_reads() {
        let expected = [1.0f32, 2.0];
        macro_rules! check {
            ($($kind:ty),+) => {$(
                assert_eq!(parse("a", &npy(&[2], &[1 as $kind, 2 as $kind])).unwrap(), expected);
            )+};
        }
        check!(f32, f64, i8, i16, i32, i64, u8, u16, u32, u64);
        assert_eq!(parse("a", &raw(&header("<f2", "(2,)"), &[0, 0x3c, 0, 0x40])).unwrap(), expected);
        assert_eq!(parse("a", &raw(&header(">i2", "(2,)"), &[0, 1, 0, 2])).unwrap(), expected);
    }

    #[test]
    fn other_shapes_and_types_are_refused() {
        let message = |bytes: &[u8]| parse("f.npz, member 3", bytes).unwrap_err().to_string();
        assert_eq!(
            message(&npy(&[1, 2], &[1f32, 2.0])),
            "f.npz, member 3: expected one dimension, found 2 dimensions"
        );
        assert_eq!(
            message(&npy(&[], &[1f32])),
            "f.npz, member 3: expected one dimension, found 0 dimensions"
        );
        assert_eq!(
            message(&npy::<f32>(&[0], &[])),
            "f.npz, member 3: expected one dimension, found no values"
        );
        let words = message(&raw(&header("<U1", "(1,)"), &[65, 0, 0, 0]));
        assert_eq!(words, "f.npz, member 3: expected floats or integers, found '<U1'");
        assert!(matches!(parse("a", &raw(&header("|O", "(1,)"), b"x")), Err(Error::Damaged { .. })));
    }

    #[test]
    fn nothing_infinite_gets_through() {
        let at = |bytes: &[u8]| match parse("a", bytes) {
            Err(Error::NotFinite { position, .. }) => position,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(&npy(&[2], &[1.0, f32::NAN])), 2);
        assert_eq!(at(&npy(&[2], &[f32::INFINITY, 1.0])), 1);
        assert_eq!(at(&npy(&[1], &[1e300f64])), 1);
    }

    #[test]
    fn claims_are_not_believed() {
        let deep = raw(&"(".repeat(9000), b"");
        let huge = raw(&header("<f4", "(4611686018427387904,)"), b"");
        let wrapped = raw(&header("<f4", "(4611686018427387905,)"), &[0; 4]);
        let nothing = raw(&header("<f0", "(9999999999,)"), b"");
        let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{";
        for bytes in [&deep[..], &huge, &wrapped, long] {
            assert!(matches!(parse("a", bytes), Err(Error::Damaged { .. })));
        }
        assert!(parse("a", &nothing).is_err());
    }

    #[test]
    fn every_cut_is_an_error() {
        let whole = npy(&[3], &[1f32, 2.0, 3.0]);
        for cut in 0..whole.len() {
            assert!(matches!(parse("a", &whole[..cut]), Err(Error::Damaged { .. })), "cut at {cut}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert!(matches!(parse("a", &longer), Err(Error::Damaged { .. })));
    }
}
