//! Whether an XML document is whole. The SDK reads as far as it understands and takes the rest for absent, so that a
//! role whose answer is cut in half would have no tags. Pure.

/// Deeper than any answer of IAM's or STS's.
const DEEPEST: usize = 64;

/// The name of the element that the whole document is.
///
/// # Errors
/// Why a text is no whole XML document, to follow "the answer".
pub(super) fn root(text: &[u8]) -> Result<&[u8], &'static str> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut root = None;
    let mut rest = text;
    loop {
        let Some(start) = rest.iter().position(|byte| *byte == b'<') else {
            return match root {
                Some(_) if !open.is_empty() => Err("is cut short"),
                Some(root) if is_blank(rest) => Ok(root),
                _ => Err("is no XML"),
            };
        };
        if open.is_empty() && !is_blank(&rest[..start]) {
            return Err("is no XML");
        }
        rest = &rest[start..];
        let Some(length) = length_of_tag(rest) else { return Err("is cut short") };
        let (tag, after) = rest.split_at(length);
        rest = after;
        match tag {
            [b'<', b'?' | b'!', ..] => {}
            [b'<', b'/', name @ .., b'>'] => {
                if open.pop() != Some(name.trim_ascii_end()) {
                    return Err("is no XML");
                }
            }
            [b'<', inside @ .., b'>'] => {
                let end = inside.iter().position(|b| b.is_ascii_whitespace() || *b == b'/');
                let name = &inside[..end.unwrap_or(inside.len())];
                if name.is_empty() || open.len() >= DEEPEST {
                    return Err("is no XML");
                }
                if open.is_empty() && root.replace(name).is_some() {
                    return Err("is no XML");
                }
                if !inside.ends_with(b"/") {
                    open.push(name);
                }
            }
            _ => return Err("is no XML"),
        }
    }
}

/// How long the tag, comment, section or instruction is that begins here; `None` when it does not end.
fn length_of_tag(text: &[u8]) -> Option<usize> {
    let to = |end: &[u8]| text.windows(end.len()).position(|w| w == end).map(|at| at + end.len());
    if text.starts_with(b"<!--") {
        return to(b"-->");
    }
    if text.starts_with(b"<![CDATA[") {
        return to(b"]]>");
    }
    if text.starts_with(b"<?") {
        return to(b"?>");
    }
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (quote, *byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<?xml version=\"1.0\"?>\n<!-- a > b -->\n<GetRoleResponse xmlns='https://a/>'><Role>\
                         <Path>/</Path><Tags/><Doc><![CDATA[<x>]]></Doc></Role></GetRoleResponse>\n";

    #[test]
    fn a_document_that_is_cut_anywhere_is_not_whole() {
        assert_eq!(root(WHOLE.as_bytes()), Ok(&b"GetRoleResponse"[..]));
        let whole = WHOLE.trim_end();
        for end in 0..whole.len() {
            assert!(root(&whole.as_bytes()[..end]).is_err(), "{}", &whole[..end]);
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(1_000_000);
        for text in
            ["", "pong", "{}", "<a></b>", "<a/><b/>", "<a/>more", "more<a/>", "<></>", "< a/>", deep.as_str()]
        {
            assert!(root(text.as_bytes()).is_err(), "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(root(b"<a b='>'/>"), Ok(&b"a"[..]));
        assert_eq!(root(b"<a></a >"), Ok(&b"a"[..]));
    }
}
