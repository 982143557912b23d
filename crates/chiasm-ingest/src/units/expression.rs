//! UCUM's grammar: prefixes, atoms, powers, products, quotients, brackets, annotations.

use super::atoms::{self, Atom};

/// The deepest brackets, and the longest text, that are read.
const DEPTH: usize = 16;
const LENGTH: usize = 255;

/// Powers of the base units, in the order m, s, g, rad, K, C, cd, mol, eq, and of one arbitrary unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    powers: [i16; 9],
    /// An arbitrary unit and its power; two different ones do not multiply.
    arbitrary: Option<(&'static str, i16)>,
}

impl Dimension {
    pub(super) const NONE: Self = Self { powers: [0; 9], arbitrary: None };

    pub(super) const fn of(powers: [i16; 9]) -> Self {
        Self { powers, arbitrary: None }
    }

    pub(super) const fn arbitrary(name: &'static str) -> Self {
        Self { powers: [0; 9], arbitrary: Some((name, 1)) }
    }

    /// Powers of gram, mole and equivalent.
    pub(super) fn amount(&self) -> [i16; 3] {
        [self.powers[2], self.powers[7], self.powers[8]]
    }

    /// Whether all but those powers are equal.
    pub(super) fn alike_but_amount(&self, other: &Self) -> bool {
        let rest = |d: &Self| [0, 1, 3, 4, 5, 6].map(|i| d.powers[i]);
        rest(self) == rest(other) && self.arbitrary == other.arbitrary
    }

    fn times(self, other: Self, sign: i16) -> Option<Self> {
        let mut powers = self.powers;
        for (power, more) in powers.iter_mut().zip(other.powers) {
            *power = power.checked_add(more.checked_mul(sign)?)?;
        }
        let arbitrary = match (self.arbitrary, other.arbitrary) {
            (one, None) => one,
            (None, Some((name, n))) => Some((name, n.checked_mul(sign)?)),
            (Some((a, n)), Some((b, m))) if a == b => Some((a, n.checked_add(m.checked_mul(sign)?)?)),
            _ => return None,
        };
        Some(Self { powers, arbitrary: arbitrary.filter(|(_, n)| *n != 0) })
    }

    fn power(self, n: i16) -> Option<Self> {
        Self::NONE.times(self, n)
    }
}

/// How a special unit's scale leads to the base unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Base units are the value times the factor.
    Ratio,
    /// Base units are (value + offset) times the factor: temperatures.
    Offset(f64),
    /// Base units are the factor times `base` to the value over `divisor`: pH, bel.
    Power {
        /// 10.
        base: f64,
        /// -1 for pH, 1 for a bel of power, 2 for a bel of amplitude.
        divisor: f64,
    },
}

/// A unit: what one of it is in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) factor: f64,
    pub(super) dimension: Dimension,
    scale: Scale,
    /// What a value is multiplied by before the scale is applied: the prefix of a special unit.
    prefix: f64,
}

impl Quantity {
    pub(super) fn to_base(self, value: f64) -> f64 {
        match self.scale {
            Scale::Ratio => value * self.factor,
            Scale::Offset(offset) => (value * self.prefix + offset) * self.factor,
            Scale::Power { base, divisor } => base.powf(value * self.prefix / divisor) * self.factor,
        }
    }

    pub(super) fn out_of_base(self, value: f64) -> f64 {
        match self.scale {
            Scale::Ratio => value / self.factor,
            Scale::Offset(offset) => (value / self.factor - offset) / self.prefix,
            Scale::Power { base, divisor } => (value / self.factor).log(base) * divisor / self.prefix,
        }
    }

    fn number(factor: f64) -> Self {
        Self { factor, dimension: Dimension::NONE, scale: Scale::Ratio, prefix: 1.0 }
    }

    fn of(atom: &Atom) -> Self {
        Self { factor: atom.factor, dimension: atom.dimension, scale: atom.scale, prefix: 1.0 }
    }

