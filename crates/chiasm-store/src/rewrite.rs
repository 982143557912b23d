use crate::parts::{self, Encoded};
use crate::{Error, EventRow, Part, Store, Table};
use std::collections::HashMap;

/// How often a rewriting is tried while others commit.
const ATTEMPTS: usize = 50;
/// Rows in memory.
const ROWS: usize = 200_000;

impl Store {
    /// Changes events in their place: `change` says of each whether it did. One commit shows all of it or nothing,
    /// events that others commit meanwhile are changed too, and readers that are open keep what they have.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn rewrite(&mut self, change: &mut dyn FnMut(&mut EventRow) -> bool) -> Result<u64, Error> {
        // What parts became, and how many of their rows changed.
        let mut done: HashMap<String, (Vec<Part>, u64)> = HashMap::new();
        for _ in 0..ATTEMPTS {
            self.look()?;
            let left: Vec<Part> =
                self.manifest.of(Table::Events).filter(|p| !done.contains_key(&p.file)).cloned().collect();
            for part in left {
                let became = self.rewritten(&part, change)?;
                done.insert(part.file, became);
            }
            let mut next = self.manifest.clone();
            let mut changed = 0;
            next.parts = std::mem::take(&mut next.parts)
                .into_iter()
                .flat_map(|part| match done.get(&part.file) {
                    Some((parts, n @ 1..)) => {
                        changed += n;
                        parts.clone()
                    }
                    _ => vec![part],
                })
                .collect();
            if changed == 0 {
                return Ok(0);
            }
            next.commit += 1;
            if self.publish(next)? {
                self.seen.know(&self.manifest);
                return Ok(changed);
            }
            self.refresh()?;
        }
        Err(Error::Contended { attempts: ATTEMPTS })
    }

    fn rewritten(
        &self,
        part: &Part,
        change: &mut dyn FnMut(&mut EventRow) -> bool,
    ) -> Result<(Vec<Part>, u64), Error> {
        let (mut changed, mut parts, mut rows) = (0, Vec::new(), Vec::new());
        let write = |rows: &mut Vec<EventRow>| -> Result<Encoded, Error> {
            rows.sort_by(|a, b| a.order().cmp(&b.order()));
            let encoded = parts::encode(part.bucket, &rows.iter().collect::<Vec<_>>());
            rows.clear();
            encoded
        };
        for batch in parts::batches::<EventRow>(&self.place, part)? {
            let mut batch = batch?;
            changed += batch.iter_mut().map(|row| u64::from(change(row))).sum::<u64>();
            rows.extend(batch);
            if rows.len() >= ROWS {
                parts.push(write(&mut rows)?);
            }
        }
        if changed == 0 {
            return Ok((Vec::new(), 0));
        }
        if !rows.is_empty() {
            parts.push(write(&mut rows)?);
        }
        let parts = parts.into_iter().map(|p| p.publish(&self.place)).collect::<Result<_, _>>()?;
        Ok((parts, changed))
    }
}
