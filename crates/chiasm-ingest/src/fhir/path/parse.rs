use super::{Expression, Term};

/// Operators from the loosest to the tightest.
const LEVELS: [&[&str]; 9] = [
    &["implies"],
    &["or", "xor"],
    &["and"],
    &["in", "contains"],
    &["=", "!=", "~", "!~"],
    &["<=", ">=", "<", ">"],
    &["|"],
    &["is", "as"],
    &["+", "-", "&"],
];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Mark(String),
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What was expected, where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, at: 0 };
        let term = parser.level(0)?;
        match parser.tokens.get(parser.at) {
            None => Ok(Self(term)),
            Some(token) => Err(format!("expected the end, found {token:?}")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
        } else if c.is_ascii_digit() {
            let mut digits = String::new();
            while let Some(&d) = chars.peek().filter(|d| d.is_ascii_digit()) {
                digits.push(d);
                chars.next();
            }
            found.push(Token::Number(digits.parse().map_err(|_| "expected a number".to_owned())?));
        } else if c == '\'' || c == '`' {
            chars.next();
            let mut string = String::new();
            loop {
                match chars.next().ok_or("expected the end of a string")? {
                    '\\' => match chars.next().ok_or("expected an escape")? {
                        'n' => string.push('\n'),
                        't' => string.push('\t'),
                        other => string.push(other),
                    },
                    end if end == c => break,
                    other => string.push(other),
                }
            }
            found.push(if c == '`' { Token::Name(string) } else { Token::Text(string) });
        } else if c.is_ascii_alphabetic() || matches!(c, '$' | '%' | '_') {
            let mut name = String::new();
            while let Some(&d) =
                chars.peek().filter(|d| d.is_ascii_alphanumeric() || matches!(d, '$' | '%' | '_'))
            {
                name.push(d);
                chars.next();
            }
            found.push(Token::Name(name));
        } else {
            chars.next();
            let mut mark = String::from(c);
            if let Some(&second) =
                chars.peek().filter(|n| matches!((c, **n), ('<' | '>' | '!', '=') | ('!', '~')))
            {
                mark.push(second);
                chars.next();
            }
            found.push(Token::Mark(mark));
        }
    }
    Ok(found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn eat(&mut self, mark: &str) -> bool {
        let there = matches!(self.tokens.get(self.at), Some(Token::Mark(m)) if m == mark);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.eat(mark) { Ok(()) } else { Err(format!("expected '{mark}'")) }
    }

    /// The operator of that level that comes next.
    fn operator(&mut self, level: usize) -> Option<&'static str> {
        let word = match self.tokens.get(self.at)? {
            Token::Name(name) | Token::Mark(name) => name,
            _ => return None,
        };
        let found = LEVELS[level].iter().find(|o| *o == word)?;
        self.at += 1;
        Some(found)
    }

    fn level(&mut self, level: usize) -> Result<Term, String> {
        if level == LEVELS.len() {
            return self.path();
        }
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.operator(level) {
            let right = self.level(level + 1)?;
            left = Term::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn path(&mut self) -> Result<Term, String> {
        let mut term = self.first()?;
        loop {
            if self.eat(".") {
                let Some(Token::Name(name)) = self.tokens.get(self.at).cloned() else {
                    return Err("expected a name".to_owned());
                };
                self.at += 1;
                term = self.named(Some(Box::new(term)), name)?;
            } else if self.eat("[") {
                let index = self.level(0)?;
                self.expect("]")?;
                term = Term::Index(Box::new(term), Box::new(index));
            } else {
                return Ok(term);
            }
        }
    }

    fn first(&mut self) -> Result<Term, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("expected a term")?;
        self.at += 1;
        match token {
            Token::Number(number) => Ok(Term::Number(number)),
            Token::Text(text) => Ok(Term::Text(text)),
            Token::Mark(mark) if mark == "(" => {
                let term = self.level(0)?;
                self.expect(")")?;
                Ok(term)
            }
            Token::Mark(mark) if mark == "{" => self.expect("}").map(|()| Term::Nothing),
            Token::Mark(mark) => Err(format!("expected a term, found '{mark}'")),
            Token::Name(name) => match name.as_str() {
                "true" => Ok(Term::Bool(true)),
                "false" => Ok(Term::Bool(false)),
                "$this" => Ok(Term::This),
                _ if name.starts_with('%') => Ok(Term::Variable(name)),
                _ => self.named(None, name),
            },
        }
    }

    fn named(&mut self, of: Option<Box<Term>>, name: String) -> Result<Term, String> {
        if !self.eat("(") {
            return Ok(Term::Member(of, name));
        }
        let mut arguments = Vec::new();
        if !self.eat(")") {
            loop {
                arguments.push(self.level(0)?);
                if self.eat(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(Term::Call(of, name, arguments))
    }
}
