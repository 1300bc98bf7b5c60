//! JSON objects, one after the other: of a list, or one a line. Only one of them is in memory at a time.

use std::io::{BufRead, Bytes};

use serde_json::{Map, Value};

use super::cells::Cells;

/// The longest object, in bytes.
const LONGEST: usize = 1 << 20;

/// Objects of a file.
#[derive(Debug)]
pub(crate) struct Objects<R> {
    bytes: Bytes<R>,
    line: u64,
    place: Place,
}

/// Where in the file the next object is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// After the opening bracket: an object, or the end of the list.
    Opened,
    /// After a comma: an object.
    Comma,
    /// After an object of a list: a comma, or the end of the list.
    Within,
    /// Outside a list, after an object: another one.
    Lines,
    /// After the closing bracket: nothing.
    Closed,
}

impl<R: BufRead> Objects<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { bytes: reader.bytes(), line: 1, place: Place::Start }
    }

    /// The text of the next object.
    ///
    /// # Errors
    /// Says at which line the file is no list of objects, or ends too early.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            let Some(byte) = self.byte()? else {
                return match self.place {
                    Place::Start | Place::Lines | Place::Closed => Ok(None),
                    Place::Opened | Place::Comma | Place::Within => Err(self.broken("the file ends within its list")),
                };
            };
            self.place = match (byte, self.place) {
                (b' ' | b'\t' | b'\r' | b'\n', place) => place,
                (b'[', Place::Start) => Place::Opened,
                (b',', Place::Within) => Place::Comma,
                (b']', Place::Opened | Place::Within) => Place::Closed,
                (b'{', Place::Start | Place::Lines) => {
                    self.place = Place::Lines;
                    return self.object().map(Some);
                }
                (b'{', Place::Opened | Place::Comma) => {
                    self.place = Place::Within;
                    return self.object().map(Some);
                }
                _ => return Err(self.broken("a list of objects is expected, or an object a line")),
            };
        }
    }

    /// The rest of an object whose opening brace was read.
    fn object(&mut self) -> Result<Vec<u8>, String> {
        let (mut text, mut depth, mut quoted, mut escaped) = (vec![b'{'], 1_u32, false, false);
        while depth > 0 {
            let Some(byte) = self.byte()? else { return Err(self.broken("the file ends within an object")) };
            if text.len() == LONGEST {
                return Err(self.broken("an object is too long"));
            }
            text.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => depth -= 1,
                _ => {}
            }
        }
        Ok(text)
    }

    fn byte(&mut self) -> Result<Option<u8>, String> {
        let byte = self.bytes.next().transpose().map_err(|error| error.to_string())?;
        self.line += u64::from(byte == Some(b'\n'));
        Ok(byte)
    }

    fn broken(&self, what: &str) -> String {
        format!("line {}: {what}", self.line)
    }
}

/// The cells of an object. A list of texts, numbers and the like becomes one text with spaces.
///
/// # Errors
/// `UNREADABLE`, or the column whose value is none.
pub(crate) fn cells(object: &[u8]) -> Result<Cells, String> {
    let object: Map<String, Value> = serde_json::from_slice(object).map_err(|_| "UNREADABLE".to_owned())?;
    object
        .into_iter()
        .map(|(column, value)| match text(value) {
            Some(text) => Ok((column.trim().to_owned(), text)),
            None => Err(format!("{}:UNREADABLE", column.trim())),
        })
        .collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(whether) => Some(whether.to_string()),
        Value::Array(of) => {
            let texts: Option<Vec<_>> =
                of.into_iter().map(|value| if value.is_array() { None } else { text(value) }).collect();
            texts.map(|texts| texts.join(" "))
        }
        Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, String> {
        let mut objects = Objects::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(object) = objects.next()? {
            found.push(String::from_utf8(object).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn objects_are_found_in_lists_and_on_lines_whatever_their_strings_hold() {
        let two = [r#"{"a": "}]\"{", "b": [1]}"#, r#"{"a": null}"#];
        assert_eq!(all(&format!("[\n{},\n{}\n]\n", two[0], two[1])).unwrap(), two);
        assert_eq!(all(&format!("{}\n\n{}", two[0], two[1])).unwrap(), two);
        assert_eq!(all(" [ ] ").unwrap(), [""; 0]);
        assert_eq!(all("").unwrap(), [""; 0]);
    }

    #[test]
    fn a_file_that_is_cut_or_something_else_says_at_which_line() {
        for (text, line) in [
            ("[{},\n{}", 2),
            ("[{}\n,", 2),
            ("[\n{\"a\": 1", 2),
            ("[{} {}]", 1),
            ("[1]", 1),
            ("{},{}", 1),
            ("[]\nx", 2),
        ] {
            let broken = all(text).unwrap_err();
            assert!(broken.starts_with(&format!("line {line}: ")), "{text}: {broken}");
        }
    }

    #[test]
    fn values_become_texts_and_what_is_none_names_its_column() {
        let read = cells(r#"{"a": 46.2629, "b": " x ", "c": null, "d": true, "e": ["69", 1]}"#.as_bytes()).unwrap();
        assert_eq!(["a", "b", "c", "d", "e"].map(|column| read.get(column)), ["46.2629", "x", "", "true", "69 1"]);
        assert_eq!(cells(r#"{"a": {"b": 1}}"#.as_bytes()).unwrap_err(), "a:UNREADABLE");
        assert_eq!(cells(br#"{"a" 1}"#).unwrap_err(), "UNREADABLE");
    }
}
