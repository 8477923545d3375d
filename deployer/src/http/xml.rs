//! Checks whether an XML document is complete. The SDK parses a truncated document without an error: a role in it would
//! have no tags. Pure.

/// The deepest accepted nesting. No response of IAM or STS is as deep.
const MAX_DEPTH: usize = 64;

/// Returns the name of the root element.
///
/// # Errors
/// Why a text is not a complete XML document, to follow "the answer".
pub(super) fn root_element(text: &[u8]) -> Result<&[u8], &'static str> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut root = None;
    let mut rest = text;
    loop {
        let Some(start) = rest.iter().position(|byte| *byte == b'<') else {
            return match root {
                Some(_) if !open.is_empty() => Err("is cut short"),
                Some(root) if is_blank(rest) => Ok(root),
                _ => Err("is not XML"),
            };
        };
        if open.is_empty() && !is_blank(&rest[..start]) {
            return Err("is not XML");
        }
        rest = &rest[start..];
        let Some(length) = tag_length(rest) else { return Err("is cut short") };
        let (tag, remaining) = rest.split_at(length);
        rest = remaining;
        match tag {
            [b'<', b'?' | b'!', ..] => {}
            [b'<', b'/', name @ .., b'>'] => {
                if open.pop() != Some(name.trim_ascii_end()) {
                    return Err("is not XML");
                }
            }
            [b'<', inside @ .., b'>'] => {
                let end = inside.iter().position(|b| b.is_ascii_whitespace() || *b == b'/');
                let name = &inside[..end.unwrap_or(inside.len())];
                if name.is_empty() || open.len() >= MAX_DEPTH {
                    return Err("is not XML");
                }
                if open.is_empty() && root.replace(name).is_some() {
                    return Err("is not XML");
                }
                if !inside.ends_with(b"/") {
                    open.push(name);
                }
            }
            _ => return Err("is not XML"),
        }
    }
}

/// Returns the length of the tag, comment, CDATA section or instruction at the start of the text; `None` if it does not
/// end.
fn tag_length(text: &[u8]) -> Option<usize> {
    let up_to =
        |end: &[u8]| text.windows(end.len()).position(|window| window == end).map(|start| start + end.len());
    if text.starts_with(b"<!--") {
        return up_to(b"-->");
    }
    if text.starts_with(b"<![CDATA[") {
        return up_to(b"]]>");
    }
    if text.starts_with(b"<?") {
        return up_to(b"?>");
    }
    let mut quote = None;
    for (index, byte) in text.iter().enumerate() {
        match (quote, *byte) {
            (None, b'>') => return Some(index + 1),
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

    const COMPLETE: &str = "<?xml version=\"1.0\"?>\n<!-- a > b -->\n<GetRoleResponse xmlns='https://a/>'><Role>\
                         <Path>/</Path><Tags/><Doc><![CDATA[<x>]]></Doc></Role></GetRoleResponse>\n";

    #[test]
    fn refuses_a_document_truncated_anywhere() {
        assert_eq!(root_element(COMPLETE.as_bytes()), Ok(&b"GetRoleResponse"[..]));
        let complete = COMPLETE.trim_end();
        for end in 0..complete.len() {
            assert!(root_element(&complete.as_bytes()[..end]).is_err(), "{}", &complete[..end]);
        }
    }

    #[test]
    fn refuses_text_that_is_not_one_document() {
        let deep = "<a>".repeat(1_000_000);
        for text in
            ["", "pong", "{}", "<a></b>", "<a/><b/>", "<a/>more", "more<a/>", "<></>", "< a/>", deep.as_str()]
        {
            assert!(root_element(text.as_bytes()).is_err(), "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(root_element(b"<a b='>'/>"), Ok(&b"a"[..]));
        assert_eq!(root_element(b"<a></a >"), Ok(&b"a"[..]));
    }
}
