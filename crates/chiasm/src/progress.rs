//! Progress bars on the terminal.

use chiasm_pipeline::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::time::Duration;

/// Shows each step as a bar on standard error; nothing where that is not a terminal.
pub struct Bars {
    bar: Mutex<Option<ProgressBar>>,
    quiet: bool,
}

impl Bars {
    /// No step yet.
    pub fn new(quiet: bool) -> Self {
        Self { bar: Mutex::new(None), quiet }
    }

    fn with(&self, then: impl FnOnce(&mut Option<ProgressBar>)) {
        // A poisoned lock would mean a panic elsewhere; the bar is then the least worry.
        if let Ok(mut bar) = self.bar.lock() {
            then(&mut bar);
        }
    }
}

impl Progress for Bars {
    fn begin(&self, what: &str, parts: usize) {
        if self.quiet {
            return;
        }
        self.with(|slot| {
            if let Some(done) = slot.take() {
                done.finish_and_clear();
            }
            let bar = ProgressBar::new(parts as u64).with_message(what.to_owned());
            if let Ok(style) = ProgressStyle::with_template(
                "{spinner} {msg:18} [{bar:40}] {pos}/{len}  {elapsed}  left {eta}",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            *slot = Some(bar);
        });
    }

    fn advance(&self) {
        self.with(|slot| {
            if let Some(bar) = slot {
                bar.inc(1);
                if bar.length() == Some(bar.position()) {
                    bar.finish_and_clear();
                }
            }
        });
    }

    fn say(&self, message: &str) {
        if !self.quiet {
            self.with(|slot| match slot {
                Some(bar) => bar.suspend(|| eprintln!("{message}")),
                None => eprintln!("{message}"),
            });
        }
    }
}
