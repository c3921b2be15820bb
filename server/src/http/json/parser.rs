use thiserror::Error;

use super::{Object, Text, Value};

/// Objects and arrays inside each other at most (`80`, More).
pub const DEPTH_MAX: usize = 64;

/// Why a text is no JSON document; offsets are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("the body is not valid JSON (byte {0})")]
    Syntax(usize),
    #[error("a JSON member is given twice (byte {0})")]
    Duplicate(usize),
    #[error("the JSON is nested more than 64 levels deep")]
    TooDeep,
}

/// Reads one JSON document (RFC 8259) and nothing after it.
pub fn parse(text: &str) -> Result<Value, Malformed> {
    let mut parser = Parser { text, at: 0 };
    parser.skip_blanks();
    let value = parser.value(0)?;
    parser.skip_blanks();
    if parser.at == text.len() {
        Ok(value)
    } else {
        Err(parser.unexpected())
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        match self.peek() {
            Some(b'{') => self.object(deeper(depth)?).map(Value::Object),
            Some(b'[') => self.array(deeper(depth)?).map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object, Malformed> {
        let mut object = Object::default();
        self.expect(b'{')?;
        self.skip_blanks();
        if self.eat(b'}') {
            return Ok(object);
        }
        loop {
            self.skip_blanks();
            let name_at = self.at;
            let name = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            let value = self.value(depth)?;
            if object.0.insert(name, value).is_some() {
                return Err(Malformed::Duplicate(name_at));
            }
            self.skip_blanks();
            if self.eat(b'}') {
                return Ok(object);
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Malformed> {
        let mut values = Vec::new();
        self.expect(b'[')?;
        self.skip_blanks();
        if self.eat(b']') {
            return Ok(values);
        }
        loop {
            self.skip_blanks();
            values.push(self.value(depth)?);
            self.skip_blanks();
            if self.eat(b']') {
                return Ok(values);
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Text, Malformed> {
        self.expect(b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Ok(Text(bytes)),
                b'\\' => self.escape(&mut bytes)?,
                control if control < b' ' => {
                    self.at -= 1;
                    return Err(self.unexpected());
                }
                // The input is UTF-8, so its bytes are taken over as they are.
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        let plain = match self.next()? {
            plain @ (b'"' | b'\\' | b'/') => plain,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.code_point(bytes),
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        };
        bytes.push(plain);
        Ok(())
    }

    fn code_point(&mut self, bytes: &mut Vec<u8>) -> Result<(), Malformed> {
        let unit = self.hex_unit()?;
        let after_first = self.at;
        if (0xd800..0xdc00).contains(&unit) && self.eat(b'\\') && self.eat(b'u') {
            let low = self.hex_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                push_code_point(bytes, 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                return Ok(());
            }
        }
        self.at = after_first;
        push_code_point(bytes, unit);
        Ok(())
    }

    fn hex_unit(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.next()?).to_digit(16);
            let Some(digit) = digit else {
                self.at -= 1;
                return Err(self.unexpected());
            };
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected());
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Malformed> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, Malformed> {
        let byte = self.peek().ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> Malformed {
        Malformed::Syntax(self.at)
    }
}

fn deeper(depth: usize) -> Result<usize, Malformed> {
    if depth < DEPTH_MAX {
        Ok(depth + 1)
    } else {
        Err(Malformed::TooDeep)
    }
}

/// UTF-8, and for a surrogate the three bytes UTF-8 would give it if it were a character.
fn push_code_point(bytes: &mut Vec<u8>, code_point: u32) {
    match char::from_u32(code_point) {
        Some(character) => {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None => {
            let six_bits = |shift: u32| 0x80 | ((code_point >> shift) & 0x3f) as u8;
            bytes.extend_from_slice(&[0xed, six_bits(6), six_bits(0)]);
        }
    }
}
