//! What the readers of signals share: kinds of signals, events of recordings, hashes of large files.

use crate::Error;
use crate::feed::{Asset, AssetBytes, Source};
use chiasm_record::{AssetId, Code, Event, Modality, Times};

/// The modality of recorded signals.
pub(crate) const WAVEFORM: &str = "waveforms";

/// One signal of a recording, for its event.
pub(crate) struct Channel<'a> {
    pub name: &'a str,
    pub unit: &'a str,
    /// Samples in a second.
    pub frequency: f64,
    pub samples: Option<u64>,
}

/// An event for each kind of signal in a recording: `WAVEFORM|ECG`, `WAVEFORM|RESP`.
///
/// The value is the duration in seconds. `signals` counts them; `signal.3.name` (and `.unit`,
/// `.frequency` in Hz, `.samples`) describes the fourth of the recording, so that an encoder finds it.
pub(crate) fn events(
    times: Times,
    duration: Option<f64>,
    asset: AssetId,
    channels: &[Channel<'_>],
) -> Vec<Event> {
    let mut kinds: Vec<(&'static str, Vec<usize>)> = Vec::new();
    for (i, channel) in channels.iter().enumerate() {
        let kind = kind(channel.name, channel.unit);
        match kinds.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, members)) => members.push(i),
            None => kinds.push((kind, vec![i])),
        }
    }
    let of_kind = |(kind, members): (&str, Vec<usize>)| {
        let mut event = Event::new(times, Code::new("WAVEFORM", kind), Modality::new(WAVEFORM));
        event.value = duration;
        event.unit = duration.map(|_| "s".to_owned());
        event.asset = Some(asset);
        event = event.with("signals", Some(members.len().to_string()));
        for i in members {
            let channel = &channels[i];
            event = event
                .with(&format!("signal.{i}.name"), Some(channel.name))
                .with(&format!("signal.{i}.unit"), Some(channel.unit))
                .with(&format!("signal.{i}.frequency"), Some(channel.frequency.to_string()))
                .with(&format!("signal.{i}.samples"), channel.samples.map(|n| n.to_string()));
        }
        event
    };
    kinds.into_iter().map(of_kind).collect()
}

/// The kind of a signal by its name, as monitors, recorders and databases call them; `OTHER` for what
/// none of them settles.
pub(crate) fn kind(name: &str, unit: &str) -> &'static str {
    let lower = name.trim().to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let any = |known: &[&str]| words.iter().any(|w| known.contains(w));
    let part = |known: &[&str]| known.iter().any(|k| lower.contains(k));
    let lead = |w: &str| {
        let chest = w.strip_prefix('v').or_else(|| w.strip_prefix("mcl")).or_else(|| w.strip_prefix("ml"));
        matches!(w, "i" | "ii" | "iii" | "avr" | "avl" | "avf" | "mcl" | "mlii" | "mli" | "mliii" | "mv2")
            || chest.is_some_and(|c| matches!(c, "" | "x" | "y" | "z") || c.parse::<u8>().is_ok())
    };
    if part(&["ecg", "ekg"]) || (words.len() == 1 && lead(words[0])) {
        "ECG"
    } else if part(&["eeg"]) {
        "EEG"
    } else if part(&["emg"]) {
        "EMG"
    } else if part(&["eog"]) {
        "EOG"
    } else if part(&["pleth", "ppg"]) {
        "PLETH"
    } else if part(&["resp", "airflow", "thor", "abdo"]) || any(&["flow", "imp"]) {
        "RESP"
    } else if any(&["co2", "etco2"]) {
        "CO2"
    } else if any(&["pap"]) {
        "PAP"
    } else if any(&["cvp"]) {
        "CVP"
    } else if any(&["icp"]) {
        "ICP"
    } else if part(&["spo2", "sao2"]) {
        "SPO2"
    } else if any(&["abp", "art", "bp", "aobp", "uap", "fap", "nbp", "nbpsys", "nbpdias", "nbpmean"]) {
        "BP"
    } else if any(&["hr", "pulse"]) || unit.eq_ignore_ascii_case("bpm") {
        "HR"
    } else if any(&["temp", "temperature"]) {
        "TEMP"
    } else {
        "OTHER"
    }
}

/// A file as an asset: hashed as it streams by, never held in memory.
///
/// # Errors
/// What reading it gives.
pub(crate) fn asset(source: &Source, media_type: &str) -> Result<Asset, Error> {
    let Some(path) = source.path() else {
        return Ok(Asset::memory(media_type, source.bytes(u64::MAX)?));
    };
    let mut hasher = blake3::Hasher::new();
    let failed = |source| Error::Io { path: path.to_owned(), source };
    std::io::copy(&mut source.open()?, &mut hasher).map_err(failed)?;
    let id = AssetId::new(*hasher.finalize().as_bytes());
    Ok(Asset { id, media_type: media_type.to_owned(), bytes: AssetBytes::File(path.to_owned()) })
}

/// The key of an entry that is made of these assets.
pub(crate) fn key<'a>(kind: &str, assets: impl IntoIterator<Item = (&'a str, &'a AssetId)>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes());
    for (name, id) in assets {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(id.bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_names_in_use() {
        for (name, wanted) in [
            ("MLII", "ECG"),
            ("V5", "ECG"),
            ("avF", "ECG"),
            ("ECG lead II", "ECG"),
            ("vx", "ECG"),
            ("EEG Fpz-Cz", "EEG"),
            ("ABP", "BP"),
            ("PLETH", "PLETH"),
            ("Resp. Imp.", "RESP"),
            ("CO2", "CO2"),
            ("NBPSys", "BP"),
            ("SpO2", "SPO2"),
            ("velocity", "OTHER"),
            ("", "OTHER"),
        ] {
            assert_eq!(kind(name, ""), wanted, "{name}");
        }
    }
}
