/// Where a long piece of work tells how far it is. The fronts show it; nothing below depends on it.
pub trait Progress: Sync {
    /// A step begins, of so many parts.
    fn begin(&self, what: &str, parts: usize);
    /// One more part is done.
    fn advance(&self);
    /// A sentence that the user should see.
    fn say(&self, message: &str);
}

/// Tells nobody.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _parts: usize) {}
    fn advance(&self) {}
    fn say(&self, _message: &str) {}
}
