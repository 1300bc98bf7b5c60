//! Percent-decoding (RFC 3986) of path segments and query strings, without guesses: what is not valid is refused.

/// Decodes a path segment. `None` when an escape is broken or the result is not UTF-8.
pub(crate) fn decode_segment(segment: &str) -> Option<String> {
    decode(segment, |_| false, |byte| byte)
}

/// Decodes a segment of a resource name, where an encoded slash stays encoded: it may not become a separator.
pub(crate) fn decode_within_name(segment: &str) -> Option<String> {
    decode(segment, |byte| byte == b'/', |byte| byte)
}

/// Decodes a key or a value of a query string, where a plus sign stands for a space.
pub(crate) fn decode_query(text: &str) -> Option<String> {
    decode(text, |_| false, |byte| if byte == b'+' { b' ' } else { byte })
}

fn decode(text: &str, keep_escaped: impl Fn(u8) -> bool, plain: impl Fn(u8) -> u8) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            decoded.push(plain(*first));
            rest = tail;
            continue;
        }
        let [high, low, after @ ..] = tail else { return None };
        let byte = hex(*high)? << 4 | hex(*low)?;
        if keep_escaped(byte) {
            decoded.extend_from_slice(&[b'%', *high, *low]);
        } else {
            decoded.push(byte);
        }
        rest = after;
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(decode_segment("a%20b%252F").as_deref(), Some("a b%2F"));
        assert_eq!(decode_segment("%C3%A9t%C3%A9+").as_deref(), Some("été+"));
        assert_eq!(decode_query("a+b%2B").as_deref(), Some("a b+"));
    }

    #[test]
    fn an_encoded_slash_stays_encoded_within_a_name() {
        assert_eq!(decode_segment("a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(decode_within_name("a%2fb%20c").as_deref(), Some("a%2fb c"));
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_refused() {
        for broken in ["%", "%2", "%zz", "%C3", "a%FF"] {
            assert_eq!(decode_segment(broken), None, "{broken}");
        }
    }
}
