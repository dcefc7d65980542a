//! Reads whole text files as people's editors write them: with or without a byte order mark, in UTF-8 or UTF-16.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

/// The longest text in bytes, far above anything that a person or the API writes: what is longer never ends.
const LONGEST: u64 = 256 << 20;

/// Reads a file, a pipe or a device that ends. `what` stands before its name in an error: empty, or words with a space behind.
pub(crate) fn read(path: &Path, what: &str) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {what}{}", path.display());
    let file = File::open(path).with_context(cannot)?;
    text(file).with_context(cannot)
}

/// Reads a file whose name stands in another file: there a pipe or a device is a mistake, and could keep the reader for ever.
pub(crate) fn read_regular(path: &Path, what: &str) -> anyhow::Result<String> {
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        bail!("cannot read {what}{}: it is no regular file", path.display());
    }
    read(path, what)
}

/// Decodes UTF-16 that says so by its byte order mark, and takes a mark off UTF-8. What is no such text is passed on as it is.
pub(crate) fn decoded<R: Read>(source: R) -> DecodeReaderBytes<R, Vec<u8>> {
    DecodeReaderBytesBuilder::new().utf8_passthru(true).strip_bom(true).build(source)
}

fn text(source: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    decoded(source).take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        bail!("it is longer than {} MiB", LONGEST >> 20);
    }
    String::from_utf8(bytes).map_err(|error| {
        let (line, at) = place(error.as_bytes(), error.utf8_error().valid_up_to());
        anyhow::anyhow!("line {line}, byte {at} is not UTF-8 text: save it as UTF-8")
    })
}

/// Line and byte of that line, both from 1.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, at - start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(to_bytes).collect()
    }

    #[test]
    fn a_text_is_the_same_however_an_editor_marks_and_encodes_it() {
        let expected = "zip = \"10001\" # ä 🛒\r\n";
        for bytes in [
            expected.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", expected.as_bytes()].concat(),
            utf16(expected, u16::to_le_bytes),
            utf16(expected, u16::to_be_bytes),
        ] {
            assert_eq!(text(&*bytes).unwrap(), expected);
        }
        assert_eq!(text(&b"\xef\xbb\xbf"[..]).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        for (bytes, says) in [
            (&b"a\nb \xe4\n"[..], "line 2, byte 3 is not UTF-8"),
            (b"\xff", "line 1, byte 1"),
            (b"\xef\xbb\xbf\n\n\xc3", "line 3, byte 1"),
        ] {
            let said = text(bytes).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_or_is_no_file_is_refused() {
        for (read, path, says) in [
            (
                read as fn(&Path, &str) -> anyhow::Result<String>,
                "/dev/zero",
                "cannot read it /dev/zero: it is longer than 256 MiB",
            ),
            (read_regular, "/dev/zero", "cannot read it /dev/zero: it is no regular file"),
            (read_regular, "/dev", "no regular file"),
            (read_regular, "no/such/file", "cannot read it no/such/file: No such file"),
        ] {
            let said = format!("{:#}", read(Path::new(path), "it ").unwrap_err());
            assert!(said.contains(says), "{said}");
        }
    }
}