    /// Product or quotient; special units stand alone.
    fn times(self, other: Self, sign: i16) -> Option<Self> {
        let one = Self::number(1.0);
        if self == one && sign == 1 {
            return Some(other);
        }
        if other == one {
            return Some(self);
        }
        if self.scale != Scale::Ratio || other.scale != Scale::Ratio {
            return None;
        }
        let factor = if sign == 1 { self.factor * other.factor } else { self.factor / other.factor };
        let dimension = self.dimension.times(other.dimension, sign)?;
        (factor.is_normal()).then_some(Self { factor, dimension, ..self })
    }

    fn power(self, n: i16) -> Option<Self> {
        if self.scale != Scale::Ratio {
            return (n == 1).then_some(self);
        }
        let factor = self.factor.powi(i32::from(n));
        factor.is_normal().then_some(Self { factor, dimension: self.dimension.power(n)?, ..self })
    }
}

/// The unit that `text` is in case-sensitive UCUM; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<Quantity> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    if text.is_empty() || text.len() > LENGTH || !plain {
        return None;
    }
    let mut parser = Parser { rest: text };
    let unit = parser.term(0)?;
    parser.rest.is_empty().then_some(unit)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Components from left to right: `/m`, `kg.m/s2`.
    fn term(&mut self, depth: usize) -> Option<Quantity> {
        if depth > DEPTH {
            return None;
        }
        let first = if self.eat('/') {
            Quantity::number(1.0).times(self.component(depth)?, -1)?
        } else {
            self.component(depth)?
        };
        let mut unit = first;
        loop {
            let sign = if self.eat('.') {
                1
            } else if self.eat('/') {
                -1
            } else {
                return Some(unit);
            };
            unit = unit.times(self.component(depth)?, sign)?;
        }
    }

    fn component(&mut self, depth: usize) -> Option<Quantity> {
        if self.eat('(') {
            let inner = self.term(depth + 1)?;
            return self.eat(')').then_some(inner);
        }
        if self.rest.starts_with('{') {
            return self.annotation().map(|()| Quantity::number(1.0));
        }
        let token = self.token();
        let unit = simple(token)?;
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(unit)
    }

    fn annotation(&mut self) -> Option<()> {
        let end = self.rest.find('}')?;
        let inner = &self.rest[1..end];
        if inner.contains('{') {
            return None;
        }
        self.rest = &self.rest[end + 1..];
        // Nothing but an operator may follow.
        (self.rest.is_empty() || self.rest.starts_with(['.', '/', ')'])).then_some(())
    }

    /// A symbol with its power: up to an operator, where square brackets hide operators.
    fn token(&mut self) -> &'a str {
        let mut inside = false;
        let end = self.rest.find(|c| {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                _ => {}
            }
            !inside && matches!(c, '.' | '/' | '(' | ')' | '{' | '}')
        });
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        token
    }
}

/// A number, or a symbol with an optional power.
fn simple(token: &str) -> Option<Quantity> {
    if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
        let number: f64 = token.parse().ok()?;
        return number.is_normal().then(|| Quantity::number(number));
    }
    let symbol = token.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &token[symbol.len()..];
    if digits.is_empty() {
        return atom(symbol);
    }
    let (symbol, sign) = match symbol.strip_suffix('-') {
        Some(symbol) => (symbol, -1),
        None => (symbol.strip_suffix('+').unwrap_or(symbol), 1),
    };
    let power: i16 = digits.parse().ok().filter(|n: &i16| *n < 100)?;
    atom(symbol)?.power(sign * power)
}

/// An atom, alone or with a prefix where it is metric.
fn atom(symbol: &str) -> Option<Quantity> {
    if let Some(atom) = atoms::find(symbol) {
        return Some(Quantity::of(atom));
    }
    atoms::PREFIXES.iter().find_map(|(prefix, factor)| {
        let atom = atoms::find(symbol.strip_prefix(prefix)?).filter(|a| a.metric)?;
        let unit = Quantity::of(atom);
        Some(match unit.scale {
            Scale::Ratio => Quantity { factor: unit.factor * factor, ..unit },
            _ => Quantity { prefix: *factor, ..unit },
        })
    })
}
