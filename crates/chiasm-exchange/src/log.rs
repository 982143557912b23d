//! What a listener says of callers that it turned away.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines are written in a second; a flood of bad calls shall not fill the disk with words.
const LINES: u32 = 20;

type Write = Arc<dyn Fn(&str) + Send + Sync>;

/// Where lines go. Silent by default; clones share the bound of 20 lines a second, and what was left out is
/// counted in the next line.
#[derive(Clone, Default)]
pub struct Log {
    write: Option<Write>,
    second: Arc<Mutex<Second>>,
}

#[derive(Default)]
struct Second {
    begun: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Log {
    /// A log that gives each line to `write`.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { write: Some(Arc::new(write)), second: Arc::default() }
    }

    /// Says one line. It must not hold a patient's values.
    pub fn say(&self, line: fmt::Arguments<'_>) {
        let Some(write) = &self.write else { return };
        let left_out = {
            let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
            if second.begun.is_none_or(|begun| begun.elapsed() >= Duration::from_secs(1)) {
                (second.begun, second.lines) = (Some(Instant::now()), 0);
            }
            if second.lines == LINES {
                second.left_out += 1;
                return;
            }
            second.lines += 1;
            std::mem::take(&mut second.left_out)
        };
        if left_out > 0 {
            write(&format!("{left_out} lines like these left out"));
        }
        write(&line.to_string());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("silent", &self.write.is_none()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_counted() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = lines.clone();
        let log = Log::new(move |line| told.lock().unwrap().push(line.to_owned()));
        for n in 0..1000 {
            log.say(format_args!("{n}"));
        }
        // All within a second, or a few at the turn of one.
        assert!(lines.lock().unwrap().len() <= 2 * LINES as usize + 1);
        std::thread::sleep(Duration::from_millis(1100));
        log.say(format_args!("later"));
        let lines = lines.lock().unwrap();
        assert!(lines[lines.len() - 2].contains("left out"), "{lines:?}");
        assert_eq!(lines.last().unwrap(), "later");
        Log::default().say(format_args!("nowhere"));
    }
}
