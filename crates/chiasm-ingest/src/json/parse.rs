use super::{DEPTH, Document, Json, Malformed, VALUES};
use std::borrow::Cow;
use std::collections::HashSet;

/// Objects with more members than this are searched for names that stand twice with a set.
const FEW: usize = 16;

impl<'a> Document<'a> {
    /// Reads one value with nothing after it; a byte order mark before it is passed over.
    ///
    /// # Errors
    /// [`Malformed`] for what RFC 8259 does not allow, for nesting beyond [`DEPTH`] and for more than
    /// [`VALUES`] values.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(bytes)
            .map_err(|e| Malformed { offset: e.valid_up_to(), expected: "UTF-8" })?;
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut parser = Parser { text, bytes, at, values: 0, twice: Vec::new() };
        parser.blank();
        let root = parser.value(0)?;
        parser.blank();
        if parser.at < bytes.len() {
            return Err(parser.wrong("the end of the text"));
        }
        Ok(Self { root, twice: parser.twice })
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    values: usize,
    twice: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn wrong(&self, expected: &'static str) -> Malformed {
        Malformed { offset: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        self.values += 1;
        if self.values > VALUES {
            return Err(self.wrong("fewer values"));
        }
        match self.peek() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.wrong("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Json<'a>) -> Result<Json<'a>, Malformed> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(Json::Number(Cow::Borrowed(&self.text[start..self.at])))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let mut start = self.at;
        let mut owned: Option<String> = None;
        loop {
            let plain = self.bytes[self.at..].iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            self.at += plain.unwrap_or(self.bytes.len() - self.at);
            let part = &self.text[start..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(part),
                        Some(text) => Cow::Owned(text + part),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(part);
                    self.at += 1;
                    let c = self.escape()?;
                    owned.get_or_insert_default().push(c);
                    start = self.at;
                }
                Some(_) => return Err(self.wrong("an escape in place of a control character")),
                None => return Err(self.wrong("the end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(c)
    }

    /// The character after `\u`, with the second half of a pair.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff if self.eat(b'\\') => {
                let second = if self.peek() == Some(b'u') { self.hex()? } else { 0 };
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.wrong("the second half of a surrogate pair"));
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.wrong("a surrogate pair"))
    }

    /// Four hexadecimal digits after the `u` at hand.
    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).ok_or_else(|| self.wrong("four digits"))?;
        let value = digits.iter().try_fold(0, |sum, &d| Some(sum * 16 + char::from(d).to_digit(16)?));
        self.at += 5;
        value.ok_or_else(|| self.wrong("four hexadecimal digits"))
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        if depth > DEPTH {
            return Err(self.wrong("less nesting"));
        }
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.eat(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            self.blank();
            items.push(self.value(depth)?);
            self.blank();
            if self.eat(b']') {
                return Ok(Json::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.wrong("',' or ']'"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        if depth > DEPTH {
            return Err(self.wrong("less nesting"));
        }
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::with_capacity(4);
        let mut names: Option<HashSet<Cow<'a, str>>> = None;
        self.blank();
        if self.eat(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a member's name"));
            }
            let name = self.string()?;
            let twice = match &mut names {
                Some(names) => !names.insert(name.clone()),
                None => members.iter().any(|(n, _)| *n == name),
            };
            if twice {
                self.twice.push(start);
            }
            self.blank();
            if !self.eat(b':') {
                return Err(self.wrong("':'"));
            }
            self.blank();
            let value = self.value(depth)?;
            members.push((name, value));
            if names.is_none() && members.len() == FEW {
                names = Some(members.iter().map(|(n, _)| n.clone()).collect());
            }
            self.blank();
            if self.eat(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.eat(b',') {
                return Err(self.wrong("',' or '}'"));
            }
        }
    }
}
