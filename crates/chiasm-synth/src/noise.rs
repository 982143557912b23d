//! No signal at all.

use crate::draw::Draw;
use crate::synthetic::{check, show};
use crate::{Error, Question, Synthetic, View};

/// Any number of modalities (2 to 32) of which none tells anything: independent standard normal
/// latents, and a score that is −0.5 for everyone (38 % yes).
///
/// # Errors
/// [`Error::Impossible`] for no subject, an impossible number of modalities, bad rates of missingness.
pub fn noise(draw: &Draw, modalities: usize, question: Question) -> Result<Synthetic, Error> {
    check(draw, modalities)?;
    let outcome = question.answer(draw, &vec![-0.5; draw.n]);
    Ok(Synthetic {
        name: "synthetic-noise",
        question: "Does the event follow from anything measured? It does not.",
        examples: show(draw, &draw.latents(modalities), View::CLEAR, question.task(), outcome)?,
    })
}
