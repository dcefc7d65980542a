//! Pages whose encoding is told, or mistold, in every way.

/// A page and the header it came with.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) header: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What headers say.
const HEADERS: [Option<&str>; 18] = [
    None,
    Some(""),
    Some("text/html"),
    Some("text/html; charset=utf-8"),
    Some("text/html;charset=UTF8"),
    Some("text/html; charset=\"utf-8\""),
    Some("text/html; charset='utf-8'"),
    Some("text/html; charset = utf-8"),
    Some("text/html; Charset=ISO-8859-1"),
    Some("text/html; charset=windows-1251; boundary=x"),
    Some("text/html; boundary=\"; charset=koi8-r\"; charset=windows-1251"),
    Some("text/html; charset=nonsense"),
    Some("text/html; charset="),
    Some("text/html; charset=utf-16"),
    Some("text/html; charset=utf-8, text/html; charset=koi8-r"),
    Some("charset=koi8-r"),
    Some("application/xml; charset=shift_jis"),
    Some("application/json"),
];

/// What may stand before the text.
const MARKS: [&[u8]; 6] = [b"", b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"];

/// What the markup says.
const DECLARATIONS: [&str; 28] = [
    "",
    "<meta charset=koi8-r>",
    "<META CHARSET = 'koi8-r' />",
    "<meta charset=\"koi8-r\"/>",
    "<meta charset=' koi8-r '>",
    "<meta name=a charset=koi8-r>",
    "<meta/charset=koi8-r>",
    "<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>",
    "<meta content=\"text/html; charset=koi8-r\" http-equiv=\"content-type\">",
    "<meta http-equiv='Content-Type' content='text/html; charset = \"koi8-r\"'>",
    "<meta http-equiv=content-type content=charset=koi8-r>",
    "<meta http_equiv=ContentType content='text/html;charset=koi8-r'>",
    "<meta http-equiv=refresh content='0; charset=koi8-r'>",
    "<meta content='text/html; charset=koi8-r'>",
    "<meta name=description content='charset=koi8-r'>",
    "<!-- <meta charset=koi8-r> -->",
    "<!-- <meta charset=big5> --><meta charset=koi8-r>",
    "<title>\"</title><meta charset=koi8-r>",
    "<meta name=\"a>b\" charset=koi8-r>",
    "<meta charset=nonsense><meta charset=koi8-r>",
    "<meta charset=utf-16>",
    "<meta charset=x-user-defined>",
    "<?xml version='1.0' encoding='koi8-r'?>",
    "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
    "\n<?xml encoding='koi8-r'?>",
    "<?xml version='1.0'?><meta charset=koi8-r>",
    "<body><meta charset=koi8-r>",
    "<script>var a = '<meta charset=koi8-r>'</script>",
];

/// What the page says: plain letters, UTF-8, bytes of one alphabet, and broken ones.
const TEXTS: [&[u8]; 6] = [
    b"plain",
    b"\xD0\x9F\xD1\x80\xD0\xB8",
    b"\xF0\xD2\xC9\xD7\xC5\xD4",
    b"\xC3\xBC\xFF\xC3",
    b"\x80\x81\x9F",
    b"\x83\x65\x83\x58\xA4",
];

/// Encodings of the web.
const WEB: [&str; 37] = [
    "utf-8",
    "ibm866",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "iso-8859-9",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "x-mac-cyrillic",
    "gbk",
    "gb18030",
    "big5",
    "euc-jp",
    "shift_jis",
    "euc-kr",
];

/// Where the encoding is told, with every combination of two places.
pub(crate) fn places() -> Vec<Case> {
    let mut cases = Vec::new();
    for header in HEADERS {
        for text in TEXTS {
            for before in MARKS.into_iter().chain(["<meta charset=koi8-r>", "<meta charset=utf-16>"].map(str::as_bytes)) {
                cases.push(Case { header: header.map(str::to_owned), body: [before, text].concat() });
            }
        }
    }
    for declaration in DECLARATIONS {
        for text in TEXTS {
            for before in ["", "<html>\n<head>\n"] {
                let far = "<!-- far -->".repeat(200);
                for after in ["", &far] {
                    let body = [before.as_bytes(), after.as_bytes(), declaration.as_bytes(), text].concat();
                    cases.push(Case { header: None, body });
                }
            }
        }
    }
    cases
}

/// Every byte in every encoding of the web, alone and in pairs.
pub(crate) fn bytes() -> Vec<Case> {
    let alone: Vec<u8> = (0x80..=0xFF_u8).flat_map(|byte| [byte, b' ']).collect();
    let pairs: Vec<u8> = (0x81..=0xFE_u8).flat_map(|byte| [byte, byte, b' ', byte, b'A', b'\n']).collect();
    let header = |label: &str| Some(format!("text/html; charset={label}"));
    WEB.into_iter().flat_map(|label| [&alone, &pairs].map(|body| Case { header: header(label), body: body.clone() })).collect()
}
